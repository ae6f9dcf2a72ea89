import { describe, expect, it } from "@jest/globals";
import { box, candidates, type Environment, stream } from "@magic-mask/core";
import { aec } from "./aec.ts";
import { connectFour } from "./connect-four.ts";
import { planted } from "./planted.ts";
import { ticTacToe } from "./tic-tac-toe.ts";

const started = (...moves: number[]) => {
  const env = aec(connectFour());
  env.reset({ seed: 1 });
  for (const move of moves) env.step(move);
  return env;
};
const masks = (env: ReturnType<typeof aec>) => env.possibleAgents.map((name) => env.observe(name).action_mask.join(""));
const both = <T>(a: T, b: T) => ({ player_0: a, player_1: b });

describe("aec", () => {
  it("begins as PettingZoo does", () => {
    const env = started();
    expect(env.agents).toEqual(["player_0", "player_1"]);
    expect(env.agentSelection).toBe("player_0");
    expect([env.rewards, env.terminations, env.truncations, env.infos]).toEqual([
      both(0, 0),
      both(false, false),
      both(false, false),
      both({}, {}),
    ]);
    expect(masks(env)).toEqual(["1111111", "0000000"]);
    expect(env.metadata.name).toBe("connect_four_v0");
    expect(env.observationSpace("player_1").shape).toEqual([6, 7, 2]);
    expect(env.actionSpace("player_1")).toMatchObject({ kind: "discrete", n: 7 });
    expect(env.render()).toMatch(/● player_0 to move$/);
  });

  it("ends a won game for both, keeps the mask, pays through last(), and buries the dead in turn", () => {
    const env = started(0, 1, 0, 1, 0, 1, 0);
    expect(env.agentSelection).toBe("player_1");
    expect([env.rewards, env.terminations, env.truncations]).toEqual([
      both(1, -1),
      both(true, true),
      both(false, false),
    ]);
    // Not cleared: every column still has room.
    expect(masks(env)).toEqual(["0000000", "1111111"]);
    expect(env.last().slice(1)).toEqual([-1, true, false, {}]);
    env.step(null);
    expect([env.agents, env.agentSelection, env.rewards, env.terminations]).toEqual([
      ["player_0"],
      "player_0",
      { player_0: 0 },
      { player_0: true },
    ]);
    expect(masks(env)).toEqual(["1111111", "0000000"]);
    expect(env.last().slice(1)).toEqual([1, true, false, {}]);
    env.step(null);
    expect([env.agents, env.rewards, env.infos]).toEqual([[], {}, {}]);
    expect(() => env.step(null)).toThrow(expect.objectContaining({ code: "out-of-order" }));
    expect(() => env.last()).toThrow(expect.objectContaining({ code: "out-of-order" }));
  });

  it("ends the game for all on an illegal move: the mover pays 1, and the dead are buried in their order", () => {
    const env = aec(ticTacToe());
    env.reset({ seed: 1 });
    env.step(4);
    const before = Array.from(env.observe("player_1").observation);
    env.step(4);
    expect(env.agentSelection).toBe("player_1");
    expect([env.rewards, env.terminations, env.truncations]).toEqual([
      { player_1: 0, player_2: -1 },
      { player_1: true, player_2: true },
      { player_1: true, player_2: true },
    ]);
    expect(Array.from(env.observe("player_1").observation)).toEqual(before);
    expect(masks(env)).toEqual(["111101111", "000000000"]);
    expect(env.last().slice(1)).toEqual([0, true, true, {}]);
    env.step(null);
    expect(env.agentSelection).toBe("player_2");
    expect(masks(env)).toEqual(["000000000", "111101111"]);
    expect(env.last().slice(1)).toEqual([-1, true, true, {}]);
    env.step(null);
    expect(env.agents).toEqual([]);
    env.reset({ seed: 2 });
    expect([env.agents.length, env.terminations]).toEqual([2, { player_1: false, player_2: false }]);
  });

  it("throws on what PettingZoo asserts", () => {
    const fresh = aec(connectFour());
    expect(() => fresh.step(0)).toThrow(expect.objectContaining({ code: "out-of-order" }));
    const env = started();
    for (const action of [7, -1, 2.5, Number.NaN, null, [1, 2]]) {
      expect(() => env.step(action)).toThrow(expect.objectContaining({ code: "illegal-action" }));
    }
    expect([env.agentSelection, env.terminations]).toEqual(["player_0", both(false, false)]);
    expect(() => env.observe("player_2")).toThrow(expect.objectContaining({ code: "unknown-name" }));
    expect(() => env.reset({ options: { size: 8 } })).toThrow(expect.objectContaining({ code: "invalid-option" }));
    const over = started(0, 1, 0, 1, 0, 1, 0);
    expect(() => over.step(3)).toThrow(expect.objectContaining({ code: "illegal-action" }));
  });

  it("names agents until none is left, and does not let a loop forget to step", () => {
    const env = started();
    const names: string[] = [];
    const random = stream(1, "loop");
    for (const name of env.agentIter()) {
      names.push(name);
      const [{ action_mask }, , terminated, truncated] = env.last();
      const open = Array.from(action_mask.keys()).filter((a) => action_mask[a]);
      env.step(terminated || truncated ? null : open[random.below(open.length)]);
    }
    expect(names.slice(0, 3)).toEqual(["player_0", "player_1", "player_0"]);
    expect(env.agents).toEqual([]);
    env.reset();
    expect([...takeSteps(env, 3)]).toEqual(["player_0", "player_1", "player_0"]);
    const forgetful = started();
    expect(() => [...forgetful.agentIter()]).toThrow(expect.objectContaining({ code: "out-of-order" }));
  });

  it("gathers the actions of a simultaneous world and moves it with the last one", () => {
    const env = aec(planted({ ticks: 2, locks: 2, decoys: 0, luck: 0 }));
    const world = planted({ ticks: 2, locks: 2, decoys: 0, luck: 0 });
    env.reset({ seed: 5 });
    world.reset(5);
    const key = (name: string) => env.observe(name).observation.subarray(2, 6).indexOf(1);
    const [a, b] = [key("agent_0"), key("agent_1")];
    expect(masks(env)).toEqual(["1111", "0000"]);
    env.step(a);
    expect([env.agentSelection, env.rewards]).toEqual(["agent_1", { agent_0: 0, agent_1: 0 }]);
    expect(masks(env)).toEqual(["0000", "1111"]);
    env.step(b);
    world.step(Float32Array.of(a, b));
    // Two locks were opened, and each pays both.
    expect(env.rewards).toEqual({ agent_0: 2, agent_1: 2 });
    expect([...world.rewards]).toEqual([2, 2]);
    const [c, d] = [key("agent_0"), key("agent_1")];
    expect(env.last()[1]).toBe(2);
    env.step((c + 1) % 4);
    // The reward of the tick before waits for agent_1's turn.
    expect([env.rewards.agent_1, env.last()[1]]).toEqual([0, 2]);
    env.step(d);
    expect([env.agentSelection, env.rewards, env.terminations]).toEqual([
      "agent_0",
      { agent_0: 1, agent_1: 1 },
      { agent_0: true, agent_1: true },
    ]);
    expect(env.last()[1]).toBe(1);
  });

  it("goes on with the sequence of the last seed when reset without one", () => {
    const [one, two] = [aec(planted()), aec(planted())];
    const look = (env: ReturnType<typeof aec>) =>
      Array.from({ length: 8 }, () => {
        env.reset();
        return env.observe("agent_0").observation.join();
      });
    one.reset({ seed: 3 });
    two.reset({ seed: 3 });
    const first = look(one);
    expect(look(two)).toEqual(first);
    expect(new Set(first).size).toBeGreaterThan(1);
  });

  it("takes actions of several numbers", () => {
    const given: number[][] = [];
    const world: Environment = {
      ...planted({ agents: 1, ticks: 1, locks: 0, decoys: 0 }),
      actionSpaces: [box([2], -1, 1)],
    };
    const env = aec({ ...world, step: (actions) => void given.push(Array.from(actions)) });
    env.reset({ seed: 0 });
    env.step([0.5, -1]);
    expect(given).toEqual([[0.5, -1]]);
    expect(() => env.step([0.5, 2])).toThrow(expect.objectContaining({ code: "illegal-action" }));
  });

  it("refuses worlds with candidate moves", () => {
    const world: Environment = { ...connectFour(), actionSpaces: [candidates(9, 2), candidates(9, 2)] };
    expect(() => aec(world)).toThrow(expect.objectContaining({ code: "unsupported" }));
  });
});

function* takeSteps(env: ReturnType<typeof aec>, count: number) {
  for (const name of env.agentIter(count)) {
    yield name;
    env.step(3);
  }
}
