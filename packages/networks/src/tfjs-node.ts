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
  // TensorFlow's notices about the processor and its own options are no concern of whoever runs a program.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= "2";
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

/** What the ways in which installing or importing the package fails mean to a user. */
export function diagnose(name: string, { code = "", message }: { code?: string; message: string }): string {
  const setup = `run npm run setup:native${name.endsWith("-gpu") ? " -- --gpu" : ""} in a checkout of magic-mask`;
  if (code.endsWith("MODULE_NOT_FOUND") && message.includes(`'${name}'`)) {
    return `the optional package is not installed: ${setup}, or npm install ${name} elsewhere`;
  }
  if (code === "ENOTFOUND" || message.includes("ENOTFOUND")) {
    return `the download of ${name}'s libtensorflow is blocked: ${setup}`;
  }
  if (code === "ERR_DLOPEN_FAILED") return `${name} finds no libtensorflow that fits: ${setup}: ${message}`;
  if (message.includes("tfjs_binding.node")) {
    return `${name} lacks its native addon, for its install script did not run: ${setup}`;
  }
  return `${name} does not load: ${message}`;
}
