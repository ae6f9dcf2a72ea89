import { describe, expect, it } from "@jest/globals";
import { type Decisions, type Explainer, ILLEGAL } from "@magic-mask/core";
import { explainerLaws } from "@magic-mask/core/testing";
import { controls } from "../index.ts";
import { entropy } from "./entropy.ts";
import { logProbGap } from "./log-prob-gap.ts";
import { random } from "./random.ts";

const SHAPE = { observation: 5, actions: 4 };
const lawsOf = <T extends { readonly name: string }>(laws: readonly T[]) => laws.map((law) => [law.name, law] as const);

const LISTS = { ...SHAPE, features: 3 };

describe.each(Object.entries(controls))("the control %s", (_, make) => {
  it.each(lawsOf(explainerLaws))("%s", (_name, law) => {
    for (const shape of [SHAPE, LISTS]) law.run({ make: () => make({ actions: 4, seed: 1 }), shape });
  });
});

/** Decisions with three actions each, from probabilities; 0 = illegal. */
function decisionsOf(rows: readonly (readonly [pi: readonly number[], nu: readonly number[]])[]): Decisions {
  const logs = (pick: 0 | 1) =>
    Float32Array.from(rows.flatMap((row) => row[pick].map((p) => (p > 0 ? Math.log(p) : ILLEGAL))));
  const legal = Uint8Array.from(rows.flatMap(([pi]) => pi.map((p) => (p > 0 ? 1 : 0))));
  return {
    agent: 0,
    count: rows.length,
    observations: new Float32Array(rows.length),
    legal,
    policy: logs(0),
    perturbation: logs(1),
  };
}

function scored(explainer: Explainer, decisions: Decisions) {
  const [criticality, spread] = [new Float32Array(decisions.count), new Float32Array(decisions.count)];
  explainer.score(decisions, criticality, spread);
  expect([...spread].every(Number.isNaN)).toBe(true);
  return [...criticality];
}

const HALF = [0.5, 0.5, 0];
const THIRD = [1 / 3, 1 / 3, 1 / 3];

describe("entropy", () => {
  it("takes a sure policy to be at its most critical", () => {
    // −H: of two equal actions −ln 2, of one 0, of (½, ¼, ¼) −(½ ln 2 + ½ ln 4) = −1.5 ln 2
    const [two, one, mixed] = scored(
      entropy({ actions: 3 }),
      decisionsOf([
        [HALF, HALF],
        [
          [0, 1, 0],
          [0, 1, 0],
        ],
        [[0.5, 0.25, 0.25], THIRD],
      ]),
    );
    expect(two).toBeCloseTo(-Math.LN2, 6);
    expect(one).toBeCloseTo(0, 6);
    expect(mixed).toBeCloseTo(-1.5 * Math.LN2, 6);
  });
});

describe("log_prob_gap", () => {
  it("is what the policy believes to lose, were ln π an advantage", () => {
    const explainer = logProbGap({ actions: 3 });
    const rows: [number[], number[]][] = [
      // (¾ − ½)·ln ¾ + (¼ − ½)·ln ¼ = ¼·ln 3; the illegal third is outside the sum
      [[0.75, 0.25, 0], HALF],
      // π = ν: nothing is lost
      [THIRD, THIRD],
      // (½ − ⅓)·ln ½ + 2·(¼ − ⅓)·ln ¼ = −⅙·ln 2 + ⅓·ln 2 = ⅙·ln 2
      [[0.5, 0.25, 0.25], THIRD],
    ];
    const [first, second, third] = scored(explainer, decisionsOf(rows));
    expect(first).toBeCloseTo(Math.log(3) / 4, 6);
    expect(second).toBeCloseTo(0, 6);
    expect(third).toBeCloseTo(Math.LN2 / 6, 6);
  });

  it("stays finite where a legal action has probability 0", () => {
    const decisions = decisionsOf([
      [[0.5, 0.5, 1], THIRD],
      [[0.5, 0.5, 1], THIRD],
    ]);
    decisions.policy[2] = Number.NEGATIVE_INFINITY;
    decisions.policy[5] = ILLEGAL;
    // ln 0 counts as −100: 2·(½ − ⅓)·ln ½ + (0 − ⅓)·(−100) = −⅓·ln 2 + 100/3
    for (const x of scored(logProbGap({ actions: 3 }), decisions)) expect(x).toBeCloseTo(100 / 3 - Math.LN2 / 3, 4);
  });
});

describe("random", () => {
  it("is uniform and its seed's", () => {
    const decisions = { ...decisionsOf([]), count: 4000 };
    const scores = scored(random({ seed: 1 }), decisions);
    expect(scored(random({ seed: 1 }), decisions)).toEqual(scores);
    expect(scored(random({ seed: 2 }), decisions)).not.toEqual(scores);
    // Mean ½ ± 4·√(1/12 / 4000) = .018, and a tenth in each tenth ± 4·√(.09/4000) = .019
    expect(Math.abs(scores.reduce((a, b) => a + b) / 4000 - 0.5)).toBeLessThan(0.018);
    for (let tenth = 0; tenth < 10; tenth++) {
      const share = scores.filter((x) => x >= tenth / 10 && x < (tenth + 1) / 10).length / 4000;
      expect(Math.abs(share - 0.1)).toBeLessThan(0.019);
    }
  });
});
