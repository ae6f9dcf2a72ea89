import { lambdaReturns, type Rollout, TRUNCATED } from "@magic-mask/core";

/** Room for the targets of one rollout, as long as its columns are; reused from update to update. */
export interface Targets {
  /** [R] A, normalised to mean 0 and standard deviation 1 over `rows`. */
  advantages: Float32Array;
  /** [R] y, the value target. */
  returns: Float32Array;
}

/** Rows that PPO learns from: complete decisions by the agent's own policy, with nobody else blinded before its next one. */
export function learnableRows(rollout: Rollout, agents: readonly number[]): Int32Array {
  const rows = new Int32Array(rollout.length);
  let count = 0;
  for (let row = 0; row < rollout.length; row++) {
    if (rollout.ended[row] > TRUNCATED || rollout.blinded[row] || rollout.disturbed[row]) continue;
    if (agents.includes(rollout.agents[row])) rows[count++] = row;
  }
  return rows.subarray(0, count);
}

/**
 * Value targets and normalised advantages, A_t = y_t − V(o_t) with y the λ-return (`lambdaReturns` in core).
 *
 * @param rows those that will be learned from: the normalisation is over them
 */
export function computeTargets(rollout: Rollout, rows: Int32Array, discount: number, trace: number, targets: Targets) {
  const capacity = rollout.ended.length;
  if (targets.returns.length !== capacity) {
    targets.returns = new Float32Array(capacity);
    targets.advantages = new Float32Array(capacity);
  }
  const { returns, advantages } = targets;
  lambdaReturns(rollout, rollout.values, discount, trace, returns);
  let mean = 0;
  for (const row of rows) mean += returns[row] - rollout.values[row];
  mean /= rows.length;
  let variance = 0;
  for (const row of rows) {
    const centred = returns[row] - rollout.values[row] - mean;
    variance += centred * centred;
  }
  const deviation = Math.sqrt(variance / rows.length) + 1e-8;
  for (const row of rows) advantages[row] = (returns[row] - rollout.values[row] - mean) / deviation;
}

/** 1 − Var(y − V) / Var(y) over `rows`: 1 = the critic predicts perfectly, ≤ 0 = no better than a constant; NaN if y is constant. */
export function explainedVariance(values: Float32Array, returns: Float32Array, rows: Int32Array): number {
  let [meanY, meanE] = [0, 0];
  for (const row of rows) {
    meanY += returns[row];
    meanE += returns[row] - values[row];
  }
  meanY /= rows.length;
  meanE /= rows.length;
  let [varianceY, varianceE] = [0, 0];
  for (const row of rows) {
    const y = returns[row] - meanY;
    const e = returns[row] - values[row] - meanE;
    varianceY += y * y;
    varianceE += e * e;
  }
  return varianceY > 0 ? 1 - varianceE / varianceY : Number.NaN;
}
