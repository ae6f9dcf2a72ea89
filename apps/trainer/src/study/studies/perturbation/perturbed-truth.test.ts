import { expect, it } from "@jest/globals";
import { discrete } from "@magic-mask/core";
import { secondChoice, uniform } from "@magic-mask/masking";
import type { TruthSet } from "../../../compare/truth.ts";
import { perturbedTruth } from "./perturbed-truth.ts";

const [NOT, LN] = [Number.NEGATIVE_INFINITY, Math.log];
/** Two decisions over three actions, of which the second one lacks the last. */
const set = {
  states: {
    count: 2,
    decisions: {
      agent: 0,
      count: 2,
      observations: new Float32Array(0),
      legal: Uint8Array.of(1, 1, 1, 1, 1, 0),
      policy: Float32Array.of(LN(0.5), LN(0.3), LN(0.2), LN(0.9), LN(0.1), NOT),
      perturbation: new Float32Array(6),
    },
  },
  truth: {
    q: Float64Array.of(4, 2, -3, 1, -1, Number.NaN),
    qStandardError: Float64Array.of(0.6, 0, 0, 0, 0, Number.NaN),
  },
} as unknown as TruthSet;

it("is what ν loses against π by the values of all actions", () => {
  const even = perturbedTruth(set, uniform(discrete(3)));
  // ½·4 + .3·2 − .2·3 − (4 + 2 − 3)/3 = 1;  .9 − .1 − 0 = .8
  expect([...even.criticality]).toEqual([1, 0.8].map((x) => expect.closeTo(x, 6)));
  // Errors: ((½ − ⅓)·.6)² = .01 of one of two decisions; their Δ lie .1 from the middle: .005/.01.
  expect(even.noise).toBeCloseTo(0.5, 4);
  const uneven = (LN(0.5) + LN(0.3) + LN(0.2)) / 3;
  expect(even.plausibility).toBeCloseTo((uneven + (LN(0.9) + LN(0.1)) / 2) / 2, 6);

  const second = perturbedTruth(set, secondChoice(discrete(3)));
  // What the second best action loses: 2 − 2; .8 + 1.
  expect([...second.criticality]).toEqual([0, 1.8].map((x) => expect.closeTo(x, 6)));
  expect(second.plausibility).toBeCloseTo((LN(0.3) + LN(0.1)) / 2, 6);
  expect(second.states.decisions.perturbation[1]).toBeCloseTo(0, 12);
  expect(set.states.decisions.perturbation[1]).toBe(0);
});
