import { describe, expect, it } from "@jest/globals";
import { discrete, type Explainer, ILLEGAL } from "@magic-mask/core";
import { gatedPolicy } from "./gated-policy.ts";
import { always, tablePolicy } from "./test-worlds.ts";

/** Scores a one-hot observation by its node. */
const byNode = (scores: number[]): Explainer => ({
  name: "planted",
  score({ count, observations }, criticality, spread) {
    for (let row = 0; row < count; row++) {
      criticality[row] = scores[observations.subarray(row * scores.length, (row + 1) * scores.length).indexOf(1)];
      spread[row] = Number.NaN;
    }
  },
});

describe("gatedPolicy", () => {
  const policy = tablePolicy(Array(4).fill([0.75, 0.25]));
  // Nodes 0 … 3, one row each; node 3 is forced.
  const batch = {
    count: 4,
    observations: Float32Array.from({ length: 16 }, (_, at) => (at % 5 === 0 ? 1 : 0)),
    legal: Uint8Array.of(1, 1, 1, 1, 1, 1, 1, 0),
  };
  const gated = (scores: number[], threshold: number, ties: number) =>
    gatedPolicy(policy, {
      agent: 0,
      space: discrete(2),
      observation: 4,
      perturbation: always(1, 2),
      explainer: byNode(scores),
      gate: { threshold, ties },
    });

  it("plays ν above the threshold, π below, a mixture at it", () => {
    const parameters = new Float32Array(8);
    const values = new Float32Array(4);
    const wrapped = gated([9, 5, 1, 9], 5, 0.4);
    wrapped.evaluate(batch, parameters, values);
    expect([...parameters.subarray(0, 2)]).toEqual([Math.fround(ILLEGAL), 0]);
    // At the threshold: .6·(.75, .25) + .4·(0, 1) = (.45, .55).
    expect(Math.exp(parameters[2])).toBeCloseTo(0.45, 6);
    expect(Math.exp(parameters[3])).toBeCloseTo(0.55, 6);
    expect(Math.exp(parameters[4])).toBeCloseTo(0.75, 6);
    // The forced row is left alone, however high its score.
    expect(Math.exp(parameters[6])).toBeCloseTo(0.75, 6);
  });

  it("counts decisions, never forced moves, and a tie as its share", () => {
    const wrapped = gated([9, 5, 1, 9], 5, 0.4);
    wrapped.evaluate(batch, new Float32Array(8), new Float32Array(4));
    wrapped.evaluate({ ...batch, count: 1 }, new Float32Array(8), new Float32Array(4));
    expect(wrapped.scores).toEqual([9, 5, 1, 9]);
    expect(wrapped.blinded()).toBeCloseTo(1.4 + 1, 12);
  });

  it("is the policy itself behind an open gate and ν behind a shut one", () => {
    const plain = new Float32Array(8);
    const open = new Float32Array(8);
    const shut = new Float32Array(8);
    policy.evaluate(batch, plain, new Float32Array(4));
    gated([9, 5, 1, 9], Number.POSITIVE_INFINITY, 0).evaluate(batch, open, new Float32Array(4));
    gated([9, 5, 1, 9], Number.NEGATIVE_INFINITY, 0).evaluate(batch, shut, new Float32Array(4));
    expect(open).toEqual(plain);
    expect([...shut.subarray(0, 6)]).toEqual([0, 1, 2].flatMap(() => [Math.fround(ILLEGAL), 0]));
  });

  it("refuses a score that is NaN, but not on a forced move", () => {
    expect(() => gated([9, Number.NaN, 1, 9], 5, 0).evaluate(batch, new Float32Array(8), new Float32Array(4))).toThrow(
      "[metrics/gated-policy] planted scored a decision NaN",
    );
    gated([9, 5, 1, Number.NaN], 5, 0).evaluate(batch, new Float32Array(8), new Float32Array(4));
  });
});
