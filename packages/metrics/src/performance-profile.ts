import type { ResampleOptions } from "./bootstrap.ts";
import { checkFinite } from "./checks.ts";
import type { Interval } from "./interval.ts";
import { stratifiedBootstrap } from "./stratified-bootstrap.ts";

/**
 * The share of runs, all tasks together, that score above each threshold (Agarwal et al. 2021, §4.2: the score distribution). A profile
 * that lies above another everywhere is of a better method, whatever aggregate one looks at.
 *
 * @param scores [tasks][runs] on a scale that all tasks share
 * @param thresholds τ
 * @returns one entry per threshold, with pointwise intervals
 * @throws as `stratifiedBootstrap`
 */
export function performanceProfile(
  scores: readonly ArrayLike<number>[],
  thresholds: ArrayLike<number>,
  options: ResampleOptions,
): Interval[] {
  checkFinite("metrics/performance-profile", thresholds);
  return stratifiedBootstrap({
    ...options,
    strata: scores,
    statistics: (strata) => {
      const sorted = Float64Array.from(strata.flatMap((runs) => Array.from(runs))).sort();
      return Float64Array.from(thresholds, (threshold) => 1 - notAbove(sorted, threshold) / sorted.length);
    },
  });
}

/** How many of ascending values are ≤ `threshold`. */
function notAbove(sorted: Float64Array, threshold: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= threshold) low = middle + 1;
    else high = middle;
  }
  return low;
}
