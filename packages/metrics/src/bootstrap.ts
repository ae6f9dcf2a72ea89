import { checkCount, MagicMaskError, stream } from "@magic-mask/core";
import { checkShare } from "./checks.ts";
import type { Interval } from "./interval.ts";
import { quantile } from "./quantile.ts";
import { ascending } from "./ranks.ts";

export interface ResampleOptions {
  /** Root of the resampling. */
  readonly seed: number;
  /** How many resamples, ≥ 100. */
  readonly draws?: number;
  /** Coverage aimed at, in (0, 1). */
  readonly level?: number;
}

export interface BootstrapOptions extends ResampleOptions {
  /** n ≥ 1, the number of observations. */
  readonly count: number;
  /**
   * The statistic of the observations at `indices` (valid during the call only), an index once per time it was drawn.
   */
  readonly statistic: (indices: Int32Array) => number;
  /**
   * [n] observations with equal numbers are drawn together: states of one episode are not independent. Each its own by
   * default.
   */
  readonly clusters?: ArrayLike<number>;
}

/**
 * Percentile bootstrap interval (Efron & Tibshirani 1993, §13.3): the quantiles (1 ± level)/2 of the statistic over
 * resamples of n observations, or of as many clusters as there are, drawn with replacement. For few units (seeds) use
 * `tInterval`: over 3–5 units this covers 73–84 % where 95 % is asked.
 *
 * @returns bounds are NaN where the statistic of some resample is
 * @throws invalid-option, shape-mismatch
 */
export function bootstrap({
  count,
  statistic,
  clusters,
  seed,
  draws = 2000,
  level = 0.95,
}: BootstrapOptions): Interval {
  checkCount("metrics/bootstrap", "count", count);
  checkCount("metrics/bootstrap", "draws", draws, 100);
  checkShare("metrics/bootstrap", "level", level);
  if (clusters && clusters.length !== count) {
    throw new MagicMaskError(
      "shape-mismatch",
      "metrics/bootstrap",
      `needs ${count} cluster numbers, got ${clusters.length}`,
    );
  }
  const { units, starts, members } = grouped(count, clusters);
  const random = stream(seed, "bootstrap");
  const longest = starts.reduce((most, start, unit) => Math.max(most, start - (unit > 0 ? starts[unit - 1] : 0)), 0);
  const indices = new Int32Array(units * longest);
  const statistics = new Float64Array(draws);
  for (let draw = 0; draw < draws; draw++) {
    let length = 0;
    for (let k = 0; k < units; k++) {
      const unit = random.below(units);
      for (let at = starts[unit]; at < starts[unit + 1]; at++) indices[length++] = members[at];
    }
    statistics[draw] = statistic(indices.subarray(0, length));
  }
  // NaN sorts last.
  statistics.sort();
  const known = !Number.isNaN(statistics[draws - 1]);
  return {
    estimate: statistic(Int32Array.from({ length: count }, (_, i) => i)),
    low: known ? quantile(statistics, (1 - level) / 2) : Number.NaN,
    high: known ? quantile(statistics, (1 + level) / 2) : Number.NaN,
  };
}

/** Bootstrap interval of the mean. @param values [n] */
export function bootstrapMean(values: ArrayLike<number>, options: ResampleOptions): Interval {
  return bootstrap({
    ...options,
    count: values.length,
    statistic(indices) {
      let sum = 0;
      for (let k = 0; k < indices.length; k++) sum += values[indices[k]];
      return sum / indices.length;
    },
  });
}

/**
 * Observations by cluster: `members[starts[u]]` up to `members[starts[u + 1]]` are those of unit u, units by first
 * member.
 */
function grouped(count: number, clusters: ArrayLike<number> | undefined) {
  const unitOf = new Map<number, number>();
  const unit = Int32Array.from({ length: count }, (_, i) => {
    const cluster = clusters ? clusters[i] : i;
    if (!unitOf.has(cluster)) unitOf.set(cluster, unitOf.size);
    return unitOf.get(cluster) as number;
  });
  const starts = new Int32Array(unitOf.size + 1);
  for (const u of unit) starts[u + 1]++;
  for (let u = 0; u < unitOf.size; u++) starts[u + 1] += starts[u];
  return { units: unitOf.size, starts, members: ascending(unit) };
}
