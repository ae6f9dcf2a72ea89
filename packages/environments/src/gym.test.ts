import { describe, expect, it } from "@jest/globals";
import { type Environment, ILLEGAL, type Policy } from "@magic-mask/core";
import { connectFour } from "./connect-four.ts";
import { connectFourOnePly } from "./connect-four-one-ply.ts";
import { gym } from "./gym.ts";
import { planted, plantedOptimal } from "./planted.ts";

/** Plays the lowest legal column. */
const lowest: Policy = {
  evaluate({ count, legal }, parameters, values) {
    values.fill(0);
    parameters.fill(ILLEGAL);
    for (let row = 0; row < count; row++) parameters[row * 7 + legal.subarray(row * 7, row * 7 + 7).indexOf(1)] = 0;
  },
};
const stones = (observation: Float32Array) =>
  [0, 1].map((plane) => observation.filter((x, i) => i % 2 === plane && x).length);

describe("gym", () => {
  it("plays the opponents until it is this agent's move", () => {
    const env = gym(connectFour(), { agent: "player_1", opponents: { player_0: lowest } });
    const [first, info] = env.reset({ seed: 1 });
    expect([stones(first.observation), info]).toEqual([[0, 1], {}]);
    expect(first.action_mask.join("")).toBe("1111111");
    // player_0 fills column 0 with four stones while player_1 plays column 6: the third answer is its fourth stone.
    expect(env.step(6).slice(1)).toEqual([0, false, false, {}]);
    expect(env.step(6).slice(1)).toEqual([0, false, false, {}]);
    const [last, ...rest] = env.step(6);
    expect(rest).toEqual([-1, true, false, {}]);
    expect(stones(last.observation)).toEqual([3, 4]);
    expect(last.action_mask.join("")).toBe("0000000");
    expect(() => env.step(6)).toThrow(expect.objectContaining({ code: "out-of-order" }));
  });

  it("rewards this agent's own winning move", () => {
    const env = gym(connectFour(), { agent: "player_0", opponents: { player_1: lowest } });
    env.reset({ seed: 1 });
    for (const move of [6, 6, 6]) expect(env.step(move)[1]).toBe(0);
    expect(env.step(6).slice(1)).toEqual([1, true, false, {}]);
  });

  it("throws on illegal actions, with the world unchanged", () => {
    const env = gym(connectFour(), { agent: "player_0", opponents: { player_1: lowest } });
    expect(() => env.step(0)).toThrow(expect.objectContaining({ code: "out-of-order" }));
    env.reset();
    for (let i = 0; i < 3; i++) env.step(0);
    const before = env.render();
    for (const action of [0, 7, -1])
      expect(() => env.step(action)).toThrow(expect.objectContaining({ code: "illegal-action" }));
    expect(env.render()).toBe(before);
  });

  it("repeats the opponents' draws with the seed", () => {
    const episode = (seed: number) => {
      const env = gym(connectFour(), { agent: "player_0", opponents: { player_1: connectFourOnePly() } });
      env.reset({ seed });
      for (let i = 0; i < 3; i++) env.step(3);
      return env.render();
    };
    expect(episode(1)).toBe(episode(1));
    expect(new Set([1, 2, 3, 4, 5].map(episode)).size).toBeGreaterThan(1);
  });

  it("plays simultaneous worlds", () => {
    const options = { ticks: 2, locks: 2, decoys: 0, luck: 0 };
    const env = gym(planted(options), { agent: "agent_1", opponents: { agent_0: plantedOptimal() } });
    const [{ observation }] = env.reset({ seed: 8 });
    // The opponent opens its lock, and so does this agent: 2. Then only the opponent: 1.
    const [next, ...first] = env.step(observation.subarray(2, 6).indexOf(1));
    expect(first).toEqual([2, false, false, {}]);
    expect(env.step((next.observation.subarray(2, 6).indexOf(1) + 1) % 4).slice(1)).toEqual([1, true, false, {}]);
  });

  it("wants exactly the other agents' policies", () => {
    const world = connectFour();
    const attempt = (agent: string, opponents: Record<string, Policy>) => () => gym(world, { agent, opponents });
    expect(attempt("player_0", {})).toThrow(expect.objectContaining({ code: "invalid-option" }));
    expect(attempt("player_2", { player_1: lowest })).toThrow(expect.objectContaining({ code: "unknown-name" }));
    expect(attempt("player_0", { player_1: lowest, player_2: lowest })).toThrow(
      expect.objectContaining({ code: "unknown-name" }),
    );
    expect(attempt("player_0", { player_0: lowest, player_1: lowest })).toThrow(
      expect.objectContaining({ code: "invalid-option" }),
    );
  });

  it("says so when the agent never gets to act", () => {
    const world: Environment = { ...connectFour(), reset: () => undefined };
    const env = gym(world, { agent: "player_1", opponents: { player_0: lowest } });
    expect(() => env.reset({ seed: 0 })).toThrow(expect.objectContaining({ code: "unsupported" }));
  });
});
