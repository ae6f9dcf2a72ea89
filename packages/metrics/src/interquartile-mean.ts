import type { ResampleOptions } from "./bootstrap.ts";
import type { Interval } from "./interval.ts";
import { checkStrata, stratifiedBootstrap } from "./stratified-bootstrap.ts";

/**
 * The mean of the middle half: of n values all tasks' runs together, the ⌊n/4⌋ lowest and as many highest are left out (Agarwal et
 * al. 2021, §4.3). Less noisy than the median, less swayed by outliers than the mean.
 *
 * @param scores [tasks][runs] on a scale that all tasks share
 * @throws shape-mismatch, not-finite
 */
export function interquartileMean(scores: readonly ArrayLike<number>[]): number {
  checkStrata("metrics/interquartile-mean", scores);
  return middleMean(scores);
}

/** The same with its interval by `stratifiedBootstrap`. @throws as there */
export function interquartileMeanInterval(scores: readonly ArrayLike<number>[], options: ResampleOptions): Interval {
  const [interval] = stratifiedBootstrap({
    ...options,
    strata: scores,
    statistics: (strata) => [middleMean(strata)],
  });
  return interval;
}

function middleMean(scores: readonly ArrayLike<number>[]): number {
  const sorted = Float64Array.from(scores.flatMap((runs) => Array.from(runs))).sort();
  const cut = Math.floor(sorted.length / 4);
  let sum = 0;
  for (let i = cut; i < sorted.length - cut; i++) sum += sorted[i];
  return sum / (sorted.length - 2 * cut);
}
