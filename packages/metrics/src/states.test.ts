import { describe, expect, it } from "@jest/globals";
import { collectStates, takeStates } from "./states.ts";
import { END, sure, tablePolicy, tableWorld, uniform } from "./test-worlds.ts";

// 0: agent 0 decides; 1: agent 1 is forced; 2: agent 1 decides between ending and going on; 3: agent 0 decides, end.
const make = tableWorld(
  [
    { agent: 0, actions: [sure(1, 0, 0), sure(2, 0, 0)] },
    { agent: 1, actions: [null, sure(2, 0, 0)] },
    { agent: 1, actions: [sure(END, 0, 0), sure(3, 0, 0)] },
    { agent: 0, actions: [sure(END, 1, 0), sure(END, 0, 0)] },
  ],
  2,
);
const rows = [
  [0.5, 0.5],
  [0, 1],
  [0.25, 0.75],
  [0.9, 0.1],
];
const policies = [tablePolicy(rows), tablePolicy(rows)];
const options = { make, policies, perturbation: uniform(2), count: 400, episodes: 1000, seed: 5 };

describe("collectStates", () => {
  const [first, second] = collectStates(options);
  const nodeOf = (states: typeof first, s: number) =>
    states.decisions.observations.subarray(4 * s, 4 * s + 4).indexOf(1);

  it("holds decisions of the agent alone, never a forced move", () => {
    expect(first.decisions.agent).toBe(0);
    expect(new Set(Array.from({ length: 400 }, (_, s) => nodeOf(first, s)))).toEqual(new Set([0, 3]));
    expect(new Set(Array.from({ length: 400 }, (_, s) => nodeOf(second, s)))).toEqual(new Set([2]));
    expect(first.decisions.legal.every((entry) => entry === 1)).toBe(true);
  });

  it("comes as often as states are visited, spread over all episodes", () => {
    // Node 0 is met once an episode, node 3 in three of four: 1/1.75 = 57 % of agent 0's decisions; four standard
    // errors of a share among 400 are .1.
    const share = Array.from({ length: 400 }, (_, s) => nodeOf(first, s)).filter((node) => node === 0).length / 400;
    expect(Math.abs(share - 1 / 1.75)).toBeLessThan(0.1);
    expect(first.episodes.filter((e) => e < 500).length).toBeGreaterThan(160);
    expect(first.episodes.filter((e) => e < 500).length).toBeLessThan(240);
  });

  it("is in the order of episode and tick, no decision twice", () => {
    const at = Array.from(first.episodes, (episode, s) => 10 * episode + first.ticks[s]);
    expect(at.every((value, s) => s === 0 || value > at[s - 1])).toBe(true);
    // Node 0 is tick 0.
    expect(Array.from({ length: 400 }, (_, s) => (nodeOf(first, s) === 0) === (first.ticks[s] === 0))).not.toContain(
      false,
    );
  });

  it("snapshots the world as the agent saw it", () => {
    const world = make();
    const seen = new Float32Array(4);
    for (let s = 0; s < 400; s++) {
      world.restore(first.snapshots, s * world.snapshotBytes);
      world.observe(0, seen, 0);
      expect(seen.indexOf(1)).toBe(nodeOf(first, s));
    }
  });

  it("carries π and ν", () => {
    const at3 = Array.from({ length: 400 }, (_, s) => s).find((s) => nodeOf(first, s) === 3) as number;
    expect([...first.decisions.policy.subarray(2 * at3, 2 * at3 + 2)].map(Math.exp)).toEqual([
      expect.closeTo(0.9, 6),
      expect.closeTo(0.1, 6),
    ]);
    expect(Math.exp(first.decisions.perturbation[2 * at3])).toBeCloseTo(0.5, 6);
  });

  it("does not depend on the number of copies or on whose else states are asked for, but on the seed", () => {
    expect(collectStates({ ...options, copies: 3 })[0]).toEqual(first);
    expect(collectStates({ ...options, agents: [1] })[0]).toEqual(second);
    expect(collectStates({ ...options, seed: 6 })[0]).not.toEqual(first);
  });

  it("takes every decision where it must", () => {
    // One episode of agent 1: node 2 comes once in each.
    const [states] = collectStates({ ...options, agents: [1], count: 50, episodes: 50 });
    expect([...states.episodes]).toEqual(Array.from({ length: 50 }, (_, e) => e));
  });

  it("says when there are too few decisions, and when a world cannot be branched", () => {
    expect(() => collectStates({ ...options, agents: [1], count: 50, episodes: 49 })).toThrow(
      "[metrics/states] found 49 decisions of agent_1 in 49 episodes, wanted 50: raise episodes",
    );
    const blind = () => ({ ...make(), snapshotBytes: 0 });
    expect(() => collectStates({ ...options, make: blind })).toThrow(
      "[metrics/states] needs a world with snapshots; table_v0 has none",
    );
  });
});

describe("takeStates", () => {
  const [states] = collectStates(options);

  it("copies rows, in the order asked for", () => {
    const taken = takeStates(states, [7, 2, 7]);
    const { observations, policy } = states.decisions;
    expect(taken.count).toBe(3);
    expect(taken.decisions.agent).toBe(0);
    [7, 2, 7].forEach((row, i) => {
      expect(taken.decisions.observations.subarray(4 * i, 4 * i + 4)).toEqual(
        observations.subarray(4 * row, 4 * row + 4),
      );
      expect(taken.decisions.policy.subarray(2 * i, 2 * i + 2)).toEqual(policy.subarray(2 * row, 2 * row + 2));
      expect([taken.episodes[i], taken.ticks[i]]).toEqual([states.episodes[row], states.ticks[row]]);
    });
    const bytes = make().snapshotBytes;
    expect(taken.snapshots.subarray(bytes, 2 * bytes)).toEqual(states.snapshots.subarray(2 * bytes, 3 * bytes));
  });

  it("refuses rows that are not there", () => {
    expect(() => takeStates(states, [400])).toThrow("row must be a whole number in [0, 399], got 400");
  });
});
