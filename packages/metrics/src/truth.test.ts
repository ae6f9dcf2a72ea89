import { describe, expect, it } from "@jest/globals";
import { box, discrete, type Environment, type MakeEnvironment, type Policy, stream } from "@magic-mask/core";
import { collectStates, type States } from "./states.ts";
import { always, END, type Node, type Outcome, sure, tablePolicy, tableWorld, uniform } from "./test-worlds.ts";
import { branchingTruth, joinTruth } from "./truth.ts";

/**
 * Mean of G after action `a` of `agent` at `node`, by recursion over the whole tree: the definition, without any
 * sampling.
 */
function exactReturn(
  nodes: readonly Node[],
  rows: number[][],
  agent: number,
  discount: number,
  node: number,
  a: number,
): number {
  const decides = (k: number) => nodes[k].agent === agent && nodes[k].actions.filter(Boolean).length > 1;
  const onward = (k: number): number => {
    if (k === END) return 0;
    const value = nodes[k].actions.reduce((sum, outcomes, b) => sum + (outcomes ? rows[k][b] * after(outcomes) : 0), 0);
    return (decides(k) ? discount : 1) * value;
  };
  const after = (outcomes: readonly Outcome[]) =>
    outcomes.reduce((sum, { probability, to, rewards }) => sum + probability * (rewards[agent] + onward(to)), 0);
  return after(nodes[node].actions[a] as readonly Outcome[]);
}

/** A random tree of two agents with forced moves; node k leads to later nodes only. @param certain without chance */
function randomTree(seed: number, certain: boolean) {
  const random = stream(seed, "tree");
  const count = 14;
  const outcome = (k: number, probability: number): Outcome => {
    const to = k + 1 + random.below(4);
    return { probability, to: to < count ? to : END, rewards: [random.below(9) - 4, random.below(9) - 4] };
  };
  const nodes: Node[] = Array.from({ length: count }, (_, k) => {
    const legal = k === 0 ? 7 : 1 + random.below(7);
    const actions = [1, 2, 4].map((bit) => {
      if (!(legal & bit)) return null;
      return certain ? [outcome(k, 1)] : [outcome(k, 0.25), outcome(k, 0.75)];
    });
    return { agent: k === 0 ? 0 : random.below(2), actions };
  });
  const rows = nodes.map(({ actions }) => {
    const weights = actions.map((outcomes) => (outcomes ? 1 + random.below(4) : 0));
    const first = actions.findIndex(Boolean);
    if (certain) return actions.map((_, a) => (a === first ? 1 : 0));
    const sum = weights[0] + weights[1] + weights[2];
    return weights.map((weight) => weight / sum);
  });
  return { nodes, rows };
}

const nodeAt = ({ decisions, count }: States, s: number) => {
  const D = decisions.observations.length / count;
  return decisions.observations.subarray(s * D, (s + 1) * D).indexOf(1);
};

describe("branchingTruth", () => {
  // Agent 0 decides at 0; agent 1 at 1; agent 0 at 2 and 3. Both always play action 0.
  const nodes: Node[] = [
    { agent: 0, actions: [sure(1, 1, 0), sure(3, 0, 0)] },
    { agent: 1, actions: [sure(2, 2, 5), sure(END, -9, 0)] },
    { agent: 0, actions: [sure(END, 8, 0), sure(END, 0, 0)] },
    { agent: 0, actions: [sure(END, 4, 0), sure(END, 0, 0)] },
  ];
  const policies = [
    tablePolicy([
      [1, 0],
      [1, 0],
      [1, 0],
      [1, 0],
    ]),
    tablePolicy([
      [1, 0],
      [1, 0],
      [1, 0],
      [1, 0],
    ]),
  ];
  const make = tableWorld(nodes, 2);

  it("is exact with one rollout where nothing is left to chance", () => {
    const [states, other] = collectStates({ make, policies, perturbation: uniform(2), count: 2, seed: 1 });
    const truth = branchingTruth({ make, policies, states, rollouts: 1, seed: 1, discount: 0.5 });
    // Sampled: nodes 0 and 2 of two episodes, uniformly; the figures are per node.
    // Node 0, action 0: 1 + 2, then one decision later 8: 3 + ½·8 = 7; action 1: 0 + ½·4 = 2. Δ = 7 − (7 + 2)/2 = 2.5.
    // Node 2: 8 or 0; Δ = 8 − 4 = 4.
    const expected: Record<number, { q: number[]; delta: number }> = {
      0: { q: [7, 2], delta: 2.5 },
      2: { q: [8, 0], delta: 4 },
    };
    for (let s = 0; s < 2; s++) {
      const { q, delta } = expected[nodeAt(states, s)];
      expect([...truth.q.subarray(2 * s, 2 * s + 2)]).toEqual(q);
      // π and ν are float32 log-probabilities.
      expect(truth.criticality[s]).toBeCloseTo(delta, 6);
    }
    expect(truth.standardError).toEqual(Float64Array.of(Number.NaN, Number.NaN));
    // Agent 1 at node 1, for itself: 5 or 0, Δ = 5 − 2.5.
    const hers = branchingTruth({ make, policies, states: other, rollouts: 1, seed: 1, discount: 0.5 });
    for (const delta of hers.criticality) expect(delta).toBeCloseTo(2.5, 6);
  });

  it("counts every decision that it simulates, of all agents", () => {
    const [states] = collectStates({ make, policies, perturbation: uniform(2), agents: [1], count: 3, seed: 1 });
    // From node 1: action 0 decides at 1 and 2, action 1 at 1 only: 3 decisions per state and rollout.
    expect(branchingTruth({ make, policies, states, rollouts: 4, seed: 1, discount: 1 }).decisions).toBe(3 * 4 * 3);
  });

  it.each([1, 2, 3, 4, 5, 6])("equals the tree worked out in full: certain tree %i", (seed) => {
    const tree = randomTree(seed, true);
    const world = tableWorld(tree.nodes, 2);
    const seats = [tablePolicy(tree.rows), tablePolicy(tree.rows)];
    const [states] = collectStates({
      make: world,
      policies: seats,
      perturbation: uniform(3),
      agents: [0],
      count: 8,
      episodes: 20,
      seed,
    });
    const truth = branchingTruth({ make: world, policies: seats, states, rollouts: 1, seed, discount: 0.5 });
    for (let s = 0; s < 8; s++) {
      const node = nodeAt(states, s);
      const legal = [0, 1, 2].filter((a) => tree.nodes[node].actions[a]);
      const q = legal.map((a) => exactReturn(tree.nodes, tree.rows, 0, 0.5, node, a));
      [0, 1, 2].forEach((a) => {
        if (legal.includes(a)) expect(truth.q[3 * s + a]).toBe(q[legal.indexOf(a)]);
        else expect(truth.q[3 * s + a]).toBeNaN();
      });
      // π plays the first legal action.
      expect(truth.criticality[s]).toBeCloseTo(q[0] - q.reduce((sum, value) => sum + value, 0) / q.length, 6);
    }
  });

  it.each([1, 2, 3, 4])("estimates the tree with an honest standard error: chancy tree %i", (seed) => {
    const tree = randomTree(seed, false);
    const world = tableWorld(tree.nodes, 2);
    const seats = [tablePolicy(tree.rows), tablePolicy(tree.rows)];
    const [states] = collectStates({
      make: world,
      policies: seats,
      perturbation: uniform(3),
      agents: [0],
      count: 150,
      seed,
    });
    const truth = branchingTruth({
      make: world,
      policies: seats,
      states,
      rollouts: 16,
      seed,
      discount: 0.9,
      horizon: 44,
    });
    let errors = 0;
    let variances = 0;
    for (let s = 0; s < 150; s++) {
      const node = nodeAt(states, s);
      const { actions } = tree.nodes[node];
      const choices = actions.filter(Boolean).length;
      const exact = actions.reduce(
        (sum, outcomes, a) =>
          outcomes
            ? sum + (tree.rows[node][a] - 1 / choices) * exactReturn(tree.nodes, tree.rows, 0, 0.9, node, a)
            : sum,
        0,
      );
      errors += (truth.criticality[s] - exact) * (truth.criticality[s] - exact);
      variances += truth.standardError[s] * truth.standardError[s];
    }
    // The ratio of 150 squared errors to their expectation: 1, with a standard error of about √(2/150) = .12.
    expect(errors / variances).toBeGreaterThan(0.5);
    expect(errors / variances).toBeLessThan(1.5);
  });

  it("shares chance between branches: noise that all have in common leaves no error", () => {
    // The action is worth 1 or 0; then a forced move of chance adds ±10 for whatever was done. Independent branches
    // would have a standard error of √(¼ + ¼)·10/√n = 1.77 at n = 16; shared ones have none.
    const noise = [
      { probability: 0.5, to: END, rewards: [10] },
      { probability: 0.5, to: END, rewards: [-10] },
    ];
    const noisy = tableWorld(
      [
        { agent: 0, actions: [sure(1, 1), sure(1, 0)] },
        { agent: 0, actions: [noise, null] },
      ],
      1,
    );
    const alone = [
      tablePolicy([
        [1, 0],
        [1, 0],
      ]),
    ];
    const [states] = collectStates({ make: noisy, policies: alone, perturbation: uniform(2), count: 5, seed: 3 });
    const truth = branchingTruth({ make: noisy, policies: alone, states, rollouts: 16, seed: 3, discount: 1 });
    for (let s = 0; s < 5; s++) {
      expect(truth.criticality[s]).toBeCloseTo(0.5, 6);
      expect(truth.standardError[s]).toBeCloseTo(0, 12);
      expect(truth.q[2 * s] - truth.q[2 * s + 1]).toBeCloseTo(1, 12);
    }
    // The noise itself differs between states and is not the same throughout.
    expect(new Set(truth.q).size).toBeGreaterThan(2);
  });

  it("is exactly 0 where every action leads to the same, so that such states are tied", () => {
    const noise = [1 / 3, -0.7].map((reward) => ({ probability: 0.5, to: END, rewards: [reward] }));
    const idle = tableWorld([{ agent: 0, actions: [noise, noise, noise] }], 1);
    const alone = [tablePolicy([[0.3, 0.5, 0.2]])];
    const [states] = collectStates({ make: idle, policies: alone, perturbation: uniform(3), count: 5, seed: 3 });
    const truth = branchingTruth({ make: idle, policies: alone, states, rollouts: 7, seed: 3, discount: 0.99 });
    for (const value of [...truth.criticality, ...truth.standardError]) expect(value === 0).toBe(true);
  });

  it("discounts by the agent's own decisions up to the horizon, in a world without end", () => {
    // One decision for ever, 1 for action 0, each followed by a forced move of agent 0 that earns 1 more and a decision
    // of agent 1. γ = ½: γ^7 < .01, so 7 decisions of its own count: Σ_{k<7} 2·½^k = 254/64 = 3.96875.
    const endless = tableWorld(
      [
        { agent: 0, actions: [sure(1, 1, 0), sure(1, 0, 0)] },
        { agent: 0, actions: [sure(2, 1, 0), null] },
        { agent: 1, actions: [sure(0, 0, 0), sure(0, 0, 0)] },
      ],
      2,
    );
    const rows = [
      [1, 0],
      [1, 0],
      [0.5, 0.5],
    ];
    const seats = [tablePolicy(rows), tablePolicy(rows)];
    const world = endless();
    world.reset(0);
    const snapshots = new Uint8Array(world.snapshotBytes);
    world.snapshot(snapshots, 0);
    const states: States = {
      count: 1,
      decisions: {
        agent: 0,
        count: 1,
        observations: Float32Array.of(1, 0, 0),
        legal: Uint8Array.of(1, 1),
        policy: Float32Array.of(0, -1e9),
        perturbation: Float32Array.of(-1e9, 0),
      },
      snapshots,
      episodes: new Int32Array(1),
      ticks: new Int32Array(1),
    };
    const options = { make: endless, policies: seats, states, rollouts: 3, seed: 0, discount: 0.5 };
    const truth = branchingTruth(options);
    // Action 0: 3.96875; action 1: 1 less. 7 decisions of agent 0 and 7 of agent 1 in each of 6 continuations.
    expect([...truth.q]).toEqual([3.96875, 2.96875]);
    expect(truth.criticality[0]).toBe(1);
    expect(truth.decisions).toBe(84);
    expect(branchingTruth({ ...options, discount: 1, horizon: 3 }).q[0]).toBe(6);
    expect(() => branchingTruth({ ...options, horizon: 6 })).toThrow("horizon must be a whole number ≥ 7, got 6");
  });

  describe("work", () => {
    const tree = randomTree(9, false);
    const world = tableWorld(tree.nodes, 2);
    const seats = [tablePolicy(tree.rows), tablePolicy(tree.rows)];
    const [states] = collectStates({
      make: world,
      policies: seats,
      perturbation: always(2, 3),
      agents: [0],
      count: 40,
      seed: 2,
    });
    const options = { make: world, policies: seats, states, rollouts: 10, seed: 7, discount: 0.9 };
    const whole = branchingTruth(options);

    it("does not depend on the number of copies", () => {
      for (const copies of [1, 7, 5000]) expect(branchingTruth({ ...options, copies })).toEqual(whole);
      // With a horizon, copies that find no job left are still in mid-episode: what they do must not count.
      const short = { ...options, discount: 1, horizon: 1 };
      for (const copies of [1, 7, 5000]) expect(branchingTruth({ ...short, copies })).toEqual(branchingTruth(short));
    });

    it("can be cut into slices and joined", () => {
      const parts = [
        [0, 1],
        [1, 26],
        [27, 13],
      ].map(([first, count]) => branchingTruth({ ...options, first, count }));
      expect(joinTruth(parts)).toEqual(whole);
      expect(() => joinTruth([parts[0], parts[2]])).toThrow(
        "slices do not join: wanted agent 0, first state 1, got agent 0, first state 27",
      );
      expect(() => joinTruth([])).toThrow("needs at least 1 slice to join, got 0");
    });

    it("depends on the seed", () => {
      expect(branchingTruth({ ...options, seed: 8 }).criticality).not.toEqual(whole.criticality);
    });

    it("has halves whose mean is the whole, and is the more reliable the more rollouts there are", () => {
      for (let s = 0; s < 40; s++) {
        expect((whole.firstHalf[s] + whole.secondHalf[s]) / 2).toBeCloseTo(whole.criticality[s], 12);
      }
      const few = branchingTruth({ ...options, rollouts: 2 }).reliability;
      const many = branchingTruth({ ...options, rollouts: 100 }).reliability;
      expect(few).toBeLessThan(many);
      expect(many).toBeGreaterThan(0.95);
    });

    it.each([
      [{ rollouts: 0 }, "rollouts must be a whole number ≥ 1, got 0"],
      [{ first: 40 }, "count must be a whole number ≥ 1, got 0"],
      [{ first: 30, count: 11 }, "there are 40 states, asked for states 30 to 40"],
      [{ discount: 1.1 }, "discount must be in [0, 1], got 1.1"],
      [{ copies: 0 }, "copies must be a whole number ≥ 1, got 0"],
      [{ make }, "wanted a world with 3 actions"],
    ])("refuses %j", (wrong, message) => {
      expect(() => branchingTruth({ ...options, ...wrong })).toThrow(message);
    });
  });

  it("lets only the one agent deviate where all act at once", () => {
    // Two ticks; each agent says 0 or 1; agent 0 earns 10·a_0 + 3·a_1, and agent 1 the opposite. π_0 = 0 always, π_1
    // uniform.
    const both = duel();
    const constant = (probability: number): Policy => ({
      evaluate({ count }, parameters, values) {
        for (let row = 0; row < count; row++) {
          parameters[2 * row] = Math.log(1 - probability);
          parameters[2 * row + 1] = probability > 0 ? Math.log(probability) : -1e9;
          values[row] = 0;
        }
      },
    });
    const seats = [constant(0), constant(0.5)];
    const [states] = collectStates({
      make: both,
      policies: seats,
      perturbation: uniform(2),
      agents: [0],
      count: 20,
      seed: 4,
    });
    const truth = branchingTruth({ make: both, policies: seats, states, rollouts: 8, seed: 4, discount: 1 });
    for (let s = 0; s < 20; s++) {
      // Agent 1's draws are shared, so the two actions differ by exactly 10, now and not again: Δ = (1 − ½)·0 − ½·10.
      expect(truth.q[2 * s + 1] - truth.q[2 * s]).toBeCloseTo(10, 12);
      expect(truth.criticality[s]).toBeCloseTo(-5, 6);
      expect(truth.standardError[s]).toBeCloseTo(0, 6);
    }
    // Agent 1's say is worth 3·½ per tick left: 1.5 or 3 on average over rollouts, not 0 or 6 throughout.
    const base = truth.q.filter((_, at) => at % 2 === 0);
    expect(base.every((value) => value >= 0 && value <= 6)).toBe(true);
    expect(new Set(base).size).toBeGreaterThan(3);
  });
});

/** Two agents that act at once for two ticks. */
function duel(): MakeEnvironment {
  return () => {
    let tick = 2;
    const self: Environment = {
      id: "duel_v0",
      agents: ["a", "b"],
      roles: ["player", "player"],
      observationSpaces: [box([1], 0, 2), box([1], 0, 2)],
      actionSpaces: [discrete(2), discrete(2)],
      turnBased: false,
      zeroSum: false,
      returnRange: null,
      commonFeatures: null,
      snapshotBytes: 1,
      acting: new Uint8Array(2),
      rewards: new Float64Array(2),
      terminated: new Uint8Array(2),
      truncated: new Uint8Array(2),
      reset: () => enter(0),
      observe(_, out, offset) {
        out[offset] = tick;
      },
      legal(_, out, offset) {
        out.fill(tick < 2 ? 1 : 0, offset, offset + 2);
        return tick < 2 ? 2 : 0;
      },
      step(actions) {
        enter(tick + 1);
        self.rewards[0] = 10 * actions[0] + 3 * actions[1];
        self.rewards[1] = -self.rewards[0];
      },
      snapshot(out, offset) {
        out[offset] = tick;
      },
      restore: (from, offset) => enter(from[offset]),
      render: () => `tick ${tick}`,
    };
    const enter = (to: number) => {
      tick = to;
      self.rewards.fill(0);
      self.acting.fill(tick < 2 ? 1 : 0);
      self.terminated.fill(tick < 2 ? 0 : 1);
    };
    return self;
  };
}
