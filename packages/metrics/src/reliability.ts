import { pearson } from "./correlation.ts";

/**
 * Split-half reliability of an estimate made from n rollouts: r is Pearson's correlation, over states, of the estimates
 * from the two halves of the rollouts, stepped up to all of them (Spearman 1910; Brown 1910):
 *
 *   reliability = 2r / (1 + r)
 *
 * The share of the estimates' variance over states that is not noise. Pearson's, because the formula holds for it:
 * where a few states carry nearly all criticality, the order of the others may be much less reliable than this says.
 *
 * @param first [S] estimates from the first half
 * @param second [S] from the second
 * @returns ≤ 1; NaN where a half is constant or unknown
 * @throws shape-mismatch
 */
export function splitHalfReliability(first: Float64Array, second: Float64Array): number {
  if (first.some(Number.isNaN)) return Number.NaN;
  const r = pearson(first, second);
  return (2 * r) / (1 + r);
}
