import { MagicMaskError } from "@magic-mask/core";
import { checkPaired, checkShare } from "./checks.ts";

/**
 * `discovery`: environment steps until AUROC first stays above a threshold, that is the first point of the curve from which
 * on every one is above it.
 *
 * @param steps [n] ascending
 * @param areas [n] `auroc@10` after so many steps
 * @param threshold in (0, 1)
 * @returns NaN where the last point is not above it
 * @throws shape-mismatch, not-finite, invalid-option
 */
export function discovery(steps: ArrayLike<number>, areas: ArrayLike<number>, threshold = 0.8): number {
  checkPaired("metrics/discovery", steps, areas);
  checkShare("metrics/discovery", "threshold", threshold);
  for (let i = 1; i < steps.length; i++) {
    if (steps[i] > steps[i - 1]) continue;
    const message = `steps must ascend, got ${steps[i]} after ${steps[i - 1]}`;
    throw new MagicMaskError("invalid-option", "metrics/discovery", message);
  }
  let first = Number.NaN;
  for (let i = steps.length - 1; i >= 0 && areas[i] > threshold; i--) first = steps[i];
  return first;
}
