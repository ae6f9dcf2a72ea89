import { describe, expect, it } from "@jest/globals";
import type { Decisions, Explainer } from "@magic-mask/core";
import { stackExplainers } from "./stack.ts";

/** An explainer that reads its score from the observation, times `factor`. */
const reader = (name: string, feature: number, factor: number, sd = Number.NaN): Explainer => ({
  name,
  score({ count, observations }, criticality, spread) {
    for (let b = 0; b < count; b++) criticality[b] = factor * observations[2 * b + feature];
    spread.fill(sd, 0, count);
  },
});
const decisions = (...observations: number[][]): Decisions => ({
  agent: 0,
  count: observations.length,
  observations: Float32Array.from(observations.flat()),
  legal: new Uint8Array(0),
  policy: new Float32Array(0),
  perturbation: new Float32Array(0),
});
// Feature 0: −1, 0, 1, standard deviation 1. Feature 1: 0, 3, 6, standard deviation 3.
const reference = decisions([-1, 0], [0, 3], [1, 6]);
const score = (explainer: Explainer, on: Decisions) => {
  const criticality = new Float32Array(on.count);
  const spread = new Float32Array(on.count);
  explainer.score(on, criticality, spread);
  return { criticality: Array.from(criticality), spread: Array.from(spread) };
};

describe("stack", () => {
  it("weighs explainers after bringing each to unit standard deviation", () => {
    const explainers = [reader("own", 0, 100), reader("record_head", 1, 0.5)];
    const stack = stackExplainers({ explainers, reference });
    expect(stack.name).toBe("own+record_head");
    // ½·2 + ½·(9/3) = 2.5, whatever the factors.
    expect(score(stack, decisions([2, 9], [0, -3])).criticality).toEqual([2.5, -0.5]);
    // Weights 3 : 1: ¾·2 + ¼·3 = 2.25.
    expect(score(stackExplainers({ explainers, reference, weights: [3, 1] }), decisions([2, 9])).criticality).toEqual([
      2.25,
    ]);
  });

  it("adds spreads as independent errors, and knows none where one is unknown", () => {
    // Scaled: ½·3/1 and ½·12/3; √(1.5² + 2²) = 2.5.
    const known = [reader("a", 0, 1, 3), reader("b", 1, 1, 12)];
    expect(score(stackExplainers({ explainers: known, reference }), decisions([0, 0])).spread).toEqual([2.5]);
    const unknown = [known[0], reader("b", 1, 1)];
    expect(score(stackExplainers({ explainers: unknown, reference }), decisions([0, 0])).spread).toEqual([Number.NaN]);
    expect(
      score(stackExplainers({ explainers: unknown, reference, weights: [1, 0] }), decisions([0, 0])).spread,
    ).toEqual([3]);
  });

  it("gives no say to an explainer that tells nothing apart", () => {
    const explainers = [reader("a", 0, 1), reader("constant", 1, 0)];
    expect(score(stackExplainers({ explainers, reference }), decisions([4, 5])).criticality).toEqual([2]);
  });

  it("refuses weights and references that do not serve", () => {
    const explainers = [reader("a", 0, 1), reader("b", 1, 1)];
    for (const weights of [[1], [0, 0], [1, -1], [1, Number.NaN]]) {
      expect(() => stackExplainers({ explainers, reference, weights })).toThrow("weights must be 2 numbers ≥ 0");
    }
    expect(() => stackExplainers({ explainers, reference: decisions([0, 0]) })).toThrow(
      "at least two reference decisions, got 1",
    );
  });
});
