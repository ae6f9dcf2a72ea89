import { describe, expect, it } from "@jest/globals";
import { box, type Decisions, discrete, ILLEGAL, stream } from "@magic-mask/core";
import fc from "fast-check";
import { allDecisions, KEYS, PAY, SURE, steady } from "../test-worlds.ts";
import { adversary } from "./adversary.ts";
import { minimal } from "./minimal.ts";
import { bracket, type SingleActionAdvantages, tilt, tiltFigures, type Weighed } from "./tilt.ts";

/** Two decisions: ½, ½ with Â = 1, 0; ¼, ¾ with Â = 0, 2. */
const two: Weighed = {
  starts: Int32Array.of(0, 2, 4),
  logBase: Float64Array.from([0.5, 0.5, 0.25, 0.75], Math.log),
  advantages: Float64Array.of(1, 0, 0, 2),
};

describe("tilt", () => {
  it("is the base times exp(−Â/β)", () => {
    const nu = new Float64Array(4);
    tilt(two, 0, Math.LN2, nu);
    tilt(two, 1, Math.LN2, nu);
    // ½·½ : ½ = 1 : 2; ¼ : ¾·¼ = 4 : 3.
    expect([...nu]).toEqual([1 / 3, 2 / 3, 4 / 7, 3 / 7].map((x) => expect.closeTo(x, 12)));
    const { divergence, worth } = tiltFigures(two, Math.LN2);
    const first = (1 / 3) * Math.log(2 / 3) + (2 / 3) * Math.log(4 / 3);
    const second = (4 / 7) * Math.log(16 / 7) + (3 / 7) * Math.log(4 / 7);
    expect(divergence).toBeCloseTo((first + second) / 2, 12);
    expect(worth).toBeCloseTo((1 / 3 + 6 / 7) / 2, 12);
  });

  it("is the best at its divergence, of all distributions on a fine grid", () => {
    // The simplex of three actions in steps of 1/60; the grid can miss the optimum by the value of a step.
    const weighed: Weighed = {
      starts: Int32Array.of(0, 3),
      logBase: Float64Array.from([0.5, 0.3, 0.2], Math.log),
      advantages: Float64Array.of(1, 0.2, -0.5),
    };
    const N = 60;
    for (const bound of [0.02, 0.1, 0.4, 1]) {
      const { below } = bracket(weighed, (strength) => tiltFigures(weighed, strength).divergence > bound);
      const found = tiltFigures(weighed, below);
      expect(found.divergence).toBeLessThanOrEqual(bound);
      let least = Number.POSITIVE_INFINITY;
      for (let i = 0; i <= N; i++) {
        for (let j = 0; i + j <= N; j++) {
          const nu = [i / N, j / N, (N - i - j) / N];
          const kl = nu.reduce((sum, p, a) => sum + (p > 0 ? p * (Math.log(p) - weighed.logBase[a]) : 0), 0);
          if (kl <= bound)
            least = Math.min(
              least,
              nu.reduce((sum, p, a) => sum + p * weighed.advantages[a], 0),
            );
        }
      }
      expect(found.worth).toBeLessThanOrEqual(least + 1e-9);
      expect(found.worth).toBeGreaterThan(least - 1.5 / N);
    }
  });

  it("shares one β between decisions, as the best division of the divergence does", () => {
    // Brute force over a distribution for each of the two decisions.
    const bound = 0.15;
    const { below } = bracket(two, (strength) => tiltFigures(two, strength).divergence > bound);
    const found = tiltFigures(two, below);
    let least = Number.POSITIVE_INFINITY;
    const kl = (p: number, base: number) =>
      (p > 0 ? p * Math.log(p / base) : 0) + (p < 1 ? (1 - p) * Math.log((1 - p) / (1 - base)) : 0);
    for (let i = 0; i <= 400; i++) {
      for (let j = 0; j <= 400; j++) {
        const [p, q] = [i / 400, j / 400];
        if ((kl(p, 0.5) + kl(q, 0.25)) / 2 <= bound) least = Math.min(least, (p + 2 * (1 - q)) / 2);
      }
    }
    expect(found.worth).toBeLessThanOrEqual(least + 1e-9);
    expect(found.worth).toBeGreaterThan(least - 0.01);
  });

  it("meets its bound for any estimates", () => {
    const any = fc.array(fc.double({ min: -50, max: 50, noNaN: true }), { minLength: 6, maxLength: 6 });
    fc.assert(
      fc.property(any, fc.double({ min: 0.001, max: 2, noNaN: true }), (values, bound) => {
        const weighed: Weighed = {
          starts: Int32Array.of(0, 3, 6),
          logBase: Float64Array.from({ length: 6 }, () => -Math.log(3)),
          advantages: Float64Array.from(values),
        };
        const over = (strength: number) => tiltFigures(weighed, strength).divergence > bound;
        const { below, above } = bracket(weighed, over);
        expect(tiltFigures(weighed, below).divergence).toBeLessThanOrEqual(bound);
        // As far as it can go: the two ends are as good as one, or no tilt ever gets there.
        if (above > below) expect(above / below).toBeLessThan(1 + 1e-6);
      }),
    );
  });
});

/** What single actions are worth in the lever world: PAY of the tick for the key, less what the policy gets. */
const exact =
  (agent: number): SingleActionAdvantages =>
  ({ count, observations }, out) => {
    for (let row = 0; row < count; row++) {
      const o = observations.subarray(row * 7, row * 7 + 7);
      const pay = PAY[agent][o.indexOf(1)];
      for (let a = 0; a < KEYS; a++) out[row * KEYS + a] = pay * (o[4 + a] - SURE);
    }
  };

/** E[Σ_a (π − ν)(a)·pay(a)], exactly, and E KL(ν ‖ base). */
function exactly(decisions: Decisions, nu: Float32Array, base: Float32Array) {
  const worth = new Float32Array(nu.length);
  exact(0)(decisions, worth);
  let harm = 0;
  let divergence = 0;
  nu.forEach((logProb, at) => {
    harm += ((Math.exp(decisions.policy[at]) - Math.exp(logProb)) * worth[at]) / decisions.count;
    divergence += (Math.exp(logProb) * (logProb - base[at])) / decisions.count;
  });
  return { harm, divergence };
}

describe("in the lever world, with exact advantages", () => {
  const decisions = allDecisions(0);
  const context = { space: discrete(KEYS), advantages: exact(0), seed: 1 };
  const uniformHarm = exactly(decisions, decisions.perturbation, decisions.perturbation).harm;

  it("the adversary costs more than uniform, the more the farther it may go, and stays within its bound", () => {
    // Four ticks that pay 0, 1, 0, ½: uniform costs (.8 − ⅓)·1.5/4 = .175.
    expect(uniformHarm).toBeCloseTo(0.175, 6);
    let last = uniformHarm;
    for (const divergence of [0.05, 0.1, 0.15]) {
      const nu = adversary(context, { divergence });
      const fitted = nu.fit(decisions);
      const out = new Float32Array(decisions.policy.length);
      nu.evaluate(decisions, decisions.policy, out);
      const truth = exactly(decisions, out, decisions.perturbation);
      expect(fitted.divergence).toBeCloseTo(truth.divergence, 5);
      expect(fitted.harm).toBeCloseTo(truth.harm, 5);
      expect(truth.divergence).toBeLessThanOrEqual(divergence + 1e-5);
      expect(truth.divergence).toBeGreaterThan(divergence - 1e-3);
      expect(truth.harm).toBeGreaterThan(last + 0.01);
      last = truth.harm;
    }
    // Without a bound: never the key where it pays, .8·1.5/4 = .3; uniform where nothing does.
    const worst = adversary(context, { divergence: 5 });
    expect(worst.fit(decisions).harm).toBeCloseTo(0.3, 6);
  });

  it("minimal costs as much as uniform and changes less", () => {
    const nu = minimal(context);
    const fitted = nu.fit(decisions);
    const out = new Float32Array(decisions.policy.length);
    nu.evaluate(decisions, decisions.policy, out);
    const truth = exactly(decisions, out, decisions.policy);
    expect(truth.harm).toBeCloseTo(uniformHarm, 4);
    expect(fitted.harm).toBeGreaterThanOrEqual(uniformHarm - 1e-6);
    expect(truth.divergence).toBeCloseTo(fitted.divergence, 4);
    expect(truth.divergence).toBeLessThan(
      0.8 * exactly(decisions, decisions.perturbation, decisions.policy).divergence,
    );
  });

  it("minimal is as harmful as can be where what is wanted is more, and says so", () => {
    expect(minimal(context, { harm: 9 }).fit(decisions).harm).toBeCloseTo(0.3, 6);
    // Nothing is wanted: the policy itself.
    const nothing = minimal(context, { harm: 0 });
    expect(nothing.fit(decisions)).toEqual({
      strength: 0,
      divergence: expect.closeTo(0, 6),
      harm: expect.closeTo(0, 6),
    });
  });

  it("begins as its base, and goes on from a saved state", () => {
    const out = new Float32Array(decisions.policy.length);
    adversary(context).evaluate(decisions, decisions.policy, out);
    expect(out).toEqual(decisions.perturbation);
    minimal(context).evaluate(decisions, decisions.policy, out);
    expect(out).toEqual(decisions.policy);
    const [fitted, resumed] = [adversary(context), adversary(context)];
    fitted.fit(decisions);
    resumed.restoreState(structuredClone(fitted.exportState()));
    const again = out.slice();
    fitted.evaluate(decisions, decisions.policy, out);
    resumed.evaluate(decisions, decisions.policy, again);
    expect(again).toEqual(out);
  });

  it("takes estimates of nothing for no reason to tilt", () => {
    const blind = adversary({ ...context, advantages: (_, out) => out.fill(0) });
    expect(blind.fit(decisions).strength).toBe(0);
  });

  it("never does what is illegal, nor, where it is minimal, what the policy never does", () => {
    const policy = Float32Array.of(Math.log(0.6), ILLEGAL, Math.log(0.4));
    const one = { ...decisions, count: 1, legal: Uint8Array.of(1, 1, 1), policy, perturbation: policy };
    const nu = minimal(context, { harm: 9 });
    nu.fit(one);
    const out = new Float32Array(3);
    nu.evaluate(one, policy, out);
    expect(Math.exp(out[1])).toBe(0);
    steady.evaluate(one, out, new Float32Array(1));
  });

  it.each([
    [() => adversary(context, { divergence: -1 }), "divergence must be ≥ 0, got -1"],
    [() => minimal(context, { harm: Number.NaN }), "harm must be ≥ 0, got NaN"],
  ])("refuses %s", (make, message) => {
    expect(make).toThrow(message);
  });
});

describe("over a box", () => {
  // Â = a: the more the better, without end.
  const advantages: SingleActionAdvantages = ({ count }, out, actions = new Float32Array(0)) => {
    for (let i = 0; i < count * 16; i++) out[i] = actions[i];
  };
  const space = box([1], -2, 2);
  const count = 5;
  const decisions: Decisions = {
    agent: 0,
    count,
    observations: new Float32Array(count),
    legal: new Uint8Array(0),
    policy: Float32Array.from({ length: 2 * count }, (_, at) => (at % 2 === 0 ? stream(at).normal() : -1)),
    perturbation: new Float32Array(2 * count),
  };
  const klOf = (nu: Float32Array, base: Float32Array, row: number) => {
    const [m, s, n, t] = [nu[2 * row], nu[2 * row + 1], base[2 * row], base[2 * row + 1]];
    return t - s + (Math.exp(2 * s) + (m - n) * (m - n)) / (2 * Math.exp(2 * t)) - 0.5;
  };

  it("leans towards the worse actions, no farther from uniform than it may", () => {
    const nu = adversary({ space, advantages, seed: 1 }, { divergence: 0.3 });
    const before = new Float32Array(2 * count);
    nu.evaluate(decisions, decisions.policy, before);
    nu.fit(decisions);
    const out = new Float32Array(2 * count);
    nu.evaluate(decisions, decisions.policy, out);
    for (let row = 0; row < count; row++) {
      // u: mean 0, σ = 4/√12 = 1.155. The exact tilt of a normal by a linear Â moves the mean by −σ·√(2δ) = −.894.
      expect(before[2 * row]).toBe(0);
      expect(out[2 * row]).toBeLessThan(-0.7);
      expect(out[2 * row]).toBeGreaterThan(-1);
      expect(klOf(out, before, row)).toBeCloseTo(0.3, 5);
    }
  });

  it("minimal keeps near the policy", () => {
    const nu = minimal({ space, advantages, seed: 1 }, { harm: 0.2 });
    const { harm, divergence } = nu.fit(decisions);
    expect(harm).toBeCloseTo(0.2, 4);
    // σ = e⁻¹ = .368: a move of .2 costs about (.2/.368)²/2 = .148 nats.
    expect(divergence).toBeGreaterThan(0.1);
    expect(divergence).toBeLessThan(0.22);
    const out = new Float32Array(2 * count);
    nu.evaluate(decisions, decisions.policy, out);
    for (let row = 0; row < count; row++) {
      expect(decisions.policy[2 * row] - out[2 * row]).toBeCloseTo(0.2, 3);
      expect(klOf(out, decisions.policy, row)).toBeCloseTo(divergence, 4);
    }
  });
});
