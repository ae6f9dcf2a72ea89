import { describe, expect, it } from "@jest/globals";
import { isOver, stream } from "@magic-mask/core";
import { connectFour } from "@magic-mask/environments";
import { uniform } from "@magic-mask/masking";
import { branchingTruth, type States } from "@magic-mask/metrics";
import { exactCriticality, perfectPolicy, positionAfter, positionSeen, solver } from "@magic-mask/solver";

/** The look of both observations at every move of random games, with the columns played so far. */
function looksAtRandomGames(games: number) {
  const worlds = (["planes", "threats"] as const).map((observation) => ({
    observation,
    world: connectFour({ observation }),
  }));
  const random = stream(1, "games");
  const looks: { columns: number[]; planes: Float32Array; threats: Float32Array; snapshot: Uint8Array }[] = [];
  for (let game = 0; game < games; game++) {
    for (const { world } of worlds) world.reset(game);
    for (const columns: number[] = []; !isOver(worlds[0].world); ) {
      const agent = columns.length % 2;
      const look = {
        columns: [...columns],
        planes: new Float32Array(84),
        threats: new Float32Array(168),
        snapshot: new Uint8Array(worlds[0].world.snapshotBytes),
      };
      for (const { world, observation } of worlds) world.observe(agent, look[observation], 0);
      worlds[0].world.snapshot(look.snapshot, 0);
      looks.push(look);
      const legal = new Uint8Array(7);
      worlds[0].world.legal(agent, legal, 0);
      const open = Array.from(legal.keys()).filter((column) => legal[column]);
      const actions = new Float32Array(2);
      actions[agent] = open[random.below(open.length)];
      for (const { world } of worlds) world.step(actions);
      columns.push(actions[agent]);
    }
  }
  return looks;
}

describe("the solver and the world", () => {
  const looks = looksAtRandomGames(60);

  it("mean the same positions, whatever the world shows", () => {
    expect(looks.length).toBeGreaterThan(1000);
    for (const { columns, planes, threats } of looks) {
      const position = positionAfter(columns);
      expect(positionSeen(planes, 0, "planes")).toEqual(position);
      expect(positionSeen(threats, 0, "threats")).toEqual(position);
    }
  });

  it.each([0, 1])("agree on what is at stake for player %i under perfect play, branched and exact", (agent) => {
    const space = connectFour().actionSpaces[agent];
    const perfect = solver({ tableBytes: 4 * 1024 * 1024 });
    const policy = perfectPolicy({ solver: perfect });
    const perturbation = uniform(space);
    const late = looks.filter(({ columns }) => columns.length >= 22 && columns.length % 2 === agent);
    const count = 40;
    expect(late.length).toBeGreaterThan(count);
    const states: States = {
      count,
      decisions: {
        agent,
        count,
        observations: new Float32Array(84 * count),
        legal: new Uint8Array(7 * count),
        policy: new Float32Array(7 * count),
        perturbation: new Float32Array(7 * count),
      },
      snapshots: new Uint8Array(43 * count),
      episodes: new Int32Array(count),
      ticks: new Int32Array(count),
    };
    const world = connectFour();
    for (let s = 0; s < count; s++) {
      const { planes, snapshot, columns } = late[Math.floor((s * late.length) / count)];
      states.decisions.observations.set(planes, 84 * s);
      states.snapshots.set(snapshot, 43 * s);
      states.ticks[s] = columns.length;
      world.restore(snapshot, 0);
      world.legal(agent, states.decisions.legal, 7 * s);
    }
    policy.evaluate(states.decisions, states.decisions.policy, new Float32Array(count));
    perturbation.evaluate(states.decisions, states.decisions.policy, states.decisions.perturbation);

    const policies = [policy, policy];
    // Perfect play of both comes to one result, whichever of the best moves are drawn: two rollouts are alike.
    const truth = branchingTruth({ make: connectFour, policies, states, rollouts: 2, seed: 1, discount: 1 });
    const { decisions } = states;
    const exact = exactCriticality({ solver: perfect, decisions });
    expect(new Set(exact.criticality).size).toBeGreaterThan(5);
    // By the same rows of probabilities, and by best minus mean value of the branches themselves.
    const { policy: pi, perturbation: nu } = decisions;
    const byRows = exactCriticality({ solver: perfect, decisions, policy: pi, perturbation: nu }).criticality;
    for (let s = 0; s < count; s++) {
      const q = truth.q.subarray(7 * s, 7 * s + 7).filter((value) => !Number.isNaN(value));
      const gap = Math.max(...q) - q.reduce((sum, value) => sum + value, 0) / q.length;
      expect(Math.abs(gap - exact.criticality[s])).toBeLessThan(1e-9);
      expect(Math.abs(truth.criticality[s] - byRows[s])).toBeLessThan(1e-9);
      expect(truth.standardError[s]).toBe(0);
    }
    expect(Array.from(truth.q)).toEqual(Array.from(exact.values));
  });
});
