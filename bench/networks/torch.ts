import type { PpoBatch } from "@magic-mask/core";
import type { Child } from "../measure/child.ts";
import type { Contender } from "../measure/in-turns.ts";
import { CLIP, ENTROPY_COEFFICIENT, LEARNING_RATE, MAX_NORM, type Net, VALUE_COEFFICIENT } from "./batch.ts";

const base64 = (array: Float32Array | Uint8Array) =>
  Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString("base64");

/** Hands torch the same net and batch; from then on `torchContender` times it. */
export async function prepareTorch(child: Child, net: Net, batch: PpoBatch, parameters: Float32Array): Promise<void> {
  await child.ask({
    what: "prepare",
    widths: [net.inputs, ...net.hidden, net.outputs[0]],
    parameters: base64(parameters),
    batch: Object.fromEntries(Object.entries(batch).map(([name, array]) => [name, base64(array)])),
    clip: CLIP,
    value_coefficient: VALUE_COEFFICIENT,
    entropy_coefficient: ENTROPY_COEFFICIENT,
    learning_rate: LEARNING_RATE,
    max_norm: MAX_NORM,
  });
}

/** @returns [B × O] */
export async function torchOutputs(child: Child): Promise<Float32Array> {
  const { outputs } = await child.ask<{ outputs: string }>({ what: "outputs" });
  return new Float32Array(Uint8Array.from(Buffer.from(outputs, "base64")).buffer);
}

export const torchContender = (child: Child, what: "step" | "forward"): Contender => ({
  name: "torch",
  time: async (count) => (await child.ask<{ cpu_ms: number }>({ what, count })).cpu_ms,
});
