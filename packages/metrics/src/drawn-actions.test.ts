import { describe, expect, it } from "@jest/globals";
import { box, type Environment, type Perturbation, type Policy, stream } from "@magic-mask/core";
import { gatedPolicy } from "./gated-policy.ts";
import { collectStates } from "./states.ts";
import { branchingTruth } from "./truth.ts";

const space = box([1], -100, 100);
const random = stream(5);

/**
 * T ticks at a random place x in [0, 1): each pays `pay(a, x)`, where a was played, and ± 5 by a coin whatever was done.
 *
 * @param limit bounds of the action, played at the nearest
 */
const shooting =
  (pay: (a: number, x: number) => number, T: number, limit = space) =>
  (): Environment => {
    const state = new Float64Array(2).fill(T);
    const own = stream(0);
    let chance = own;
    const self: Environment = {
      id: "shooting_v0",
      agents: ["shooter"],
      roles: ["shooter"],
      observationSpaces: [box([1], 0, 1)],
      actionSpaces: [limit],
      turnBased: false,
      zeroSum: false,
      returnRange: null,
      commonFeatures: null,
      snapshotBytes: 16,
      acting: new Uint8Array(1),
      rewards: new Float64Array(1),
      terminated: new Uint8Array(1),
      truncated: new Uint8Array(1),
      reset(seed) {
        own.rekey(seed);
        chance = own;
        state.set([0, own.uniform()]);
        self.acting[0] = 1;
      },
      observe(_, out, offset) {
        out[offset] = state[1];
      },
      legal: () => self.acting[0],
      step(actions) {
        expect(Math.abs(actions[0])).toBeLessThanOrEqual(limit.high as number);
        self.rewards[0] = pay(actions[0], state[1]) + (chance.below(2) ? 5 : -5);
        self.acting[0] = ++state[0] < T ? 1 : 0;
      },
      snapshot: (out, offset) => out.set(new Uint8Array(state.buffer), offset),
      restore(from, offset, random) {
        new Uint8Array(state.buffer).set(from.subarray(offset, offset + 16));
        chance = random ?? own;
        self.acting[0] = state[0] < T ? 1 : 0;
      },
      render: () => String(state[1]),
    };
    return self;
  };

/** N(x, σ²) */
const aiming = (logDeviation: number): Policy => ({
  evaluate({ count, observations }, parameters, values) {
    for (let row = 0; row < count; row++) parameters.set([observations[row], logDeviation], 2 * row);
    values.fill(0, 0, count);
  },
});
/** N(2, σ²) */
const blind = (logDeviation: number): Perturbation => ({
  name: "blind",
  evaluate({ count }, _policy, out) {
    for (let row = 0; row < count; row++) out.set([2, logDeviation], 2 * row);
  },
});

describe("truth where actions are continuous", () => {
  it("has no error where π and ν differ by a shift and what it costs is linear: draws are paired, chance is shared", () => {
    const make = shooting((a) => 3 * a, 2);
    const policies = [aiming(0)];
    const [states] = collectStates({ make, policies, perturbation: blind(0), count: 12, seed: 1 });
    expect(states.decisions.policy.length).toBe(24);
    const truth = branchingTruth({ make, policies, states, rollouts: 6, seed: 2, discount: 0.5 });
    for (let s = 0; s < 12; s++) {
      const x = states.decisions.observations[s];
      expect(truth.criticality[s]).toBeCloseTo(3 * (x - 2), 5);
      expect(truth.standardError[s]).toBeLessThan(1e-5);
      expect(truth.q[2 * s] - truth.q[2 * s + 1]).toBeCloseTo(truth.criticality[s], 9);
    }
    // Each rollout has draws of its own.
    const other = branchingTruth({ make, policies, states, rollouts: 6, seed: 2, discount: 0.5, first: 3, count: 2 });
    expect([...other.q]).toEqual([...truth.q.subarray(6, 10)]);
    expect(new Set(truth.q).size).toBe(24);
  });

  it("is E[G] under π less E[G] under ν, with an honest standard error", () => {
    // −(a − x)²: −σ² under π, −(2 − x)² − τ² under ν.
    const make = shooting((a, x) => -(a - x) * (a - x), 1);
    const policies = [aiming(-1)];
    const [states] = collectStates({ make, policies, perturbation: blind(-0.5), count: 150, seed: 1 });
    const truth = branchingTruth({ make, policies, states, rollouts: 40, seed: 2, discount: 0.9 });
    let [errors, variances] = [0, 0];
    for (let s = 0; s < 150; s++) {
      const x = states.decisions.observations[s];
      const exact = -Math.exp(-2) + (2 - x) * (2 - x) + Math.exp(-1);
      errors += (truth.criticality[s] - exact) * (truth.criticality[s] - exact);
      variances += truth.standardError[s] * truth.standardError[s];
    }
    // 1, with a standard error of about √(2/150) = .12.
    expect(errors / variances).toBeGreaterThan(0.5);
    expect(errors / variances).toBeLessThan(1.5);
  });

  it("plays what is drawn beyond a bound at it", () => {
    const make = shooting((a) => a, 1, box([1], -1.5, 1.5));
    const policies = [aiming(-20)];
    const [states] = collectStates({ make, policies, perturbation: blind(-20), count: 2, seed: 1 });
    const truth = branchingTruth({ make, policies, states, rollouts: 2, seed: 2, discount: 0.9 });
    for (let s = 0; s < 2; s++) expect(truth.criticality[s]).toBeCloseTo(states.decisions.observations[s] - 1.5, 5);
  });
});

describe("gatedPolicy over a box", () => {
  const gated = (ties: number) =>
    gatedPolicy(aiming(0), {
      agent: 0,
      space,
      observation: 1,
      perturbation: blind(0),
      explainer: { name: "same", score: (_, criticality) => criticality.fill(1) },
      gate: { threshold: 1, ties },
    });
  const observations = Float32Array.from({ length: 4000 }, () => random.uniform());
  const rows = (ties: number, from = 0) => {
    const policy = gated(ties);
    const parameters = new Float32Array(8000);
    const batch = { count: 4000 - from, observations: observations.subarray(from), legal: new Uint8Array(0) };
    policy.evaluate(batch, parameters, new Float32Array(4000));
    return { share: policy.blinded() / policy.scores.length, means: parameters.filter((_, at) => at % 2 === 0) };
  };

  it("blinds the share of tied decisions that it is to, each wholly or not at all, and always the same", () => {
    // ± 4·√(.21/4000) = .029
    const { share, means } = rows(0.3);
    expect(Math.abs(share - 0.3)).toBeLessThan(0.029);
    means.forEach((mean, row) => {
      expect([2, observations[row]]).toContain(mean);
    });
    expect(means.filter((mean) => mean === 2).length / 4000).toBeCloseTo(share, 12);
    expect(rows(0.3, 1000).means.subarray(0, 3000)).toEqual(means.subarray(1000));
    expect(rows(1).share).toBe(1);
    expect(rows(0).share).toBe(0);
  });
});
