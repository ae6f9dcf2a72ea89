import { describe, expect, it } from "@jest/globals";
import type { Decisions } from "@magic-mask/core";
import { stream } from "@magic-mask/core";
import fc from "fast-check";
import { maskGate } from "./gate.ts";
import type { MaskLearner } from "./objectives/objective.ts";
import { rankMask } from "./rank-mask.ts";

const remembering = (values: readonly number[], capacity?: number) => {
  const ranks = rankMask(capacity);
  ranks.observe(Float32Array.from(values), values.length);
  return ranks;
};

describe("the rank of a criticality", () => {
  it("is the share of states below it, ties counting half", () => {
    const ranks = remembering([3, 1, 2, 2]);
    // Below and up to it: 0 and 0, 0 and 1, 1 and 1, 1 and 3, 3 and 3, 3 and 4, 4 and 4 of 4; halfway between.
    expect([0, 1, 1.5, 2, 2.5, 3, 4].map(ranks.rank)).toEqual([0, 1 / 8, 1 / 4, 1 / 2, 3 / 4, 7 / 8, 1]);
  });

  it("is ½ while nothing is known, and for all where all are equal", () => {
    expect(rankMask().rank(7)).toBe(0.5);
    expect(remembering([4, 4, 4]).rank(4)).toBe(0.5);
  });

  it("finds a number that float32 has rounded equal to itself", () => {
    expect(remembering([0.1, 0.2]).rank(0.1)).toBe(1 / 4);
  });

  it("is the mid-rank by counting, for any numbers", () => {
    const numbers = fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(numbers, fc.integer({ min: -5, max: 5 }), (values, x) => {
        const [below, equal] = [values.filter((v) => v < x).length, values.filter((v) => v === x).length];
        expect(remembering(values).rank(x)).toBeCloseTo((below + equal / 2) / values.length, 12);
      }),
    );
  });

  it("forgets the oldest states first", () => {
    const ranks = remembering([10, 20, 1, 2, 3], 3);
    expect([0, 1, 2, 3, 15].map(ranks.rank)).toEqual([0, 1 / 6, 1 / 2, 5 / 6, 1]);
    ranks.observe(Float32Array.of(30, 99), 1);
    // 1 made way for 30.
    expect([1, 2, 25].map(ranks.rank)).toEqual([0, 1 / 6, 2 / 3]);
  });

  it("is kept by a saved state, and the order of forgetting too", () => {
    const first = remembering([1, 2, 3, 4], 3);
    const second = rankMask(3);
    second.restoreState(structuredClone(first.exportState()));
    for (const ranks of [first, second]) ranks.observe(Float32Array.of(10), 1);
    expect([2, 3, 4, 10].map(second.rank)).toEqual([2, 3, 4, 10].map(first.rank));
    expect(second.rank(2)).toBe(0);
  });

  it("needs room for a state", () => {
    expect(() => rankMask(0)).toThrow(expect.objectContaining({ code: "invalid-option" }));
  });
});

describe("acting by the mask", () => {
  const random = stream("criticality");
  const criticality = Float32Array.from({ length: 1000 }, () => random.normal());
  const ranks = remembering([...criticality]);
  const masked = (mask: (row: number) => number): MaskLearner =>
    ({
      mask: ({ count }: Decisions, out: Float32Array) => {
        for (let row = 0; row < count; row++) out[row] = mask(row);
      },
    }) as unknown as MaskLearner;
  const decisions = (agent: number, count = criticality.length) => ({ agent, count }) as Decisions;

  it.each([0.1, 0.25, 0.5, 0.9])(
    "blinds exactly the share %p of states that were ranked, those with least at stake",
    (threshold) => {
      const gate = maskGate([masked((row) => ranks.rank(criticality[row]))], threshold);
      const blinded = new Uint8Array(1000);
      gate(decisions(0), blinded);
      expect(blinded.reduce((a, b) => a + b, 0)).toBe(threshold * 1000);
      const highest = Math.max(...criticality.filter((_, row) => blinded[row]));
      expect(criticality.filter((x, row) => !blinded[row] && x <= highest).length).toBe(0);
      // Uniform in [0, 1]: mean ½ exactly.
      expect(criticality.reduce((sum, x) => sum + ranks.rank(x), 0) / 1000).toBeCloseTo(0.5, 12);
    },
  );

  it("blinds at the threshold itself, and asks the agent's own mask", () => {
    const gate = maskGate([masked((row) => [0.2, 0.5, 0.7][row]), masked(() => 1)], 0.5);
    const blinded = new Uint8Array(4).fill(9);
    gate(decisions(0, 3), blinded);
    expect([...blinded]).toEqual([1, 1, 0, 9]);
    gate(decisions(1, 3), blinded);
    expect([...blinded]).toEqual([0, 0, 0, 9]);
  });

  it.each([1.5, -0.1, Number.NaN])("refuses the threshold %p", (threshold) => {
    expect(() => maskGate([], threshold)).toThrow(expect.objectContaining({ code: "invalid-option" }));
  });
});
