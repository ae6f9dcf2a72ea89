import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { benjaminiHochberg } from "./benjamini-hochberg.ts";

describe("benjaminiHochberg", () => {
  it("scales each p by m over its rank, and no smaller p ends above a larger one", () => {
    // Sorted .01 .02 .03 .5 with m = 4: .04, .04, .04, .5.
    expect([...benjaminiHochberg([0.03, 0.5, 0.01, 0.02])]).toEqual([0.04, 0.5, 0.04, 0.04]);
    // .04 · 2 / 1 = .08 is above .05 · 2 / 2 = .05, which the smaller one may have too.
    expect([...benjaminiHochberg([0.04, 0.05])]).toEqual([0.05, 0.05]);
    expect([...benjaminiHochberg([0.7])]).toEqual([0.7]);
    expect([...benjaminiHochberg([])]).toEqual([]);
  });

  it("rejects what the step-up procedure rejects: all up to the largest k with p_(k) ≤ k·α/m", () => {
    const p = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(p, fc.constantFrom(0.01, 0.05, 0.2), (values, alpha) => {
        const sorted = [...values].sort((a, b) => a - b);
        const k = sorted.findLastIndex((value, i) => value * values.length <= (i + 1) * alpha);
        const rejected = benjaminiHochberg(values).filter((value) => value <= alpha);
        // A p just at the border may fall on either side by rounding.
        const border = sorted.some((value, i) => Math.abs((value * values.length) / (i + 1) - alpha) < 1e-12);
        if (!border) expect(rejected).toHaveLength(values.filter((value) => k >= 0 && value <= sorted[k]).length);
      }),
    );
  });

  it("refuses what is no probability", () => {
    expect(() => benjaminiHochberg([0.5, Number.NaN])).toThrow("entry 1 is NaN");
    expect(() => benjaminiHochberg([1.5])).toThrow("entry 0 is 1.5");
  });
});
