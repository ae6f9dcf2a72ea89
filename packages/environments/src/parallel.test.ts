import { describe, expect, it } from "@jest/globals";
import { isOver, stream } from "@magic-mask/core";
import { connectFour } from "./connect-four.ts";
import { parallel } from "./parallel.ts";
import { planted } from "./planted.ts";

describe("parallel", () => {
  it("refuses turn-based worlds", () => {
    expect(() => parallel(connectFour())).toThrow(expect.objectContaining({ code: "unsupported" }));
  });

  it("shows a simultaneous world tick by tick", () => {
    const env = parallel(planted());
    const world = planted();
    const choose = stream(4, "actions");
    const out = new Float32Array(7);
    let [observations] = env.reset({ seed: 4 });
    world.reset(4);
    while (env.agents.length > 0) {
      env.agents.forEach((name, agent) => {
        world.observe(agent, out, 0);
        expect(Array.from(observations[name].observation)).toEqual(Array.from(out));
        expect(Array.from(observations[name].action_mask)).toEqual([1, 1, 1, 1]);
      });
      const actions = [choose.below(4), choose.below(4)];
      const [next, rewards, terminations, truncations, infos] = env.step({ agent_0: actions[0], agent_1: actions[1] });
      world.step(Float32Array.from(actions));
      observations = next;
      expect(rewards).toEqual({ agent_0: world.rewards[0], agent_1: world.rewards[1] });
      expect(terminations).toEqual({ agent_0: isOver(world), agent_1: isOver(world) });
      expect([truncations, infos]).toEqual([
        { agent_0: false, agent_1: false },
        { agent_0: {}, agent_1: {} },
      ]);
    }
    expect(isOver(world)).toBe(true);
    expect(Object.keys(observations)).toEqual(["agent_0", "agent_1"]);
    expect(() => env.step({})).toThrow(expect.objectContaining({ code: "out-of-order" }));
  });

  it("throws on a missing or impossible action, with the world unchanged", () => {
    const env = parallel(planted());
    expect(() => env.step({ agent_0: 0, agent_1: 0 })).toThrow(expect.objectContaining({ code: "out-of-order" }));
    env.reset({ seed: 1 });
    const before = env.render();
    expect(() => env.step({ agent_0: 0 })).toThrow(expect.objectContaining({ code: "illegal-action" }));
    expect(() => env.step({ agent_0: 0, agent_1: 4 })).toThrow(expect.objectContaining({ code: "illegal-action" }));
    expect(env.render()).toBe(before);
    expect(env.observationSpace("agent_1").shape).toEqual([7]);
    expect(env.actionSpace("agent_0")).toMatchObject({ n: 4 });
  });
});
