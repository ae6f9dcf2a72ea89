import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { pearson, spearman } from "./correlation.ts";
import { midRanks } from "./ranks.ts";

const values = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 2, maxLength: 20 });

describe("midRanks", () => {
  it("shares the mean rank among equals", () => {
    // 7 is 1st; the two 8s hold ranks 2 and 3, so 2.5 each; 9 is 4th.
    expect([...midRanks([8, 7, 9, 8])]).toEqual([2.5, 1, 4, 2.5]);
  });

  it("is 1 + the number below + half the number of equals", () => {
    fc.assert(
      fc.property(values, (a) => {
        const counted = a.map((x) => 0.5 + a.filter((y) => y < x).length + a.filter((y) => y === x).length / 2);
        expect([...midRanks(a)]).toEqual(counted);
      }),
    );
  });
});

describe("pearson", () => {
  it("is cov / (sd · sd)", () => {
    // Deviations (−1, 0, 1) and (−1, 1, 0): 1 / √(2 · 2).
    expect(pearson([1, 2, 3], [4, 6, 5])).toBeCloseTo(0.5, 12);
  });

  it("is NaN for a constant", () => {
    expect(pearson([1, 2], [3, 3])).toBeNaN();
    // The mean of these, added up in float64, is not 0.1.
    const many = Array.from({ length: 1000 }, (_, i) => i % 7);
    expect(
      pearson(
        many,
        many.map(() => 0.1),
      ),
    ).toBeNaN();
  });
});

describe("spearman", () => {
  it("agrees with 1 − 6Σd²/(n(n² − 1)) where nothing is tied", () => {
    // Ranks (1, 2, 3, 4, 5) and (2, 1, 4, 3, 5): Σd² = 4, so 1 − 24/120.
    expect(spearman([10, 20, 30, 40, 50], [2, -7, 40, 3, 1e9])).toBeCloseTo(0.8, 12);
  });

  it("uses mid-ranks where there are ties", () => {
    // Ranks (1.5, 1.5, 3) and (1, 2, 3): deviations (−.5, −.5, 1) and (−1, 0, 1): 1.5 / √(1.5 · 2) = √3/2.
    expect(spearman([0, 0, 5], [1, 2, 3])).toBeCloseTo(Math.sqrt(3) / 2, 12);
  });

  it("is unmoved by any increasing map and turned by a decreasing one", () => {
    fc.assert(
      fc.property(values, values, (a, b) => {
        const n = Math.min(a.length, b.length);
        const [x, y] = [a.slice(0, n), b.slice(0, n)];
        const rho = spearman(x, y);
        expect(spearman(x.map(Math.exp), y)).toEqual(rho);
        if (!Number.isNaN(rho))
          expect(
            spearman(
              x.map((value) => -value),
              y,
            ),
          ).toBeCloseTo(-rho, 12);
      }),
    );
  });

  it("is NaN for a constant", () => {
    expect(spearman([1, 1, 1], [1, 2, 3])).toBeNaN();
  });

  it.each([
    [[], [], "needs two arrays of one length ≥ 1, got 0 and 0"],
    [[1, 2], [1], "needs two arrays of one length ≥ 1, got 2 and 1"],
    [[1, 2], [1, Number.NaN], "entry 1 is NaN"],
    [[Number.POSITIVE_INFINITY, 2], [1, 2], "entry 0 is Infinity"],
  ])("refuses %j and %j", (a, b, message) => {
    expect(() => spearman(a, b)).toThrow(message);
  });
});
