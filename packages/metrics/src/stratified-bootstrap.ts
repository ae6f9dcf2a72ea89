import { checkCount, MagicMaskError, stream } from "@magic-mask/core";
import type { ResampleOptions } from "./bootstrap.ts";
import { checkFinite, checkShare } from "./checks.ts";
import type { Interval } from "./interval.ts";
import { quantile } from "./quantile.ts";

export interface StratifiedBootstrapOptions extends ResampleOptions {
  /** [strata][runs] at least one of one run; strata may differ in how many they have. */
  readonly strata: readonly ArrayLike<number>[];
  /** One or more statistics of strata of the same sizes (valid during the call only); always as many. */
  readonly statistics: (strata: readonly ArrayLike<number>[]) => ArrayLike<number>;
}

const SOURCE = "metrics/stratified-bootstrap";

/**
 * Percentile intervals over runs of several tasks: in each resample every task keeps its number of runs, drawn from its own with
 * replacement, so tasks are fixed and runs are not (Agarwal et al. 2021, "Deep Reinforcement Learning at the Edge of the Statistical
 * Precipice", §4.1). Meant for ten runs and more over all strata; for a few runs of one task use `tInterval`.
 *
 * @returns one interval per statistic
 * @throws shape-mismatch, not-finite, invalid-option
 */
export function stratifiedBootstrap({
  strata,
  statistics,
  seed,
  draws = 2000,
  level = 0.95,
}: StratifiedBootstrapOptions): Interval[] {
  checkCount(SOURCE, "draws", draws, 100);
  checkShare(SOURCE, "level", level);
  checkStrata(SOURCE, strata);
  const estimates = Array.from(statistics(strata));
  const resampled = strata.map((runs) => new Float64Array(runs.length));
  const drawn = estimates.map(() => new Float64Array(draws));
  const random = stream(seed, "stratified-bootstrap");
  for (let draw = 0; draw < draws; draw++) {
    strata.forEach((runs, s) => {
      for (let k = 0; k < runs.length; k++) resampled[s][k] = runs[random.below(runs.length)];
    });
    const values = statistics(resampled);
    for (let i = 0; i < drawn.length; i++) drawn[i][draw] = values[i];
  }
  return drawn.map((values, i) => {
    values.sort();
    return {
      estimate: estimates[i],
      low: quantile(values, (1 - level) / 2),
      high: quantile(values, (1 + level) / 2),
    };
  });
}

/** @throws shape-mismatch for no strata or an empty one; not-finite */
export function checkStrata(source: string, strata: readonly ArrayLike<number>[]): void {
  if (strata.length === 0 || strata.some((runs) => runs.length === 0)) {
    const got = strata.length === 0 ? "no task" : `runs per task ${strata.map((runs) => runs.length).join(", ")}`;
    throw new MagicMaskError(
      "shape-mismatch",
      source,
      `needs at least one task, each with at least one run; got ${got}`,
    );
  }
  for (const runs of strata) checkFinite(source, runs);
}
