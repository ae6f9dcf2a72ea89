import { expect, it } from "@jest/globals";
import { tInterval } from "@magic-mask/metrics";
import { combined, gainOver, overSeeds } from "./over-seeds.ts";
import type { Result } from "./study.ts";

const result = (arm: string, seed: number, value: number | null): Result<{ readonly value: number | null }> => ({
  at: { arm, seed },
  steps: 1,
  figures: { value },
  seconds: { shared: 0, learning: 0, judging: 0 },
});
const results = [result("a", 1, 4), result("a", 2, 6), result("a", 3, null), result("b", 1, 1), result("b", 2, 2)];
const of = (arm: string) => overSeeds(results, { arm }, [1, 2, 3], ({ value }) => value);

it("takes a figure seed by seed and names the seeds that lack it", () => {
  const a = of("a");
  expect([[...a.values], a.missing, a.interval]).toEqual([
    [
      [1, 4],
      [2, 6],
    ],
    [3],
    tInterval([4, 6]),
  ]);
  // Seed 3 of b was not made at all.
  expect([of("b").missing, of("c").missing, of("c").interval]).toEqual([[3], [1, 2, 3], null]);
});

it("pairs by seed", () => {
  // 4 − 1 and 6 − 2.
  expect(gainOver(of("a"), of("b"))).toMatchObject({ missing: [3], interval: tInterval([3, 4]) });
  expect([...combined(of("a"), of("b"), (a, b) => a / b).values.values()]).toEqual([4, 3]);
});
