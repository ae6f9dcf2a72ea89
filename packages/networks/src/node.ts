import { backends, type LoadBackend } from "./backends.ts";
import { tfjsBackend } from "./tfjs.ts";
import { loadTfjsNode } from "./tfjs-node.ts";

export { loadTfjsNode, type TfjsNodePackage } from "./tfjs-node.ts";

const { fused, ...others } = backends;

/** Backends in Node, the one to try first first. */
export const nodeBackends = {
  fused,
  "tfjs-node-gpu": async () => tfjsBackend(await loadTfjsNode("@tensorflow/tfjs-node-gpu")),
  "tfjs-node": async () => tfjsBackend(await loadTfjsNode("@tensorflow/tfjs-node")),
  ...others,
} satisfies Record<string, LoadBackend>;
