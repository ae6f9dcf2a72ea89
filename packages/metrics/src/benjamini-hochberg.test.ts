import { describe, expect, it } from "@jest/globals";
import { stream } from "@magic-mask/core";
import fc from "fast-check";
import { benjaminiHochberg } from "./benjamini-hochberg.ts";
import { normalBelow } from "./normal.ts";

describe("benjaminiHochberg", () => {
  it("scales each p by m over its rank, and no smaller p ends above a larger one", () => {
    // Sorted .01 .02 .03 .5 with m = 4: .04, .04, .04, .5.
    const adjusted = benjaminiHochberg([0.03, 0.5, 0.01, 0.02]);
    [0.04, 0.5, 0.04, 0.04].forEach((wanted, i) => {
      expect(adjusted[i]).toBeCloseTo(wanted, 12);
    });
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

  it("follows the example of its authors", () => {
    // Benjamini & Hochberg 1995, §3.2: 15 p-values, of which the procedure rejects the first four at .05.
    const p = [
      0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528, 0.759, 1,
    ];
    expect([...benjaminiHochberg(p)].map((q) => q <= 0.05)).toEqual(p.map((_, i) => i < 4));
    // .0095·15/4
    expect(benjaminiHochberg(p)[3]).toBeCloseTo(0.035625, 12);
  });

  it("agrees with scipy.stats.false_discovery_control", () => {
    const p = [
      0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216, 0.222, 0.251, 0.269, 0.275, 0.34, 0.341,
      0.384, 0.569, 0.594, 0.696, 0.762, 0.94, 0.942, 0.975, 0.986,
    ];
    const wanted = [
      0.025, 0.1, 0.21, 0.21, 0.21, 0.25, 0.264285714286, 0.491071428571, 0.491071428571, 0.491071428571,
      0.491071428571, 0.491071428571, 0.491071428571, 0.491071428571, 0.5328125, 0.5328125, 0.564705882353,
      0.781578947368, 0.781578947368, 0.87, 0.907142857143, 0.986, 0.986, 0.986, 0.986,
    ];
    const order = p.map((_, i) => (i * 7) % 25);
    const adjusted = benjaminiHochberg(order.map((i) => p[i]));
    order.forEach((i, at) => {
      expect(adjusted[at]).toBeCloseTo(wanted[i], 11);
    });
  });

  it("keeps the order of the p-values, is never below them, and does not depend on their places", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 30 }), (p) => {
        const q = benjaminiHochberg(p);
        p.forEach((value, i) => {
          expect(q[i]).toBeGreaterThanOrEqual(value);
          expect(q[i]).toBeLessThanOrEqual(1);
          p.forEach((other, j) => {
            if (value < other) expect(q[i]).toBeLessThanOrEqual(q[j]);
          });
        });
        expect(benjaminiHochberg([...p].reverse())).toEqual(q.reverse());
      }),
    );
  });

  it("controls the false discovery rate at π₀·α and less of it than picking at α does", () => {
    // 40 of 50 hypotheses are true; p of the others from a mean of 3 standard errors. BH at .2 has a rate of .8·.2 = .16 for
    // independent p-values (its theorem); 400 simulations leave a standard error below .01.
    const random = stream(5, "fdr");
    let [controlled, naive] = [0, 0];
    for (let run = 0; run < 400; run++) {
      const p = Float64Array.from({ length: 50 }, (_, i) => 1 - normalBelow(random.normal() + (i < 40 ? 0 : 3)));
      const share = (rejected: (i: number) => boolean) => {
        const found = [...p.keys()].filter(rejected);
        return found.length === 0 ? 0 : found.filter((i) => i < 40).length / found.length;
      };
      const q = benjaminiHochberg(p);
      controlled += share((i) => q[i] <= 0.2) / 400;
      naive += share((i) => p[i] <= 0.2) / 400;
    }
    expect(Math.abs(controlled - 0.16)).toBeLessThan(0.03);
    expect(naive).toBeGreaterThan(0.35);
  });

  it.each([
    [[0.5, 1.1], "a p-value must be in [0, 1], got 1.1 at entry 1"],
    [[Number.NaN], "got NaN at entry 0"],
  ])("refuses %j", (p, message) => {
    expect(() => benjaminiHochberg(p)).toThrow(message);
  });
});
