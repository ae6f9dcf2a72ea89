import { stream } from "@magic-mask/core";
import type { Interval } from "@magic-mask/metrics";

/** Runs by world: [worlds][seeds], each world with at least one. */
export type Runs = readonly (readonly number[])[];

/** Fewer runs than this are not pooled. */
export const FEWEST_RUNS = 10;
const DRAWS = 2000;

/**
 * The mean of the middle half of all runs, worlds pooled (Agarwal et al. 2021, "Deep RL at the Edge of the Statistical Precipice"): for
 * figures whose scale all worlds have in common. The quarter of n runs that is left out on either side is rounded down.
 *
 * @returns with a 95 % percentile interval of 2,000 bootstrap samples that draw seeds within each world
 */
export function interquartileMean(runs: Runs, seed: number): Interval {
  return bootstrapped([runs], seed, ([drawn]) => {
    const sorted = drawn.flat().sort((a, b) => a - b);
    const cut = Math.floor(sorted.length / 4);
    return mean(sorted.slice(cut, sorted.length - cut));
  });
}

/**
 * How probable it is that a run of the first is above one of the second in the same world, ties counting half; mean over worlds (ibid.,
 * after Mann & Whitney 1947). It needs no common scale.
 *
 * @param a, b of the same worlds
 */
export function probabilityOfImprovement(a: Runs, b: Runs, seed: number): Interval {
  return bootstrapped([a, b], seed, ([x, y]) =>
    mean(
      x.map((own, world) => {
        const others = y[world];
        return mean(own.flatMap((one) => others.map((other) => (Math.sign(one - other) + 1) / 2)));
      }),
    ),
  );
}

/** Percentile interval over samples that draw with replacement within each world. */
function bootstrapped(arms: readonly Runs[], seed: number, statistic: (arms: readonly Runs[]) => number): Interval {
  const random = stream(seed, "over runs");
  const draw = (runs: readonly number[]) => runs.map(() => runs[random.below(runs.length)]);
  const drawn = Array.from({ length: DRAWS }, () => statistic(arms.map((runs) => runs.map(draw))));
  const sorted = drawn.sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (DRAWS - 1))];
  return { estimate: statistic(arms), low: at(0.025), high: at(0.975) };
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
