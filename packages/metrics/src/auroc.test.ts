import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { auroc } from "./auroc.ts";

describe("auroc", () => {
  it("counts the pairs that are in order", () => {
    // The top 2 of 5 are the truths 9 and 8, scored .7 and .3; the others score .5, .1, .1.
    // .7 beats all three, .3 beats two: 5 of 6 pairs.
    expect(auroc([0.7, 0.5, 0.3, 0.1, 0.1], [9, 1, 8, 2, 3], { top: 0.4 })).toBeCloseTo(5 / 6, 12);
  });

  it("counts a tied score ½", () => {
    // The one positive ties with one of three negatives and beats the other two: 2.5 of 3.
    expect(auroc([4, 4, 1, 2], [10, 0, 0, 1], { top: 0.25 })).toBeCloseTo(2.5 / 3, 12);
  });

  it("shares credit among truths tied at the cut", () => {
    // Top 1 of 3, but the first two are tied: half the time the first (beats both: 1), half the time the second (beats
    // one of two: ½).
    expect(auroc([3, 2, 1], [5, 5, 0], { top: 1 / 3 })).toBeCloseTo(0.75, 12);
  });

  it("is 1, 0 and ½ for perfect, reversed and constant scores", () => {
    const truth = Array.from({ length: 50 }, (_, i) => (i * 37) % 50);
    expect(auroc(truth, truth)).toBe(1);
    expect(
      auroc(
        truth.map((x) => -x),
        truth,
      ),
    ).toBe(0);
    expect(
      auroc(
        truth.map(() => 3),
        truth,
      ),
    ).toBe(0.5);
  });

  it("equals the mean, over all ways to break the truth's ties, of the share of pairs in order", () => {
    const cases = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 })), {
      minLength: 2,
      maxLength: 7,
    });
    fc.assert(
      fc.property(cases, fc.double({ min: 0.05, max: 0.95, noNaN: true }), (pairs, top) => {
        const scores = pairs.map(([score]) => score);
        const truth = pairs.map(([, value]) => value);
        if (new Set(truth).size === 1) {
          expect(auroc(scores, truth, { top })).toBeNaN();
          return;
        }
        const n = truth.length;
        const k = Math.max(1, Math.min(n - 1, Math.round(top * n)));
        // Every subset of k that holds no truth below one that it leaves out.
        const areas: number[] = [];
        for (let bits = 0; bits < 1 << n; bits++) {
          const inside = truth.map((_, i) => i).filter((i) => bits & (1 << i));
          const outside = truth.map((_, i) => i).filter((i) => !(bits & (1 << i)));
          if (inside.length !== k || inside.some((i) => outside.some((j) => truth[j] > truth[i]))) continue;
          let area = 0;
          for (const i of inside)
            for (const j of outside) area += scores[i] > scores[j] ? 1 : scores[i] === scores[j] ? 0.5 : 0;
          areas.push(area / (k * (n - k)));
        }
        expect(auroc(scores, truth, { top })).toBeCloseTo(
          areas.reduce((sum, area) => sum + area, 0) / areas.length,
          10,
        );
      }),
    );
  });

  it.each([0, 1, -0.1, Number.NaN])("refuses top = %p", (top) => {
    expect(() => auroc([1, 2], [1, 2], { top })).toThrow(`[metrics/auroc] top must be in (0, 1), got ${top}`);
  });

  it("refuses what has no value", () => {
    expect(() => auroc([1, Number.NaN], [1, 2])).toThrow("[metrics/auroc] entry 1 is NaN");
    expect(() => auroc([], [])).toThrow("needs two arrays of one length");
  });
});
