import util from "node:util";
import { MagicMaskError } from "@magic-mask/core";
import { loadTfjs, use } from "./load-tfjs.ts";
import type { Tfjs } from "./tfjs.ts";

/** The optional packages that run tfjs on TensorFlow's own library. */
export type TfjsNodePackage = "@tensorflow/tfjs-node-gpu" | "@tensorflow/tfjs-node";

/**
 * tfjs on libtensorflow, through a package that the user installed.
 *
 * @throws unsupported, saying what is missing and how to get it
 */
export async function loadTfjsNode(name: TfjsNodePackage): Promise<Tfjs> {
  // Node 23 removed these; tfjs-node 4.22 still calls them.
  Object.assign(util, { isNullOrUndefined: (x: unknown) => x == null, isArray: Array.isArray });
  const tf = await loadTfjs();
  // Importing it registers the backend with the engine that all copies of tfjs share.
  await import(name).catch((error) => refuse(name, error));
  await use(tf, "tensorflow");
  if (name.endsWith("-gpu") && !(tf.backend() as { isUsingGpuDevice?: boolean }).isUsingGpuDevice) {
    throw new MagicMaskError("unsupported", "networks/tfjs-node", `${name} found no GPU; check the CUDA libraries`);
  }
  return tf;
}

function refuse(name: string, error: { code?: string; message: string }): never {
  throw new MagicMaskError("unsupported", "networks/tfjs-node", diagnose(name, error), { cause: error });
}

/** What the ways in which the import fails mean to a user. */
export function diagnose(name: string, { code = "", message }: { code?: string; message: string }): string {
  if (code.endsWith("MODULE_NOT_FOUND") && message.includes(`'${name}'`)) {
    return `the optional package is not installed (npm install ${name})`;
  }
  if (code === "ERR_DLOPEN_FAILED")
    return `${name} finds no libtensorflow; install it again with its install script allowed: ${message}`;
  if (message.includes("tfjs_binding.node")) {
    return `${name} lacks its native addon, for its install script did not run; allow it and install again`;
  }
  return `${name} does not load: ${message}`;
}
