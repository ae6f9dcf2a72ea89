import { describe, expect, it } from "@jest/globals";
import { stream } from "@magic-mask/core";
import { pairedTInterval, tInterval, tPValue, tQuantile } from "./t-interval.ts";

describe("tQuantile", () => {
  // From the tables, to more places by stdlib's inverse incomplete beta function.
  it.each([
    [1, 0.95, 12.706204736174694],
    [2, 0.95, 4.302652729749462],
    [3, 0.9, 2.3533634348018224],
    [4, 0.95, 2.776445105197794],
    [9, 0.95, 2.262157162798205],
    [30, 0.99, 2.749995653567225],
    [199, 0.95, 1.9719565442517535],
  ])("with %i degrees of freedom at %f is %f", (freedom, level, expected) => {
    expect(tQuantile(freedom, level)).toBeCloseTo(expected, 9);
  });

  it("has the closed forms for 1 and 2", () => {
    // ν = 1: P = (2/π)·atan t, so t = tan(level·π/2); ν = 2: P = t/√(2 + t²), so t = level·√(2/(1 − level²)).
    expect(tQuantile(1, 0.3)).toBeCloseTo(Math.tan(0.15 * Math.PI), 12);
    expect(tQuantile(2, 0.3)).toBeCloseTo(0.3 * Math.sqrt(2 / 0.91), 12);
  });
});

describe("tPValue", () => {
  it("is what the quantile leaves out, on either side", () => {
    for (const [freedom, level] of [
      [1, 0.3],
      [4, 0.95],
      [199, 0.999],
    ]) {
      expect(tPValue(tQuantile(freedom, level), freedom)).toBeCloseTo(1 - level, 9);
      expect(tPValue(-tQuantile(freedom, level), freedom)).toBeCloseTo(1 - level, 9);
    }
  });

  it("is 1 for no difference, 0 for one without spread, and has the closed form for ν = 1", () => {
    expect(tPValue(0, 7)).toBe(1);
    expect(tPValue(Number.POSITIVE_INFINITY, 7)).toBeCloseTo(0, 12);
    // 1 − (2/π)·atan 1 = ½.
    expect(tPValue(1, 1)).toBeCloseTo(0.5, 12);
    expect(() => tPValue(Number.NaN, 7)).toThrow("t is NaN");
  });
});

describe("tInterval", () => {
  it("is x̄ ± t·s/√n", () => {
    // x̄ = 3, s² = 10/4, t₄ = 2.776445: 2.776445·√(2.5/5) = 1.963243.
    const { estimate, low, high } = tInterval([1, 2, 3, 4, 5]);
    expect(estimate).toBeCloseTo(3, 12);
    expect(high - 3).toBeCloseTo(1.963243, 6);
    expect(3 - low).toBeCloseTo(1.963243, 6);
  });

  it("covers the mean of 3 normals as often as asked", () => {
    const { normal } = stream(2, "seeds");
    let hits = 0;
    for (let run = 0; run < 2000; run++) {
      const { low, high } = tInterval([normal(), normal(), normal()]);
      if (low <= 0 && high >= 0) hits++;
    }
    // Four standard errors are 4·√(.95·.05/2000) = .0195.
    expect(Math.abs(hits / 2000 - 0.95)).toBeLessThan(0.0195);
  });

  it("takes the difference first where values are paired", () => {
    // Differences 1, 1, 1, 2: mean 1.25, s² = .25, t₃ at .9 = 2.353363: margin 2.353363·.5/2.
    const { estimate, high } = pairedTInterval([11, 21, 31, 42], [10, 20, 30, 40], 0.9);
    expect(estimate).toBeCloseTo(1.25, 12);
    expect(high - estimate).toBeCloseTo(0.588341, 6);
  });

  it("refuses one value, NaN and unpaired values", () => {
    expect(() => tInterval([1])).toThrow("[metrics/t-interval] needs at least 2 values to know their spread, got 1");
    expect(() => tInterval([1, Number.NaN])).toThrow("entry 1 is NaN");
    expect(() => pairedTInterval([1, 2], [1])).toThrow("needs two arrays of one length");
    expect(() => tInterval([1, 2], 95)).toThrow("level must be in (0, 1), got 95");
  });
});
