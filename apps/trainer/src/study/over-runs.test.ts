import { expect, it } from "@jest/globals";
import { interquartileMean, probabilityOfImprovement } from "./over-runs.ts";

it("takes the mean of the middle half of all runs", () => {
  // Of 8 runs the lowest two and the highest two are left out: (3 + 4 + 5 + 6)/4. One wild run does nothing.
  const { estimate, low, high } = interquartileMean(
    [
      [1, 2, 3, 4],
      [5, 6, 7, 1000],
    ],
    1,
  );
  expect(estimate).toBe(4.5);
  expect(low).toBeLessThan(4.5);
  expect(high).toBeGreaterThan(4.5);
  // Where all are alike there is nothing to be unsure of.
  expect(
    interquartileMean(
      [
        [2, 2],
        [2, 2],
      ],
      1,
    ),
  ).toEqual({ estimate: 2, low: 2, high: 2 });
});

it("counts how often a run of one is above one of the other, world by world", () => {
  // World 1: of 4 pairs (1,0) (1,2) (3,0) (3,2) three are above. World 2, of another scale: equal, so one half.
  const one = [
    [1, 3],
    [100, 100],
  ];
  const other = [
    [0, 2],
    [100, 100],
  ];
  expect(probabilityOfImprovement(one, other, 1).estimate).toBe((0.75 + 0.5) / 2);
  expect(probabilityOfImprovement(other, one, 1).estimate).toBe((0.25 + 0.5) / 2);
  expect(probabilityOfImprovement([[5, 6]], [[1, 2]], 1)).toEqual({ estimate: 1, low: 1, high: 1 });
});
