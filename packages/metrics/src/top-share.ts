import { checkPaired, checkShare } from "./checks.ts";
import { ascending } from "./ranks.ts";

/** How many of `count` the share `top` ∈ (0, 1) names: rounded, at least 1, at most all but one. */
export function topCount(source: string, count: number, top: number): number {
  checkShare(source, "top", top);
  return Math.max(1, Math.min(count - 1, Math.round(top * count)));
}

/**
 * [n] how far each entry belongs to the `k` highest: 1 above the cut, 0 below; entries tied at the cut share what is
 * left of k equally, so that the memberships sum to k.
 */
export function topMembership(values: ArrayLike<number>, k: number): Float64Array {
  const order = ascending(values);
  const cut = values[order[order.length - k]];
  let above = 0;
  let tied = 0;
  for (let i = 0; i < values.length; i++) {
    if (values[i] > cut) above++;
    else if (values[i] === cut) tied++;
  }
  return Float64Array.from(values, (value) => (value > cut ? 1 : value === cut ? (k - above) / tied : 0));
}

/**
 * Share of what is highest by one measure that is highest by another, too: Σ_i v_i w_i / k, v and w the memberships in their top `k`;
 * on average `top` where they have nothing to do with each other. 1 of anything with itself, but for what is tied at the cut.
 *
 * @param a [n] @param b [n]
 * @param top share in (0, 1) that counts as highest
 * @returns in [0, 1]; NaN where either is constant and nothing is highest
 * @throws shape-mismatch if the lengths differ or are 0; not-finite; invalid-option
 */
export function topOverlap(a: ArrayLike<number>, b: ArrayLike<number>, top = 0.1): number {
  const source = "metrics/top-overlap";
  checkPaired(source, a, b);
  const k = topCount(source, a.length, top);
  const isConstant = (values: ArrayLike<number>) => Array.prototype.every.call(values, (value) => value === values[0]);
  if (isConstant(a) || isConstant(b)) return Number.NaN;
  const [v, w] = [topMembership(a, k), topMembership(b, k)];
  return v.reduce((sum, share, i) => sum + (share * w[i]) / k, 0);
}
