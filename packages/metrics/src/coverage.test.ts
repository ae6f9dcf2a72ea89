import { expect, it } from "@jest/globals";
import { coverage } from "./coverage.ts";

it("counts what the gate m ≤ τ blinds, the threshold itself included", () => {
  // 0 and .5 are at or below .5; E[m] = 2.4/4.
  expect(coverage([0, 0.5, 0.9, 1], 0.5)).toEqual({ blinded: 0.5, mean: 0.6 });
});

it("refuses no steps", () => {
  expect(() => coverage([], 0.5)).toThrow("[metrics/coverage] needs at least 1 step, got 0");
});
