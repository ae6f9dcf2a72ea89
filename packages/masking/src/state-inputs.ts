import type { Rollout } from "@magic-mask/core";
import type { FeatureSource, StateFeatures } from "./features.ts";

/** What gives O numbers for an input: a learner, an ensemble. */
interface Net {
  infer(inputs: Float32Array, count: number, out: Float32Array): void;
}

/** [n × X] x of these rows of a rollout. */
export function stateInputs({ width, write }: StateFeatures, rollout: Rollout, rows: Int32Array): Float32Array {
  const source = { ...rollout, count: rollout.length };
  const inputs = new Float32Array(rows.length * width);
  rows.forEach((row, i) => {
    write(source, row, inputs, i * width);
  });
  return inputs;
}

/**
 * Asks a net about x of decisions, in forward passes of bounded size.
 *
 * @param outputs O
 * @returns a function that tells `read` of each decision where the net's answer, O numbers, is
 */
export function stateScores(
  { width, write }: StateFeatures,
  net: Net,
  outputs: number,
): (decisions: FeatureSource, read: (row: number, answers: Float32Array, at: number) => void) => void {
  let inputs = new Float32Array(0);
  let answers = new Float32Array(0);
  return (decisions, read) => {
    const room = Math.min(CHUNK, decisions.count);
    if (inputs.length < room * width) {
      inputs = new Float32Array(room * width);
      answers = new Float32Array(room * outputs);
    }
    for (let from = 0; from < decisions.count; from += CHUNK) {
      const count = Math.min(CHUNK, decisions.count - from);
      for (let i = 0; i < count; i++) write(decisions, from + i, inputs, i * width);
      net.infer(inputs, count, answers);
      for (let i = 0; i < count; i++) read(from + i, answers, i * outputs);
    }
  };
}

/** The same of inputs that are written already. @param out [n × O] written */
export function inferAll(net: Net, inputs: Float32Array, count: number, out: Float32Array): void {
  const [X, O] = [inputs.length / count, out.length / count];
  for (let from = 0; from < count; from += CHUNK) {
    const to = Math.min(from + CHUNK, count);
    net.infer(inputs.subarray(from * X, to * X), to - from, out.subarray(from * O, to * O));
  }
}

/** Rows per forward pass. */
const CHUNK = 512;
