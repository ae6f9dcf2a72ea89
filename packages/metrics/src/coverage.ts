import { MagicMaskError } from "@magic-mask/core";

export interface Coverage {
  /** Share of steps that the gate m ≤ τ blinds, in [0, 1]. */
  readonly blinded: number;
  /** E[m] */
  readonly mean: number;
}

/**
 * `mask/coverage`: how much of what it meets a mask gates.
 *
 * @param mask [n] m in [0, 1], high = keep
 * @param threshold τ in [0, 1]
 * @throws shape-mismatch for no steps
 */
export function coverage(mask: ArrayLike<number>, threshold: number): Coverage {
  if (mask.length === 0) throw new MagicMaskError("shape-mismatch", "metrics/coverage", "needs at least 1 step, got 0");
  let blinded = 0;
  let sum = 0;
  for (let i = 0; i < mask.length; i++) {
    if (mask[i] <= threshold) blinded++;
    sum += mask[i];
  }
  return { blinded: blinded / mask.length, mean: sum / mask.length };
}
