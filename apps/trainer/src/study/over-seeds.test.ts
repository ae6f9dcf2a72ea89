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

it("counts what is no finite number as missing, also where two make one", () => {
  const odd = [result("c", 1, Number.NaN), result("c", 2, 0), result("c", 3, Number.POSITIVE_INFINITY)];
  expect(overSeeds(odd, { arm: "c" }, [1, 2, 3], ({ value }) => value)).toMatchObject({
    missing: [1, 3],
    interval: null,
  });
  // 1 / 0 for seed 1 and 2 / 2 for seed 2.
  const one = overSeeds([result("d", 1, 1), result("d", 2, 2)], { arm: "d" }, [1, 2], ({ value }) => value);
  const none = overSeeds([result("e", 1, 0), result("e", 2, 2)], { arm: "e" }, [1, 2], ({ value }) => value);
  const ratio = combined(one, none, (a, b) => a / b);
  expect([[...ratio.values], ratio.missing]).toEqual([[[2, 1]], [1]]);
});
