import { type CreateLearner, type PpoBatch, stream } from "@magic-mask/core";
import { LEARNING_RATE, lossOf, MAX_NORM, type Net } from "./batch.ts";

/** What is timed of a network: a PPO step (forward, losses, backward, clip, Adam) on one batch, and a forward pass of it. */
export interface Stepper {
  step(): Promise<unknown>;
  /** @returns [B × O] */
  forward(): Promise<Float32Array>;
}

/** One of this project's backends. */
export function ours(
  create: CreateLearner,
  net: Net,
  batch: PpoBatch,
): Stepper & { readonly parameters: Float32Array } {
  const B = batch.returns.length;
  const learner = create(net, stream("bench"));
  const plan = {
    rows: Int32Array.from({ length: B }, (_, row) => row),
    minibatch: B,
    learningRate: LEARNING_RATE,
    maxGradNorm: MAX_NORM,
  };
  const objective = { loss: lossOf(net.outputs[0] - 1), batch };
  const out = new Float32Array(B * net.outputs[0]);
  return {
    parameters: learner.exportState().parameters,
    step: () => learner.update(objective, plan),
    async forward() {
      learner.infer(batch.inputs, B, out);
      return out;
    },
  };
}
