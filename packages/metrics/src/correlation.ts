import { checkPaired } from "./checks.ts";
import { midRanks } from "./ranks.ts";

/**
 * Pearson's product-moment correlation, in [−1, 1]; NaN where either array is constant.
 *
 * @throws shape-mismatch if the lengths differ or are 0; not-finite
 */
export function pearson(a: ArrayLike<number>, b: ArrayLike<number>): number {
  checkPaired("metrics/correlation", a, b);
  const n = a.length;
  // By comparison: the rounded mean of equal numbers may differ from them, and what is left would pass for spread.
  if (isConstant(a) || isConstant(b)) return Number.NaN;
  let meanA = 0;
  let meanB = 0;
  for (let i = 0; i < n; i++) {
    meanA += a[i] / n;
    meanB += b[i] / n;
  }
  let aa = 0;
  let bb = 0;
  let ab = 0;
  for (let i = 0; i < n; i++) {
    aa += (a[i] - meanA) * (a[i] - meanA);
    bb += (b[i] - meanB) * (b[i] - meanB);
    ab += (a[i] - meanA) * (b[i] - meanB);
  }
  return Math.max(-1, Math.min(1, ab / Math.sqrt(aa * bb)));
}

/**
 * Spearman's rank correlation (Spearman 1904): Pearson's, of mid-ranks, which holds with ties too. In [−1, 1]; NaN
 * where either array is constant.
 *
 * @throws shape-mismatch if the lengths differ or are 0; not-finite
 */
export function spearman(a: ArrayLike<number>, b: ArrayLike<number>): number {
  checkPaired("metrics/correlation", a, b);
  return pearson(midRanks(a), midRanks(b));
}

const isConstant = (values: ArrayLike<number>) => Array.prototype.every.call(values, (value) => value === values[0]);
