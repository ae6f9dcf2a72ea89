import { describe, expect, it } from "@jest/globals";
import { normalBelow, normalQuantile } from "./normal.ts";

describe("normal", () => {
  // scipy.stats.norm.cdf, 1.15
  it.each([
    [-6, 9.865876450376946e-10],
    [-4.1, 2.0657506912546717e-5],
    [-3.9, 4.8096344017602614e-5],
    [-1, 0.15865525393145707],
    [0, 0.5],
    [0.5, 0.6914624612740131],
    [2, 0.9772498680518208],
    [4.5, 0.9999966023268753],
  ])("has P(Z ≤ %f)", (x, p) => {
    expect(Math.abs(normalBelow(x) / p - 1)).toBeLessThan(1e-9);
  });

  it.each([
    [0.5, 0],
    [0.9, 1.2815515655446004],
    [0.975, 1.959963984540054],
    [1e-6, -4.753424308822899],
  ])("has the quantile of %f", (p, x) => {
    expect(normalQuantile(p)).toBeCloseTo(x, 9);
  });
});
