import { MagicMaskError, type Objective, type PpoBatch, type PpoLoss, type RegressionBatch } from "@magic-mask/core";

/** Means over one minibatch, by name. */
export type LossStatistics = Record<string, number>;

/**
 * Mean loss over a minibatch and its gradient with respect to the output rows, in closed form; any backend may use it.
 *
 * @param rows [B] the minibatch, indices into the objective's batch
 * @param outputs [B × O] the network's outputs, row b for `rows[b]`
 * @param dOutputs [B × O] written: ∂(mean loss)/∂outputs
 * @throws not-finite if a mean is; no-legal-action; illegal-action
 */
export function lossGradient(
  objective: Objective,
  rows: Int32Array,
  outputs: Float32Array,
  dOutputs: Float32Array,
): LossStatistics {
  const statistics =
    objective.loss.kind === "ppo"
      ? ppoLossGradient(objective.loss, objective.batch as PpoBatch, rows, outputs, dOutputs)
      : regressionLossGradient(objective.batch as RegressionBatch, rows, outputs, dOutputs);
  for (const [name, value] of Object.entries(statistics)) {
    if (Number.isFinite(value)) continue;
    const message = `${name} is ${value}: the batch holds such a number, or the outputs have diverged (lower the learning rate)`;
    throw new MagicMaskError("not-finite", "networks/losses", message);
  }
  return statistics;
}

/**
 * PPO's loss (Schulman et al. 2017, eq. 9; see `PpoLoss`). With p = softmax of the legal logits, l = ln p:
 *
 *   ∂L/∂z_k = g·(1[k = a] − p_k) + c_e·p_k·(l_k + H),   g = −r·A, or 0 where the clipped branch is the smaller;
 *   ∂L/∂V = c_v·(V − G);   illegal logits get 0.
 *
 * approx_kl is the mean of (r − 1) − ln r (Schulman 2020, "Approximating KL divergence", k3).
 */
export function ppoLossGradient(
  { clip, valueCoefficient, entropyCoefficient }: PpoLoss,
  { legal, actions, logProbs, advantages, returns }: PpoBatch,
  rows: Int32Array,
  outputs: Float32Array,
  dOutputs: Float32Array,
) {
  const B = rows.length;
  const O = outputs.length / B;
  const A = O - 1;
  const W = actions.length / logProbs.length;
  const logs = new Float64Array(A);
  const probabilities = new Float64Array(A);
  let policyLoss = 0;
  let valueLoss = 0;
  let entropies = 0;
  let divergence = 0;
  let clipped = 0;

  for (let b = 0; b < B; b++) {
    const row = rows[b];
    const at = b * O;
    const action = actions[row * W];
    if (!(action >= 0 && action < A && legal[row * A + action])) refuseAction(row, action, legal, A);
    maskedSoftmax(outputs, at, legal, row, logs, probabilities);

    let entropy = 0;
    for (let k = 0; k < A; k++) entropy -= probabilities[k] * logs[k];

    const advantage = advantages[row];
    const logRatio = logs[action] - logProbs[row];
    const ratio = Math.exp(logRatio);
    const bounded = Math.min(Math.max(ratio, 1 - clip), 1 + clip);
    const slope = ratio * advantage <= bounded * advantage ? -ratio * advantage : 0;
    const error = outputs[at + A] - returns[row];

    for (let k = 0; k < A; k++) {
      const p = probabilities[k];
      dOutputs[at + k] = legal[row * A + k]
        ? (slope * ((k === action ? 1 : 0) - p) + entropyCoefficient * p * (logs[k] + entropy)) / B
        : 0;
    }
    dOutputs[at + A] = (valueCoefficient * error) / B;

    policyLoss -= Math.min(ratio * advantage, bounded * advantage);
    valueLoss += 0.5 * error * error;
    entropies += entropy;
    divergence += ratio - 1 - logRatio;
    if (Math.abs(ratio - 1) > clip) clipped++;
  }
  return {
    policy_loss: policyLoss / B,
    value_loss: valueLoss / B,
    entropy: entropies / B,
    approx_kl: divergence / B,
    clipfrac: clipped / B,
  };
}

/** Weighted squared error (see `RegressionLoss`): ∂L/∂f_k = 2·w_k·(f_k − y_k). */
export function regressionLossGradient(
  { targets, weights }: RegressionBatch,
  rows: Int32Array,
  outputs: Float32Array,
  dOutputs: Float32Array,
) {
  const B = rows.length;
  const O = outputs.length / B;
  let loss = 0;
  for (let b = 0; b < B; b++) {
    for (let k = 0; k < O; k++) {
      const at = rows[b] * O + k;
      const error = outputs[b * O + k] - targets[at];
      loss += weights[at] * error * error;
      dOutputs[b * O + k] = (2 * weights[at] * error) / B;
    }
  }
  return { loss: loss / B };
}

/** Softmax over the legal logits of one row and its logarithm; 0 and 0 where illegal. */
function maskedSoftmax(
  outputs: Float32Array,
  at: number,
  legal: Uint8Array,
  row: number,
  logs: Float64Array,
  probabilities: Float64Array,
): void {
  const A = logs.length;
  let highest = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < A; k++) if (legal[row * A + k] && outputs[at + k] > highest) highest = outputs[at + k];
  let sum = 0;
  for (let k = 0; k < A; k++) {
    logs[k] = outputs[at + k] - highest;
    probabilities[k] = legal[row * A + k] ? Math.exp(logs[k]) : 0;
    sum += probabilities[k];
  }
  const normaliser = Math.log(sum);
  for (let k = 0; k < A; k++) {
    logs[k] = legal[row * A + k] ? logs[k] - normaliser : 0;
    probabilities[k] /= sum;
  }
}

/** Says what is wrong with the action of a row. @throws no-legal-action, illegal-action */
export function refuseAction(row: number, action: number, legal: Uint8Array, A: number): never {
  if (!legal.subarray(row * A, (row + 1) * A).some(Boolean)) {
    throw new MagicMaskError(
      "no-legal-action",
      "networks/losses",
      `the legal-action mask of row ${row} is all zero; leave such rows out`,
    );
  }
  throw new MagicMaskError(
    "illegal-action",
    "networks/losses",
    `row ${row} took action ${action}, which is not one of its legal ones`,
  );
}
