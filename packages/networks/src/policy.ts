import {
  type ActionSpace,
  type Learner,
  MagicMaskError,
  maskedLogSoftmax,
  outputWidth,
  type Policy,
  requireDiscrete,
} from "@magic-mask/core";

/**
 * The policy π and critic V that a learner's output row [logits…, V] holds, over the legal actions.
 *
 * It follows the learner as it trains. Evaluating throws not-finite if an output is, and no-legal-action.
 *
 * @throws unsupported unless `space` is discrete; shape-mismatch unless the output row is one longer than it
 */
export function learnerPolicy(learner: Learner, space: ActionSpace): Policy {
  const { n } = requireDiscrete("networks/policy", space);
  const O = outputWidth(learner.spec);
  if (O !== n + 1) {
    const message = `${n} actions and a value need an output row of ${n + 1}, got one of ${O}`;
    throw new MagicMaskError("shape-mismatch", "networks/policy", message);
  }
  let outputs = new Float32Array(0);
  return {
    evaluate({ count, observations, legal }, parameters, values) {
      if (outputs.length < count * O) outputs = new Float32Array(count * O);
      learner.infer(observations, count, outputs);
      for (let row = 0; row < count; row++) {
        for (let k = 0; k < n; k++) parameters[row * n + k] = outputs[row * O + k];
        values[row] = outputs[row * O + n];
        maskedLogSoftmax(parameters, row * n, legal, row * n, n);
      }
    },
  };
}
