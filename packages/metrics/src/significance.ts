import { checkCount } from "@magic-mask/core";
import { benjaminiHochberg } from "./benjamini-hochberg.ts";
import { checkShare } from "./checks.ts";
import type { Interval } from "./interval.ts";
import { takeStates } from "./states.ts";
import { tPValue, tQuantile } from "./t-interval.ts";
import { branchingTruth, type TruthOptions } from "./truth.ts";

const SOURCE = "metrics/significance";

export interface CriticalStatesOptions extends Omit<TruthOptions, "rollouts" | "batch" | "first" | "count"> {
  /**
   * Which of the states: picked by anything that had no part in the rollouts to come, an explainer's scores or the truth
   * from another seed. All by default.
   */
  readonly rows?: ArrayLike<number>;
  /** n ≥ 2 fresh rollouts per legal action, as many for every state. */
  readonly rollouts: number;
  /** α in (0, 1), the false discovery rate. */
  readonly rate?: number;
}

/** What fresh rollouts say of one state. */
export interface CriticalState {
  /** Which state. */
  readonly row: number;
  /** Δ with its interval at the level 1 − α·(critical states)/(states tested). */
  readonly effect: Interval;
  /** One-sided p-value of Δ ≤ 0. */
  readonly p: number;
  /** Adjusted by `benjaminiHochberg`. */
  readonly q: number;
  /** q ≤ α: blinding the decision costs return. */
  readonly critical: boolean;
}

/**
 * Which states are critical, and by how much. Selection and estimate use different rollouts: whatever picked the states, p-values
 * and effects are from n fresh ones each, so that a maximum over noisy estimates is not shown as an effect.
 *
 * p is one-sided, half of `effectPValue`. Being called critical selects once more, so intervals are at the level that keeps
 * the expected share of those that miss, among the ones called critical, at α (Benjamini & Yekutieli 2005, false coverage rate).
 *
 * @throws as `branchingTruth`; invalid-option
 */
export function criticalStates(options: CriticalStatesOptions): CriticalState[] {
  const { states, rollouts, rate = 0.05 } = options;
  const { rows = Int32Array.from({ length: states.count }, (_, s) => s), ...truthOptions } = options;
  checkCount(SOURCE, "rollouts", rollouts, 2);
  checkShare(SOURCE, "rate", rate);
  const { criticality, standardError } = branchingTruth({ ...truthOptions, states: takeStates(states, rows) });
  const p = criticality.map((delta, s) => oneSided(delta, standardError[s], rollouts));
  const q = benjaminiHochberg(p);
  const found = q.reduce((sum, value) => sum + (value <= rate ? 1 : 0), 0);
  const level = 1 - (rate * Math.max(1, found)) / rows.length;
  const t = tQuantile(rollouts - 1, level);
  return Array.from(rows, (row, s) => {
    const margin = t * standardError[s];
    return {
      row,
      effect: { estimate: criticality[s], low: criticality[s] - margin, high: criticality[s] + margin },
      p: p[s],
      q: q[s],
      critical: q[s] <= rate,
    };
  });
}

/** One-sided p-value of Δ ≤ 0. */
function oneSided(mean: number, error: number, n: number): number {
  const half = effectPValue(mean, error, n) / 2;
  return mean > 0 ? half : 1 - half;
}

/**
 * Two-sided p-value of Δ = 0 by Student's t over n paired rollouts, 2^(1 − n) at least: where all n say the same the t knows no
 * error, and a fair coin would fall so, one way or the other, with that probability.
 *
 * @param mean of n differences
 * @param error standard error of the mean, ≥ 0
 * @param n ≥ 2
 */
export function effectPValue(mean: number, error: number, n: number): number {
  if (mean === 0) return 1;
  let least = 2;
  for (let k = 0; k < n; k++) least /= 2;
  return Math.max(least, tPValue(mean / error, n - 1));
}
