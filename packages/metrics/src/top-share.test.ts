import { describe, expect, it } from "@jest/globals";
import { stream } from "@magic-mask/core";
import { topOverlap } from "./index.ts";

describe("topOverlap", () => {
  it("is the share of one's highest that is among the other's", () => {
    // Of eight, a quarter is two: 7 and 6 by a, 7 and 0 by b.
    const a = [0, 1, 2, 3, 4, 5, 6, 7];
    expect(topOverlap(a, [6, 1, 2, 3, 4, 5, 0, 7], 0.25)).toBe(0.5);
    expect(topOverlap(a, a, 0.25)).toBe(1);
    expect(topOverlap(a, [...a].reverse(), 0.25)).toBe(0);
  });

  it("shares what is tied at the cut", () => {
    // By b one is highest and the other seven are equal, each with 1/7 of the second place.
    expect(topOverlap([0, 1, 2, 3, 4, 5, 6, 7], [0, 0, 0, 0, 0, 0, 0, 9], 0.25)).toBeCloseTo((1 + 1 / 7) / 2, 12);
  });

  it("is the share asked for where the two have nothing to do with each other", () => {
    const random = stream(1);
    const draw = () => Float64Array.from({ length: 20_000 }, () => random.uniform());
    // 2000 of 20,000: 200 expected, standard deviation √(2000 · .1 · .9 · .9) = 13.
    expect(Math.abs(topOverlap(draw(), draw()) - 0.1)).toBeLessThan(4 * (13 / 2000));
  });

  it("knows nothing where nothing is highest, and refuses what cannot be compared", () => {
    expect(topOverlap([1, 1, 1], [1, 2, 3])).toBeNaN();
    expect(topOverlap([1, 2, 3], [1, 1, 1])).toBeNaN();
    expect(() => topOverlap([1, 2], [1])).toThrow(expect.objectContaining({ code: "shape-mismatch" }));
    expect(() => topOverlap([1, 2], [1, 2], 1)).toThrow(expect.objectContaining({ code: "invalid-option" }));
  });
});
