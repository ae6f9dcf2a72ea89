import { checkShare } from "./checks.ts";
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
