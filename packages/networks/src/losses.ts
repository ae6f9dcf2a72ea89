import {
  type ActionSpace,
  LOG_STD_BOUNDS,
  MagicMaskError,
  type Objective,
  type PpoBatch,
  type PpoLoss,
  type RegressionBatch,
} from "@magic-mask/core";

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
 * PPO's loss (Schulman et al. 2017, eq. 9; see `PpoLoss`). With g = −r·A, or 0 where the clipped branch is the smaller:
 *
 *   ∂L/∂f_k = g·∂ln π(a)/∂f_k − c_e·∂H/∂f_k,   ∂L/∂V = c_v·(V − G)
 *
 * Logits, in each part of the action with p = softmax of the legal ones, l = ln p (illegal ones get 0):
 *
 *   ∂ln π(a)/∂z_k = 1[k = a] − p_k,   ∂H/∂z_k = −p_k·(l_k + H)
 *
 * Means μ and s = ln σ of normal entries, z = (a − μ)/σ (s outside its bounds gets 0):
 *
 *   ∂ln π(a)/∂μ = z/σ,   ∂ln π(a)/∂s = z² − 1,   ∂H/∂s = 1
 *
 * approx_kl is the mean of (r − 1) − ln r (Schulman 2020, "Approximating KL divergence", k3).
 */
export function ppoLossGradient(
  { space, clip, valueCoefficient, entropyCoefficient }: PpoLoss,
  batch: PpoBatch,
  rows: Int32Array,
  outputs: Float32Array,
  dOutputs: Float32Array,
) {
  const { logProbs, advantages, returns } = batch;
  const B = rows.length;
  const O = outputs.length / B;
  const V = O - 1;
  const head = space.kind === "box" ? gaussianHead(batch, V / 2) : categoricalHead(batch, partsOf(space, V));
  let policyLoss = 0;
  let valueLoss = 0;
  let entropies = 0;
  let divergence = 0;
  let clipped = 0;

  for (let b = 0; b < B; b++) {
    const row = rows[b];
    const at = b * O;
    head.read(outputs, at, row);
    const advantage = advantages[row];
    const logRatio = head.logProb - logProbs[row];
    const ratio = Math.exp(logRatio);
    const bounded = Math.min(Math.max(ratio, 1 - clip), 1 + clip);
    const slope = ratio * advantage <= bounded * advantage ? -ratio * advantage : 0;
    const error = outputs[at + V] - returns[row];

    for (let k = 0; k < V; k++) {
      dOutputs[at + k] = (slope * head.dLogProb[k] - entropyCoefficient * head.dEntropy[k]) / B;
    }
    dOutputs[at + V] = (valueCoefficient * error) / B;

    policyLoss -= Math.min(ratio * advantage, bounded * advantage);
    valueLoss += 0.5 * error * error;
    entropies += head.entropy;
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

/** ln π(a) and H(π) of the row read last, and their gradients by the outputs before V. */
interface Head {
  logProb: number;
  entropy: number;
  readonly dLogProb: Float64Array;
  readonly dEntropy: Float64Array;
  /** Reads the outputs that start at `outputs[at]` with the action of row `row` of the batch. */
  read(outputs: Float32Array, at: number, row: number): void;
}

/** Choices of each part of an action. */
export const partsOf = (space: ActionSpace, width: number): readonly number[] =>
  space.kind === "multi-discrete" ? space.nvec : [width];

function categoricalHead(batch: PpoBatch, sizes: readonly number[]): Head {
  const { legal, actions, logProbs } = batch;
  const A = sizes.reduce((sum, n) => sum + n, 0);
  const W = actions.length / logProbs.length;
  const logs = new Float64Array(Math.max(...sizes));
  const head: Head = {
    logProb: 0,
    entropy: 0,
    dLogProb: new Float64Array(A),
    dEntropy: new Float64Array(A),
    read(outputs, at, row) {
      head.logProb = 0;
      head.entropy = 0;
      for (let part = 0, start = 0; part < sizes.length; start += sizes[part++]) {
        const n = sizes[part];
        const mask = row * A + start;
        const action = actions[row * W + part];
        if (!(action >= 0 && action < n && legal[mask + action])) checkAction(batch, sizes, row);
        const { dLogProb, dEntropy } = head;
        maskedSoftmax(outputs, at + start, legal, mask, n, logs, dLogProb, start);
        let entropy = 0;
        for (let k = 0; k < n; k++) entropy -= dLogProb[start + k] * logs[k];
        for (let k = 0; k < n; k++) {
          const p = dLogProb[start + k];
          dEntropy[start + k] = -p * (logs[k] + entropy);
          dLogProb[start + k] = legal[mask + k] ? (k === action ? 1 : 0) - p : 0;
        }
        head.logProb += logs[action];
        head.entropy += entropy;
      }
    },
  };
  return head;
}

function gaussianHead({ actions, logProbs }: PpoBatch, k: number): Head {
  const W = actions.length / logProbs.length;
  const [low, high] = LOG_STD_BOUNDS;
  const head: Head = {
    logProb: 0,
    entropy: 0,
    dLogProb: new Float64Array(2 * k),
    dEntropy: new Float64Array(2 * k),
    read(outputs, at, row) {
      head.logProb = 0;
      head.entropy = 0;
      for (let i = 0; i < k; i++) {
        const raw = outputs[at + k + i];
        const logStd = Math.min(Math.max(raw, low), high);
        const inside = raw >= low && raw <= high ? 1 : 0;
        const z = (actions[row * W + i] - outputs[at + i]) / Math.exp(logStd);
        head.dLogProb[i] = z / Math.exp(logStd);
        head.dLogProb[k + i] = inside * (z * z - 1);
        head.dEntropy[k + i] = inside;
        head.logProb -= 0.5 * z * z + logStd + 0.5 * Math.log(2 * Math.PI);
        head.entropy += logStd + 0.5 * (1 + Math.log(2 * Math.PI));
      }
    },
  };
  return head;
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

/** Softmax over the n legal logits from `outputs[at]` and its logarithm; 0 and 0 where illegal. */
function maskedSoftmax(
  outputs: Float32Array,
  at: number,
  legal: Uint8Array,
  mask: number,
  n: number,
  logs: Float64Array,
  probabilities: Float64Array,
  start: number,
): void {
  let highest = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < n; k++) if (legal[mask + k] && outputs[at + k] > highest) highest = outputs[at + k];
  let sum = 0;
  for (let k = 0; k < n; k++) {
    logs[k] = outputs[at + k] - highest;
    probabilities[start + k] = legal[mask + k] ? Math.exp(logs[k]) : 0;
    sum += probabilities[start + k];
  }
  const normaliser = Math.log(sum);
  for (let k = 0; k < n; k++) {
    logs[k] = legal[mask + k] ? logs[k] - normaliser : 0;
    probabilities[start + k] /= sum;
  }
}

/**
 * Checks that each part of a row's action is legal.
 *
 * @param sizes choices of each part
 * @throws no-legal-action, illegal-action
 */
export function checkAction({ legal, actions, logProbs }: PpoBatch, sizes: readonly number[], row: number): void {
  const A = sizes.reduce((sum, n) => sum + n, 0);
  const W = actions.length / logProbs.length;
  for (let part = 0, mask = row * A; part < sizes.length; mask += sizes[part++]) {
    const action = actions[row * W + part];
    if (action >= 0 && action < sizes[part] && legal[mask + action]) continue;
    if (!legal.subarray(mask, mask + sizes[part]).some(Boolean)) {
      const message = `the legal-action mask of row ${row} is all zero; leave such rows out`;
      throw new MagicMaskError("no-legal-action", "networks/losses", message);
    }
    const message = `row ${row} took action ${action}, which is not one of its legal ones`;
    throw new MagicMaskError("illegal-action", "networks/losses", message);
  }
}
