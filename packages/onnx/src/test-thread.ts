import { openOnnxModel } from "./node.ts";

/** What a thread of the tests holds: a model that it opens and runs by itself. */
export function openRunner(bytes: Uint8Array) {
  const model = openOnnxModel(bytes);
  return { run: (row: Float32Array) => Array.from(model.run([row], 1)[0]) };
}
