/**
 * Linear interpolation between order statistics (Hyndman & Fan 1996, type 7).
 *
 * @param sorted [n] n ≥ 1, ascending
 * @param share in [0, 1]
 */
export function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  // Infinite ones have no difference.
  if (at === below || sorted[below] === sorted[above]) return sorted[below];
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}
