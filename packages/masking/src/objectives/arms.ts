import type { Rollout } from "@magic-mask/core";
import { normalise } from "../ensemble.ts";

/**
 * Weights of two quantities, each learned from its own arm of a coin's experiment, [n × 2]: first what was kept, then what was
 * blinded, by the inverse of its probability, so that each arm stands for all states alike:
 *
 *   w₀ = (1 − z)/(1 − p),   w₁ = z/p,   together normalised to mean 1
 *
 * Rows that could not have been in both arms get none.
 */
export function armWeights({ blinded, blindProbability }: Rollout, rows: Int32Array): Float32Array {
  const weights = new Float32Array(2 * rows.length);
  rows.forEach((row, i) => {
    const p = blindProbability[row];
    if (p <= 0 || p >= 1) return;
    if (blinded[row]) weights[2 * i + 1] = 1 / p;
    else weights[2 * i] = 1 / (1 - p);
  });
  return normalise(weights);
}
