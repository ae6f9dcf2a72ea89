import { describe, expect, it } from "@jest/globals";
import type { Policy } from "@magic-mask/core";
import { lookahead } from "./lookahead.ts";
import { collectStates } from "./states.ts";
import { END, type Node, sure, tablePolicy, tableWorld, uniform } from "./test-worlds.ts";
import { branchingTruth } from "./truth.ts";

// A corridor of 4 decisions of agent 0, of agent 1's turn after each: action 0 earns 1 and goes on, action 1 earns 0 and goes
// on. At the end action 0 of the last decision earns 9 more.
const nodes: Node[] = [0, 1, 2, 3].flatMap((k) => {
  const turn = 2 * k + 1;
  const next = k < 3 ? turn + 1 : END;
  return [
    { agent: 0, actions: [sure(turn, k < 3 ? 1 : 10, 0), sure(turn, 0, 0)] },
    { agent: 1, actions: [sure(next, 0, 0), sure(next, 0, 1)] },
  ];
});
const make = tableWorld(nodes, 2);
const first = tablePolicy(nodes.map(() => [1, 0]));
/** Plays action 0, and believes node k to be worth `values[k]`. */
const believing = (values: readonly number[]): Policy => ({
  evaluate(batch, parameters, out) {
    first.evaluate(batch, parameters, out);
    for (let row = 0; row < batch.count; row++) {
      out[row] = values[batch.observations.subarray(row * 8, (row + 1) * 8).indexOf(1)];
    }
  },
});
const statesOf = (policies: readonly Policy[]) =>
  collectStates({ make, policies, perturbation: uniform(2), agents: [0], count: 8, episodes: 2, seed: 1 })[0];
/** Which of agent 0's four decisions each state is. */
const decisionsIn = (states: ReturnType<typeof statesOf>) =>
  Array.from({ length: 8 }, (_, s) => states.decisions.observations.subarray(s * 8, (s + 1) * 8).indexOf(1) / 2);

describe("lookahead", () => {
  // With γ = ½ all branches of a decision but the first action are alike, so Δ is half of what action 0 earns: ½, ½, ½, 5.
  const truth = [0.5, 0.5, 0.5, 5];

  it("is truth where all that differs comes within H decisions", () => {
    const policies = [believing(nodes.map(() => 100)), first];
    const states = statesOf(policies);
    // A decision and agent 1's answer are 2 ticks; of two branches of 8 states 32. The pilot takes all 8 states: 32. 64 are enough.
    const seen = lookahead({ make, policies, states, seed: 1, discount: 0.5, budget: 64 });
    expect(seen).toMatchObject({ rollouts: 1, horizon: 1, ticks: 64 });
    decisionsIn(states).forEach((k, s) => {
      // 100 is believed whichever action is taken, and takes no part.
      expect(seen.criticality[s]).toBeCloseTo(truth[k], 6);
    });
    expect(seen.standardError.every(Number.isNaN)).toBe(true);
  });

  it("lets V stand for what follows, discounted once for each decision up to H", () => {
    // Now action 1 of decision 0 leads to decision 2 at once, past decision 1: V tells what that is worth.
    const shortcut = nodes.map((node, k) => (k === 0 ? { ...node, actions: [sure(1, 1, 0), sure(3, 0, 0)] } : node));
    const world = tableWorld(shortcut, 2);
    const policies = [believing([0, 0, 6, 0, 2, 0, 7, 0]), first];
    const options = { make: world, policies, perturbation: uniform(2), agents: [0], count: 1, episodes: 1 };
    const states = [...Array(20).keys()]
      .map((seed) => collectStates({ ...options, seed })[0])
      .find(({ decisions }) => decisions.observations[0] === 1);
    if (!states) throw new Error("decision 0 was not drawn");
    const look = (budget: number, rollouts: number) =>
      lookahead({ make: world, policies, states, seed: 1, discount: 0.5, budget, rollouts });
    // H = 1: 1 + ½·6 = 4 against 0 + ½·2 = 1, and Δ is half of the difference. The pilot takes 4 ticks, each continuation 4.
    expect(look(8, 1)).toMatchObject({ horizon: 1, ticks: 8 });
    expect(look(8, 1).criticality[0]).toBeCloseTo(1.5, 6);
    // H = 2: 1 + ½·1 + ¼·2 = 2 against 0 + ½·1 + ¼·7 = 2.25
    expect(look(12, 1)).toMatchObject({ horizon: 2, ticks: 12 });
    expect(look(12, 1).criticality[0]).toBeCloseTo(-0.125, 6);
    // To the end there is nothing left to believe: 1 + ½ + ¼ + ⅛·10 = 3 against ½ + ¼·10 = 3
    const whole = branchingTruth({ make: world, policies, states, seed: 1, discount: 0.5, rollouts: 1, horizon: 9 });
    expect(look(40, 1).criticality[0]).toBeCloseTo(whole.criticality[0], 6);
    expect(whole.criticality[0]).toBeCloseTo(0, 6);
    // Four continuations each, before H grows: 4 + 4·4 = 20 ticks for H = 1.
    expect(look(20, 4)).toMatchObject({ rollouts: 4, horizon: 1, ticks: 20 });
    expect(look(20, 4).standardError[0]).toBeCloseTo(0, 6);
  });

  it("spends no more than it may, but what one continuation of each branch takes", () => {
    const policies = [believing(nodes.map(() => 1)), first];
    const states = statesOf(policies);
    for (const budget of [1, 63, 64, 100, 200, 1000]) {
      const { ticks } = lookahead({ make, policies, states, seed: 1, discount: 1, budget });
      expect(ticks).toBeLessThanOrEqual(Math.max(64, budget));
    }
  });

  it("passes over forced moves to the next decision, whose V it takes", () => {
    // After action 0 of decision 0 comes a forced move that earns 2, then a decision worth 8; after action 1 the end.
    const world = tableWorld(
      [
        { agent: 0, actions: [sure(1, 1, 0), sure(END, 0, 0)] },
        { agent: 0, actions: [sure(2, 2, 0), null] },
        { agent: 0, actions: [sure(END, 0, 0), sure(END, 0, 0)] },
      ],
      2,
    );
    const seer: Policy = {
      evaluate({ count, observations }, parameters, values) {
        for (let row = 0; row < count; row++) {
          parameters.set([0, -1e9], row * 2);
          values[row] = [99, 99, 8][observations.subarray(row * 3, row * 3 + 3).indexOf(1)];
        }
      },
    };
    const policies = [seer, seer];
    const options = { make: world, policies, perturbation: uniform(2), agents: [0], count: 1, episodes: 1 };
    const states = [...Array(20).keys()]
      .map((seed) => collectStates({ ...options, seed })[0])
      .find(({ decisions }) => decisions.observations[0] === 1);
    if (!states) throw new Error("decision 0 was not drawn");
    // 2 ticks after action 0, 1 after action 1; the pilot takes as many. Δ = ½ · (1 + 2 + ½·8)
    const seen = lookahead({ make: world, policies, states, seed: 1, discount: 0.5, budget: 6 });
    expect(seen).toMatchObject({ rollouts: 1, horizon: 1, ticks: 6 });
    expect(seen.criticality[0]).toBeCloseTo(3.5, 6);
  });

  it("does not depend on how many copies play side by side", () => {
    const policies = [believing([3, 0, 1, 0, 4, 0, 1, 0]), tablePolicy(nodes.map(() => [0.5, 0.5]))];
    const states = statesOf(policies);
    const by = (copies: number) =>
      lookahead({ make, policies, states, seed: 1, discount: 0.9, budget: 300, copies }).criticality;
    expect(by(1)).toEqual(by(7));
  });

  it("refuses a budget that is none", () => {
    const policies = [first, first];
    const states = statesOf(policies);
    for (const bad of [{ budget: 0 }, { budget: 10.5 }, { budget: 100, rollouts: 0 }]) {
      expect(() => lookahead({ make, policies, states, seed: 1, discount: 1, ...bad })).toThrow(
        expect.objectContaining({ code: "invalid-option" }),
      );
    }
  });
});
