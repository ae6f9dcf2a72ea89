import { backends, type LoadBackend } from "./backends.ts";
import { tfjsBackend } from "./tfjs.ts";
import { loadTfjsNode } from "./tfjs-node.ts";

export { loadTfjsNode, type TfjsNodePackage } from "./tfjs-node.ts";

/** Backends in Node, the one to try first first. */
export const nodeBackends = {
  fused: backends.fused,
  "tfjs-node-gpu": async () => tfjsBackend(await loadTfjsNode("@tensorflow/tfjs-node-gpu")),
  "tfjs-node": async () => tfjsBackend(await loadTfjsNode("@tensorflow/tfjs-node")),
  ...backends,
} satisfies Record<string, LoadBackend>;
