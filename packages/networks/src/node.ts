import { type Backend, backends, unfitForSmallWork } from "./backends.ts";
import { tfjsBackend } from "./tfjs.ts";
import { loadTfjsNode } from "./tfjs-node.ts";

export { loadTfjsNode, type TfjsNodePackage } from "./tfjs-node.ts";

/** Backends in Node, the one to try first first. */
export const nodeBackends = {
  "tfjs-node-gpu": {
    load: async () => tfjsBackend(await loadTfjsNode("@tensorflow/tfjs-node-gpu")),
    unfit: unfitForSmallWork,
  },
  "tfjs-node": {
    load: async () => tfjsBackend(await loadTfjsNode("@tensorflow/tfjs-node")),
    unfit: unfitForSmallWork,
  },
  ...backends,
} satisfies Record<string, Backend>;
