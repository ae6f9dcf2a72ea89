import {
  type ActionSpace,
  distributionOf,
  type Learner,
  MagicMaskError,
  maskWidth,
  outputWidth,
  type Policy,
} from "@magic-mask/core";

/**
 * The policy π and critic V that a learner's output row holds: what `distributionOf(space)` normalises, over the legal actions,
 * then V.
 *
 * It follows the learner as it trains. Evaluating throws not-finite if an output is, and no-legal-action.
 *
 * @throws shape-mismatch unless the output row is one longer than a row of the space's parameters
 */
export function learnerPolicy(learner: Learner, space: ActionSpace): Policy {
  const distribution = distributionOf(space);
  const P = distribution.width;
  const A = maskWidth(space);
  const O = outputWidth(learner.spec);
  if (O !== P + 1) {
    const message = `this space and a value need an output row of ${P} + 1, got one of ${O}`;
    throw new MagicMaskError("shape-mismatch", "networks/policy", message);
  }
  let outputs = new Float32Array(0);
  return {
    evaluate({ count, observations, legal, candidates }, parameters, values) {
      if (outputs.length < count * O) outputs = new Float32Array(count * O);
      learner.infer(observations, count, outputs, candidates);
      for (let row = 0; row < count; row++) {
        if (candidates && space.kind === "candidates")
          parameters.set(outputs.subarray(row * O, row * O + candidates.counts[row]), row * P);
        else for (let k = 0; k < P; k++) parameters[row * P + k] = outputs[row * O + k];
        values[row] = outputs[row * O + P];
        distribution.normalise(parameters, row * P, legal, row * A);
      }
    },
  };
}
