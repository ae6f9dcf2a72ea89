import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { interquartileMean, interquartileMeanInterval } from "./interquartile-mean.ts";
import { learningCurve } from "./learning-curve.ts";
import { performanceProfile } from "./performance-profile.ts";
import { probabilityOfImprovement } from "./probability-of-improvement.ts";
import { stratifiedBootstrap } from "./stratified-bootstrap.ts";
import { tInterval } from "./t-interval.ts";

const anyScores = fc.array(fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 1, maxLength: 6 }), {
  minLength: 1,
  maxLength: 4,
});

describe("stratifiedBootstrap", () => {
  it("draws within strata alone", () => {
    // Strata of one value each cannot change, whatever is drawn; together they would.
    const [mean] = stratifiedBootstrap({
      strata: [[1], [5]],
      statistics: ([a, b]) => [(a[0] + b[0]) / 2],
      seed: 1,
    });
    expect(mean).toEqual({ estimate: 3, low: 3, high: 3 });
  });

  it("has the quantiles of the resampled statistics, one interval for each", () => {
    // Two strata of {0, 1}: the mean of four draws is 0 with probability 1/16 and 1 with 1/16, so 2.5 % and 97.5 % lie there; each
    // stratum's own mean is 0 with probability 1/4.
    const mean = (values: ArrayLike<number>) => (values[0] + values[1]) / 2;
    const intervals = stratifiedBootstrap({
      strata: [
        [0, 1],
        [0, 1],
      ],
      statistics: ([a, b]) => [(mean(a) + mean(b)) / 2, mean(a)],
      seed: 2,
      level: 0.6,
    });
    // At 60 % the quantiles are .2 and .8: P(mean ≤ 0) = 1/16, P(≤ ¼) = 5/16 ≥ .2; and P(≥ ¾) = 5/16 likewise.
    expect(intervals[0]).toEqual({ estimate: 0.5, low: 0.25, high: 0.75 });
    expect(intervals[1]).toEqual({ estimate: 0.5, low: 0, high: 1 });
  });

  it.each([
    [[], "got no task"],
    [[[1], []], "got runs per task 1, 0"],
    [[[1], [Number.NaN]], "entry 0 is NaN"],
  ])("refuses %j", (strata, message) => {
    expect(() => stratifiedBootstrap({ strata, statistics: () => [0], seed: 0 })).toThrow(message);
  });
});

describe("interquartileMean", () => {
  it("is the mean of the middle half", () => {
    // Of 0 … 7 two fall off at each end: (2 + 3 + 4 + 5)/4. Of five values one does: (2 + 3 + 4)/3. Of three none: (0 + 0 + 9)/3.
    expect(
      interquartileMean([
        [7, 0, 3, 4],
        [5, 2, 1, 6],
      ]),
    ).toBe(3.5);
    expect(interquartileMean([[100, 2, 3, 4, -50]])).toBe(3);
    expect(interquartileMean([[0], [0, 9]])).toBe(3);
  });

  it("lies in its interval, whatever the scores", () => {
    fc.assert(
      fc.property(anyScores, (scores) => {
        const { estimate, low, high } = interquartileMeanInterval(scores, { seed: 3, draws: 100 });
        expect(estimate).toBe(interquartileMean(scores));
        expect(low).toBeLessThanOrEqual(high);
        const all = scores.flat();
        expect(low).toBeGreaterThanOrEqual(Math.min(...all) - 1e-12);
        expect(high).toBeLessThanOrEqual(Math.max(...all) + 1e-12);
      }),
      { numRuns: 50 },
    );
  });
});

describe("probabilityOfImprovement", () => {
  const options = { seed: 4, draws: 200 };

  it("counts wins, half for a tie, task by task", () => {
    // Task 1: pairs (2,1), (2,3), (4,1), (4,3): three of four. Task 2: one tie. (.75 + .5)/2.
    expect(probabilityOfImprovement([[2, 4], [1]], [[1, 3], [1]], options).estimate).toBe(0.625);
  });

  it("is one minus that of the other way round, and blind to a scale that a task has", () => {
    fc.assert(
      fc.property(anyScores, fc.integer({ min: 1, max: 5 }), (x, shift) => {
        const y = x.map((runs) => runs.map((value, i) => runs[(i + shift) % runs.length] - value / 3));
        const there = probabilityOfImprovement(x, y, options);
        const back = probabilityOfImprovement(y, x, options);
        expect(there.estimate).toBeCloseTo(1 - back.estimate, 12);
        const times = (scores: readonly number[][]) =>
          scores.map((runs, task) => runs.map((value) => value * 2 ** task));
        expect(probabilityOfImprovement(times(x), times(y), options).estimate).toBe(there.estimate);
      }),
      { numRuns: 50 },
    );
  });

  it("refuses other tasks", () => {
    expect(() => probabilityOfImprovement([[1], [2]], [[1]], options)).toThrow("of the same tasks, got 2 and 1");
  });
});

describe("performanceProfile", () => {
  it("is the share of runs above each threshold, and never rises", () => {
    const profile = performanceProfile(
      [
        [0.1, 0.5],
        [0.5, 0.9],
      ],
      [0, 0.1, 0.5, 0.9],
      { seed: 5, draws: 100 },
    );
    // Strictly above: 4, 3, 1 and 0 of 4.
    expect(profile.map(({ estimate }) => estimate)).toEqual([1, 0.75, 0.25, 0]);
    fc.assert(
      fc.property(anyScores, (scores) => {
        const shares = performanceProfile(scores, [-4, -1, 0, 1, 4], { seed: 6, draws: 100 });
        for (let i = 1; i < shares.length; i++) {
          expect(shares[i].estimate).toBeLessThanOrEqual(shares[i - 1].estimate);
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe("learningCurve", () => {
  const runs = [
    { steps: [0, 10], values: [0, 1] },
    { steps: [0, 5, 20], values: [2, 3, 6] },
  ];

  it("is the mean over runs at common steps, read by straight lines, with the t-interval of their values", () => {
    // At 5: .5 and 3; at 10: 1, and 3 + (10 − 5)/(20 − 5)·3 = 4.
    expect(learningCurve(runs, [0, 5, 10])).toEqual([tInterval([0, 2]), tInterval([0.5, 3]), tInterval([1, 4])]);
  });

  it("ends where a run does", () => {
    expect(learningCurve(runs, [-1, 11, 20])).toEqual([null, null, null]);
  });

  it("refuses steps that do not ascend", () => {
    expect(() => learningCurve([{ steps: [1, 1], values: [0, 0] }], [1])).toThrow("steps must ascend, got 1 before 1");
  });
});
