import { describe, expect, it } from "@jest/globals";
import {
  type ActionSpace,
  box,
  candidates,
  type Decisions,
  discrete,
  type Explainer,
  ILLEGAL,
  maskedLogSoftmax,
  type Policy,
} from "@magic-mask/core";
import { explainerLaws } from "@magic-mask/core/testing";
import { controls, controlsFor } from "../index.ts";
import { leverWorld } from "../test-worlds.ts";
import type { ControlContext } from "./control.ts";
import { entropy } from "./entropy.ts";
import { gradientPolicy, gradientValue } from "./gradient.ts";
import { logProbGap } from "./log-prob-gap.ts";
import { random } from "./random.ts";

const SHAPE = { observation: 5, actions: 4 };
const lawsOf = <T extends { readonly name: string }>(laws: readonly T[]) => laws.map((law) => [law.name, law] as const);

const LISTS = { ...SHAPE, features: 3 };

/** A smooth policy over 4 actions that sees 5 numbers, with a value of its own. */
const smooth: Policy = {
  evaluate({ count, observations, legal }, parameters, values) {
    for (let row = 0; row < count; row++) {
      const o = observations.subarray(row * 5, (row + 1) * 5);
      values[row] = 1 + o[0] * o[1];
      for (let a = 0; a < 4; a++) parameters[row * 4 + a] = (a + 1) * o[a] - o[4];
      maskedLogSoftmax(parameters, row * 4, legal, row * 4, 4);
    }
  },
};

/** What a control is told in a world of these spaces. */
const contextOf = (D: number, space: ActionSpace, policy: Policy): ControlContext => ({
  spec: { ...leverWorld(), observationSpaces: [box([D], 0, 1)], actionSpaces: [space] },
  agent: 0,
  policy,
  seed: 1,
});

describe.each(Object.entries(controls))("the control %s", (_, { create: make, needs }) => {
  it.each(lawsOf(explainerLaws))("%s", (_name, law) => {
    law.run({ make: () => make(contextOf(5, discrete(4), smooth)), shape: SHAPE });
    law.run({ make: () => make(contextOf(5, candidates(4, 3), smooth)), shape: LISTS });
  });

  it("is offered where actions are continuous if it can be made there, and refuses if not", () => {
    const space = box([1], -1, 1);
    const offered = controlsFor(space).some(({ create }) => create === make);
    expect(offered).toBe(needs === "nothing");
    const create = () => make(contextOf(5, space, smooth));
    if (offered) create();
    else expect(create).toThrow(expect.objectContaining({ code: "unsupported" }));
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
      entropy(discrete(3)),
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

  it("has a narrow normal distribution for surer than a wide one", () => {
    // H of two normal entries is Σ ½·ln(2πe σ²): with ln σ = −1 and 0, and with 1 and 2, apart by 4.
    const policy = Float32Array.of(0.3, 0.4, -1, 0, 0.3, 0.4, 1, 2);
    const [narrow, wide] = scored(entropy(box([2], -1, 1)), {
      ...decisionsOf([
        [THIRD, THIRD],
        [THIRD, THIRD],
      ]),
      policy,
    });
    expect(narrow).toBeCloseTo(-Math.log(2 * Math.PI * Math.E) + 1, 5);
    expect(narrow - wide).toBeCloseTo(4, 5);
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

describe("gradient", () => {
  /** As many decisions as there are observations, one number each, of two legal actions. */
  const seen = (observations: readonly number[]): Decisions => {
    const count = observations.length;
    const even = () => new Float32Array(2 * count).fill(-Math.LN2);
    const legal = new Uint8Array(2 * count).fill(1);
    const batch = { count, observations: Float32Array.from(observations), legal };
    const policy = even();
    square.evaluate(batch, policy, new Float32Array(count));
    return { agent: 0, ...batch, policy, perturbation: even() };
  };
  /** π(0) = σ(o²), V = o³. */
  const square: Policy = {
    evaluate({ count, observations, legal }, parameters, values) {
      for (let row = 0; row < count; row++) {
        const o = observations[row];
        values[row] = o * o * o;
        parameters.set([o * o, 0], row * 2);
        maskedLogSoftmax(parameters, row * 2, legal, row * 2, 2);
      }
    },
  };
  const context = contextOf(1, discrete(2), square);

  it("of ln π(a*) is its slope, from observation to observation by the same directions", () => {
    // Of one number |f′·u| is |f′| times the same √(mean u²) everywhere. Action 0 is the likelier: ln σ(o²) has the slope
    // 2o·σ(−o²): at ½ .4378, at 1 .5379, at 2 .0719.
    const scores = scored(gradientPolicy(context), seen([0.5, 1, 2]));
    const slopes = [0.5, 1, 2].map((o) => (2 * o) / (1 + Math.exp(o * o)));
    expect(slopes).toEqual([0.4378, 0.5379, 0.0719].map((slope) => expect.closeTo(slope, 4)));
    expect(scores[0] / scores[1]).toBeCloseTo(slopes[0] / slopes[1], 2);
    expect(scores[2] / scores[1]).toBeCloseTo(slopes[2] / slopes[1], 2);
    // √(mean of 16 squares of normals) is 1 ± 4·√(1/32).
    expect(Math.abs(scores[1] / slopes[1] - 1)).toBeLessThan(0.71);
  });

  it("of V is by the policy's own V, or by the critic's where it has none", () => {
    // V′ = 3o²: 12 at 2 and 3 at 1.
    const own = scored(gradientValue(context), seen([1, 2]));
    expect(own[1] / own[0]).toBeCloseTo(4, 2);
    const silent: Policy = {
      evaluate(batch, parameters, values) {
        square.evaluate(batch, parameters, values);
        values.fill(0, 0, batch.count);
      },
    };
    // The critic's V = 5o has the slope 5 everywhere; by the same directions V′ = 3 at 1.
    const critic = {
      values: (observations: Float32Array, count: number, out: Float32Array) => {
        for (let row = 0; row < count; row++) out[row] = 5 * observations[row];
      },
    };
    const others = scored(gradientValue({ ...context, policy: silent, critic }), seen([1, 2]));
    expect(others.map((x) => x / own[0])).toEqual([expect.closeTo(5 / 3, 2), expect.closeTo(5 / 3, 2)]);
    expect(() => scored(gradientValue({ ...context, policy: silent }), seen([1]))).toThrow(
      "[masking/gradient] the policy gives no values and there is no critic; pass one",
    );
  });

  it("of a vector is its length, on average over directions", () => {
    // V = 3·o₀ + 4·o₁: 5, whatever the seed; √(mean of 16 squares) has the mean √(2/16)·Γ(8.5)/Γ(8) = .9845. Over 200 seeds
    // ± 4·.175·5/√200 = .25.
    const critic = {
      values: (observations: Float32Array, count: number, out: Float32Array) => {
        for (let row = 0; row < count; row++) out[row] = 3 * observations[2 * row] + 4 * observations[2 * row + 1];
      },
    };
    const flat: Policy = {
      evaluate({ count }, parameters, values) {
        parameters.fill(-Math.LN2, 0, 2 * count);
        values.fill(0, 0, count);
      },
    };
    const decisions = { ...seen([1]), observations: Float32Array.of(0.2, 0.7) };
    const scores = Array.from({ length: 200 }, (_, seed) => {
      const explainer = gradientValue({ ...contextOf(2, discrete(2), flat), critic, seed });
      return scored(explainer, decisions)[0];
    });
    expect(Math.abs(scores.reduce((a, b) => a + b) / 200 - 0.9845 * 5)).toBeLessThan(0.25);
    // A policy that does not move has no slope.
    expect(scored(gradientPolicy(contextOf(2, discrete(2), flat)), decisions)).toEqual([0]);
  });

  it("scores more decisions than go into one pass as it does each", () => {
    const many = Array.from({ length: 300 }, (_, i) => i / 100);
    const scores = scored(gradientPolicy(context), seen(many));
    for (const i of [0, 255, 256, 299]) {
      expect(scored(gradientPolicy(context), seen([many[i]]))[0]).toBeCloseTo(scores[i], 6);
    }
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
