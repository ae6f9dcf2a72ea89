import { describe, expect, it } from "@jest/globals";
import { stream } from "@magic-mask/core";
import fc from "fast-check";
import { rankMask } from "./rank-mask.ts";

const among = (values: readonly number[]) => {
  const ranks = rankMask();
  ranks.learn(Float32Array.from(values));
  return ranks;
};

describe("the rank of a criticality", () => {
  it("is the share of states below it, ties counting half", () => {
    const ranks = among([3, 1, 2, 2]);
    // Below and up to it: 0 and 0, 0 and 1, 1 and 1, 1 and 3, 3 and 3, 3 and 4, 4 and 4 of 4; halfway between.
    expect([0, 1, 1.5, 2, 2.5, 3, 4].map(ranks.rank)).toEqual([0, 1 / 8, 1 / 4, 1 / 2, 3 / 4, 7 / 8, 1]);
  });

  it("is ½ while nothing is known, and for all where all are equal", () => {
    expect(rankMask().rank(7)).toBe(0.5);
    expect(among([4, 4, 4]).rank(4)).toBe(0.5);
  });

  it("finds a number that float32 has rounded equal to itself", () => {
    expect(among([0.1, 0.2]).rank(0.1)).toBe(1 / 4);
  });

  it("is the mid-rank by counting, for any numbers", () => {
    const numbers = fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(numbers, fc.integer({ min: -5, max: 5 }), (values, x) => {
        const [below, equal] = [values.filter((v) => v < x).length, values.filter((v) => v === x).length];
        expect(among(values).rank(x)).toBeCloseTo((below + equal / 2) / values.length, 12);
      }),
    );
  });

  it("forgets all earlier states: scores of other weights are on another scale", () => {
    const ranks = among([100, 200, 300]);
    ranks.learn(Float32Array.of(1, 2));
    expect([0, 1, 1.5, 2, 3].map(ranks.rank)).toEqual([0, 1 / 4, 1 / 2, 3 / 4, 1]);
  });

  it("is kept by a saved state", () => {
    const first = among([3, 1, 2]);
    const second = rankMask();
    second.restoreState(structuredClone(first.exportState()));
    first.learn(Float32Array.of(9));
    expect([0, 1, 2, 3].map(second.rank)).toEqual([0, 1 / 6, 1 / 2, 5 / 6]);
  });

  it("keeps no array that it is given", () => {
    const given = Float32Array.of(1, 2);
    const ranks = rankMask();
    ranks.learn(given);
    given.fill(0);
    expect(ranks.rank(1)).toBe(1 / 4);
  });
});

describe("a threshold on ranks", () => {
  const random = stream("criticality");
  const criticality = Float32Array.from({ length: 1000 }, () => random.normal());
  const ranks = among([...criticality]);

  it.each([0.1, 0.25, 0.5, 0.9])(
    "is above exactly the share %p of states that were ranked, those with least at stake",
    (threshold) => {
      const isBelow = Array.from(criticality, (x) => ranks.rank(x) <= threshold);
      expect(isBelow.filter(Boolean).length).toBe(threshold * 1000);
      const highest = Math.max(...criticality.filter((_, row) => isBelow[row]));
      expect(criticality.filter((x, row) => !isBelow[row] && x <= highest).length).toBe(0);
      // Uniform in [0, 1]: mean ½ exactly.
      expect(criticality.reduce((sum, x) => sum + ranks.rank(x), 0) / 1000).toBeCloseTo(0.5, 12);
    },
  );
});
