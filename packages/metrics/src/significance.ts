import { checkCount, MagicMaskError } from "@magic-mask/core";
import { checkShare } from "./checks.ts";
import type { Interval } from "./interval.ts";
import { ascending } from "./ranks.ts";
import { takeStates } from "./states.ts";
import { tQuantile, tWithin } from "./t-interval.ts";
import { branchingTruth, type TruthOptions } from "./truth.ts";

const SOURCE = "metrics/significance";

/**
 * Adjusted p-values of Benjamini & Hochberg (1995): rejecting the hypotheses with q_i ≤ α keeps the expected share of false
 * ones among those rejected at α or below, for independent or positively dependent p-values (Benjamini & Yekutieli 2001).
 *
 *   q_(i) = min_{j ≥ i} min(1, p_(j) · m / j),   p_(1) ≤ … ≤ p_(m)
 *
 * @param values [m] p-values, in [0, 1]
 * @returns [m] q, in the order of `values`
 * @throws shape-mismatch for none; invalid-option for what is no p-value
 */
export function benjaminiHochberg(values: ArrayLike<number>): Float64Array {
  const m = values.length;
  if (m === 0) throw new MagicMaskError("shape-mismatch", SOURCE, "needs at least 1 p-value, got 0");
  for (let i = 0; i < m; i++) {
    if (values[i] >= 0 && values[i] <= 1) continue;
    throw new MagicMaskError("invalid-option", SOURCE, `a p-value must be in [0, 1], got ${values[i]} at entry ${i}`);
  }
  const order = ascending(values);
  const adjusted = new Float64Array(m);
  let least = 1;
  for (let j = m; j >= 1; j--) {
    // By a factor ≥ 1, so that no rounding takes q below p.
    least = Math.min(least, values[order[j - 1]] * (m / j));
    adjusted[order[j - 1]] = least;
  }
  return adjusted;
}

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
 * p is that of Student's t over the paired rollouts, and 2⁻ⁿ at least: where all n say the same the t knows no error, and a fair
 * coin would fall so with that probability. Being called critical selects once more, so intervals are at the level that keeps
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

/** P(T ≥ mean / error) for T of Student's distribution with n − 1 degrees of freedom; 2⁻ⁿ at least. */
function oneSided(mean: number, error: number, n: number): number {
  let least = 1;
  for (let k = 0; k < n; k++) least /= 2;
  if (error === 0) return mean > 0 ? least : 1;
  const outside = (1 - tWithin(Math.abs(mean) / error, n - 1)) / 2;
  return Math.max(least, mean > 0 ? outside : 1 - outside);
}
