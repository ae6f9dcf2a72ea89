import { describe, expect, it } from "@jest/globals";
import type { Law } from "./law.ts";
import { brokenBy } from "./planted/broken-by.ts";
import {
  type BrokenPiece,
  brokenExplainers,
  brokenPerturbations,
  brokenPolicies,
  certainty,
  SHAPE,
  softmaxPolicy,
  temperedPerturbation,
} from "./planted/decisions.ts";
import { explainerLaws, perturbationLaws, policyLaws, sampleDecisions } from "./policy-laws.ts";

/** The laws hold for `sound`; every broken piece breaks those it names; every law is broken alone by some piece. */
function testLaws<T, P>(
  laws: readonly Law<T>[],
  subject: (piece: P) => T,
  sound: P,
  broken: readonly BrokenPiece<P>[],
) {
  it.each(laws)("a sound one obeys: $name", ({ run }) => run(subject(sound)));
  it.each(broken)("one with $bug breaks the law it should, and no other", ({ piece, breaks }) => {
    expect(brokenBy(laws, subject(piece))).toEqual(breaks);
  });
  it.each(laws)("is broken on purpose, and alone: $name", ({ name }) => {
    expect(broken.filter(({ breaks }) => breaks.length === 1 && breaks[0] === name)).not.toHaveLength(0);
  });
}

describe("policyLaws", () => {
  testLaws(policyLaws, (policy) => ({ policy, shape: SHAPE }), softmaxPolicy, brokenPolicies);
});

describe("perturbationLaws", () => {
  testLaws(
    perturbationLaws,
    (perturbation) => ({ perturbation, shape: SHAPE }),
    temperedPerturbation,
    brokenPerturbations,
  );
});

describe("explainerLaws", () => {
  testLaws(explainerLaws, (make) => ({ make, shape: SHAPE }), certainty, brokenExplainers);
});

describe("sampleDecisions", () => {
  const { count, observations, legal, policy, perturbation } = sampleDecisions(SHAPE, 1);
  const A = SHAPE.actions;
  const rows = Array.from({ length: count }, (_, row) => row);
  const legalIn = (row: number) => legal.subarray(row * A, (row + 1) * A).reduce((sum, bit) => sum + bit, 0);

  it("covers forced and free decisions, the last one forced", () => {
    const counts = new Set(rows.map(legalIn));
    expect([...counts].sort()).toEqual([1, 2, 3, 4]);
    expect(legalIn(count - 1)).toBe(1);
    expect(observations.every((x) => x >= 0 && x < 1)).toBe(true);
  });

  it("gives each row a policy that sums to 1 and a uniform perturbation", () => {
    for (const row of rows) {
      let sum = 0;
      for (let a = 0; a < A; a++) {
        const at = row * A + a;
        sum += Math.exp(policy[at]);
        expect(perturbation[at]).toBe(legal[at] ? Math.fround(-Math.log(legalIn(row))) : -1e9);
      }
      expect(sum).toBeCloseTo(1, 6);
    }
  });
});
