import { readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import { interquartileMean, interquartileMeanInterval } from "./interquartile-mean.ts";
import type { Interval } from "./interval.ts";
import { performanceProfile } from "./performance-profile.ts";
import { probabilityOfImprovement } from "./probability-of-improvement.ts";

interface Figure {
  readonly estimate: number;
  readonly bounds: readonly number[];
  readonly spread: number;
}

/** Made by `fixtures/record_rliable.py`. */
const { cases } = JSON.parse(readFileSync(new URL("../fixtures/rliable.json", import.meta.url), "utf8")) as {
  readonly cases: Readonly<
    Record<
      string,
      {
        /** [tasks][runs] */
        readonly x: readonly number[][];
        readonly y: readonly number[][];
        readonly iqm: Figure;
        readonly probability: Figure;
        readonly profile: {
          readonly taus: readonly number[];
          readonly estimate: readonly number[];
          readonly bounds: readonly [readonly number[], readonly number[]];
          readonly spread: number;
        };
      }
    >
  >;
};

/**
 * Bounds of 5,000 resamples of ours beside the mean of five of rliable's. Where scores are few the statistic moves in jumps, and a
 * quantile beside one falls on either side of it: twice what rliable's own five differ by, and .004 for where those fell together.
 */
const draws = 5000;
function expectNear({ low, high }: Interval, bounds: readonly number[], spread: number): void {
  expect(Math.abs(low - bounds[0])).toBeLessThanOrEqual(2 * spread + 0.004);
  expect(Math.abs(high - bounds[1])).toBeLessThanOrEqual(2 * spread + 0.004);
}

describe.each(Object.entries(cases))("as rliable has it: %s", (_, { x, y, iqm, probability, profile }) => {
  it("interquartile mean", () => {
    expect(interquartileMean(x)).toBeCloseTo(iqm.estimate, 12);
    expectNear(interquartileMeanInterval(x, { seed: 1, draws }), iqm.bounds, iqm.spread);
  });

  it("probability of improvement", () => {
    const measured = probabilityOfImprovement(x, y, { seed: 2, draws });
    expect(measured.estimate).toBeCloseTo(probability.estimate, 12);
    expectNear(measured, probability.bounds, probability.spread);
  });

  it("performance profile", () => {
    const measured = performanceProfile(x, profile.taus, { seed: 3, draws });
    measured.forEach((interval, i) => {
      expect(interval.estimate).toBeCloseTo(profile.estimate[i], 12);
      // Shares of n runs: a bound beside a jump may fall one run further.
      expectNear(interval, [profile.bounds[0][i], profile.bounds[1][i]], profile.spread + 0.5 / x.flat().length);
    });
  });
});
