import { MagicMaskError } from "@magic-mask/core";
import { checkFinite, checkShare } from "./checks.ts";
import { normalQuantile } from "./normal.ts";
import type { Truth } from "./truth.ts";

export interface CalibrationOptions {
  /** Coverage that the explainer's intervals aim at, in (0, 1). */
  readonly level?: number;
}

export interface Calibration {
  /** Share of true Δ inside the intervals, in [0, 1]; NaN where the explainer tells no spread. Aim at `level` ± .05. */
  readonly coverage: number;
  /**
   * Share of the differences' expected variance that is truth's own error, in [0, 1]. The nearer to 1, the less `coverage`
   * says about the explainer.
   */
  readonly noise: number;
}

/**
 * `calibration`: how often the true Δ lies inside the explainer's interval Δ̂ ± z·σ̂, z being the normal quantile of the level.
 *
 * Truth is measured, T = Δ + ε with standard error σ_T, so T strays from Δ̂ more than Δ does. That is corrected for by asking
 * for |T − Δ̂| ≤ z·√(σ̂² + σ_T²): where the explainer's errors are normal with the spread that it claims, this happens with
 * exactly the probability asked for, however noisy the truth is. Where they are not, a noisy truth hides it, pulling the
 * share towards the level: `noise` says by how much.
 *
 * @param criticality [S] Δ̂
 * @param spread [S] σ̂, one standard deviation; NaN for none
 * @throws shape-mismatch; not-finite; invalid-option
 */
export function calibration(
  criticality: ArrayLike<number>,
  spread: ArrayLike<number>,
  truth: Pick<Truth, "criticality" | "standardError">,
  { level = 0.9 }: CalibrationOptions = {},
): Calibration {
  const SOURCE = "metrics/calibration";
  checkShare(SOURCE, "level", level);
  const n = truth.criticality.length;
  if (n === 0 || criticality.length !== n || spread.length !== n) {
    const message = `needs an estimate and a spread for each of ${n} states, got ${criticality.length} and ${spread.length}`;
    throw new MagicMaskError("shape-mismatch", SOURCE, message);
  }
  checkFinite(SOURCE, criticality);
  checkFinite(SOURCE, truth.standardError);
  const z = normalQuantile((1 + level) / 2);
  let [inside, own, all] = [0, 0, 0];
  for (let s = 0; s < n; s++) {
    const error = truth.standardError[s] * truth.standardError[s];
    const variance = spread[s] * spread[s] + error;
    // NaN, of no spread, reaches both figures through `all`.
    own += error;
    all += variance;
    const delta = truth.criticality[s];
    const rounding = ROUNDING * Math.max(1, Math.abs(delta));
    if (Math.abs(delta - criticality[s]) <= z * Math.sqrt(variance) + rounding) inside++;
  }
  return Number.isNaN(all) ? { coverage: Number.NaN, noise: Number.NaN } : { coverage: inside / n, noise: own / all };
}

/** Estimates are float32: one that claims to be exact may differ by as much. */
const ROUNDING = 1e-6;
