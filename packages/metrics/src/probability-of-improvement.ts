import { MagicMaskError } from "@magic-mask/core";
import type { ResampleOptions } from "./bootstrap.ts";
import type { Interval } from "./interval.ts";
import { checkStrata, stratifiedBootstrap } from "./stratified-bootstrap.ts";

const SOURCE = "metrics/probability-of-improvement";

/**
 * P(X > Y): how likely a run of X beats a run of Y on a task, averaged over tasks, a tie counting as half (Agarwal et al. 2021, §4.3):
 * the Mann–Whitney U of each task over the number of its pairs. It asks nothing of the scales of tasks, and says nothing of by how much.
 * X and Y are resampled independently; the interval holds ½ where neither is shown to be better.
 *
 * @param x [tasks][runs]
 * @param y [tasks][runs] of the same tasks, of any number of runs
 * @throws shape-mismatch, not-finite, invalid-option
 */
export function probabilityOfImprovement(
  x: readonly ArrayLike<number>[],
  y: readonly ArrayLike<number>[],
  options: ResampleOptions,
): Interval {
  checkStrata(SOURCE, x);
  checkStrata(SOURCE, y);
  if (x.length !== y.length) {
    throw new MagicMaskError("shape-mismatch", SOURCE, `needs both of the same tasks, got ${x.length} and ${y.length}`);
  }
  const [interval] = stratifiedBootstrap({
    ...options,
    strata: [...x, ...y],
    statistics: (strata) => {
      let sum = 0;
      for (let task = 0; task < x.length; task++) sum += shareOfWins(strata[task], strata[x.length + task]);
      return [sum / x.length];
    },
  });
  return interval;
}

function shareOfWins(x: ArrayLike<number>, y: ArrayLike<number>): number {
  let wins = 0;
  for (let i = 0; i < x.length; i++) {
    for (let j = 0; j < y.length; j++) wins += x[i] > y[j] ? 1 : x[i] === y[j] ? 0.5 : 0;
  }
  return wins / (x.length * y.length);
}
