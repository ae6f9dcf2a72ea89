import { describe, expect, it } from "@jest/globals";
import { box, discrete, type Environment, isOver, type MakeEnvironment, multiDiscrete, stream } from "@magic-mask/core";
import { environmentLaws, randomActions } from "@magic-mask/core/testing";
import { aec } from "./aec.ts";
import { connectFour } from "./connect-four.ts";
import { type ForeignAec, fromAec } from "./from-aec.ts";
import { type ForeignParallel, fromParallel } from "./from-parallel.ts";
import { parallel } from "./parallel.ts";
import { planted } from "./planted.ts";
import { ticTacToe } from "./tic-tac-toe.ts";

/** Everything that an environment shows in one random episode. */
function transcript(make: MakeEnvironment, seed: number): unknown[] {
  const environment: Environment = make();
  const choose = stream(seed, "choices");
  const seen: unknown[] = [environment.id, environment.agents, environment.turnBased, environment.actionSpaces];
  const look = () => {
    const { acting, rewards, terminated, truncated } = environment;
    seen.push([...acting], [...rewards], [...terminated], [...truncated], environment.render());
    environment.agents.forEach((_, agent) => {
      const observation = new Float32Array(84);
      const mask = new Uint8Array(9);
      environment.observe(agent, observation, 0);
      seen.push(environment.legal(agent, mask, 0), [...observation], [...mask]);
    });
  };
  environment.reset(seed);
  for (look(); !isOver(environment); look()) environment.step(randomActions(environment, choose));
  return seen;
}

describe("there and back", () => {
  it.each<[string, MakeEnvironment, MakeEnvironment]>([
    ["connectFour by aec", connectFour, fromAec(() => aec(connectFour()))],
    ["ticTacToe by aec", ticTacToe, fromAec(() => aec(ticTacToe()))],
    ["planted by parallel", planted, fromParallel(() => parallel(planted()))],
  ])("%s equals the original step by step", (_, original, copy) => {
    for (const seed of [0, 1, 2]) expect(transcript(copy, seed)).toEqual(transcript(original, seed));
  });

  it("cannot be copied, and says so", () => {
    for (const make of [fromAec(() => aec(connectFour())), fromParallel(() => parallel(planted()))]) {
      const environment = make();
      expect(environment.snapshotBytes).toBe(0);
      environment.reset(0);
      expect(() => environment.snapshot(new Uint8Array(99), 0)).toThrow(
        expect.objectContaining({ code: "unsupported" }),
      );
      expect(() => environment.restore(new Uint8Array(99), 0)).toThrow(
        expect.objectContaining({ code: "unsupported" }),
      );
    }
  });

  it("takes what the object does not say about itself", () => {
    const environment = fromAec(() => aec(connectFour()), { id: "ours_v3", roles: ["p", "p"], returnRange: [-1, 1] })();
    expect(environment).toMatchObject({ id: "ours_v3", roles: ["p", "p"], returnRange: [-1, 1], commonFeatures: null });
    expect(fromAec(() => aec(connectFour()))().roles).toEqual(["player_0", "player_1"]);
  });
});

/**
 * Somebody's own AEC world: three agents count in turns; the first leaves after one round with 5, the others after three
 * rounds with nothing, by the clock. No masks, plain lists, no metadata.
 */
function counting(): ForeignAec {
  const names = ["a", "b", "c"];
  let agents: string[] = [];
  let turn = 0;
  const self = {
    possibleAgents: names,
    get agents() {
      return agents;
    },
    agentSelection: "",
    rewards: {} as Record<string, number>,
    terminations: {} as Record<string, boolean>,
    truncations: {} as Record<string, boolean>,
    observationSpace: () => box([2], 0, 99),
    actionSpace: () => multiDiscrete(2, 3),
    reset() {
      agents = [...names];
      turn = 0;
      self.agentSelection = "a";
      for (const name of names) {
        self.rewards[name] = 0;
        self.terminations[name] = false;
        self.truncations[name] = false;
      }
    },
    observe(name: string) {
      if (!agents.includes(name)) throw new Error(`${name} has left`);
      return [turn, names.indexOf(name)];
    },
    step(action: unknown) {
      const mover = self.agentSelection;
      if (action === null) {
        agents = agents.filter((name) => name !== mover);
        delete self.rewards[mover];
        delete self.terminations[mover];
        delete self.truncations[mover];
        self.agentSelection = agents[0];
        return;
      }
      if ((action as ArrayLike<number>).length !== 2) throw new Error("an action has two parts");
      turn++;
      for (const name of agents) self.rewards[name] = 0;
      const next = agents[(agents.indexOf(mover) + 1) % agents.length];
      self.agentSelection = next;
      if (turn === 3) {
        self.rewards.a = 5;
        self.terminations.a = true;
        self.agentSelection = "a";
      }
      if (turn === 7) for (const name of agents) self.truncations[name] = true;
    },
    render: () => `turn ${turn}`,
  };
  return self;
}

/** The same by the parallel shape: "a" leaves after one tick with 5, the clock stops the others after three. */
function countingTogether(): ForeignParallel {
  let agents: string[] = [];
  let tick = 0;
  const all = <T>(value: (name: string) => T) => Object.fromEntries(agents.map((name) => [name, value(name)]));
  const look = (name: string) => ({ observation: [tick], action_mask: name === "a" ? [1, 0] : [0, 1] });
  return {
    possibleAgents: ["a", "b", "c"],
    get agents() {
      return agents;
    },
    observationSpace: () => box([1], 0, 99),
    actionSpace: () => discrete(2),
    reset() {
      agents = ["a", "b", "c"];
      tick = 0;
      return [all(look)];
    },
    step(actions) {
      if (Object.keys(actions).join() !== agents.join()) throw new Error(`wanted ${agents}`);
      tick++;
      const result = [
        all(look),
        all((name) => (name === "a" ? 5 : 0)),
        all((name) => name === "a"),
        all(() => tick === 3),
      ] as const;
      agents = tick === 3 ? [] : ["b", "c"];
      return result;
    },
    render: () => `tick ${tick}`,
  };
}

describe("somebody else's world", () => {
  it.each(environmentLaws)("obeys by fromAec: $name", ({ run }) => run(fromAec(counting, { id: "counting_v0" })));
  it.each(environmentLaws)("obeys by fromParallel: $name", ({ run }) =>
    run(fromParallel(countingTogether, { id: "counting_v1" })),
  );

  it("is told from an AEC world in which agents leave early", () => {
    const environment = fromAec(counting, { id: "counting_v0" })();
    const actions = new Float32Array(6);
    environment.reset(0);
    const order: number[] = [];
    const rewards: number[][] = [];
    while (!isOver(environment)) {
      order.push(environment.acting.indexOf(1));
      environment.step(actions);
      rewards.push([...environment.rewards]);
    }
    expect(order).toEqual([0, 1, 2, 1, 2, 1, 2]);
    expect(rewards[2]).toEqual([5, 0, 0]);
    expect(rewards[3]).toEqual([0, 0, 0]);
    expect([[...environment.terminated], [...environment.truncated]]).toEqual([
      [1, 0, 0],
      [0, 1, 1],
    ]);
    // Agent 0 left after turn 3 and goes on seeing it; the others see the end, from which a learner bootstraps.
    const last = [0, 1, 2].map((agent) => {
      const out = new Float32Array(2);
      environment.observe(agent, out, 0);
      return [...out];
    });
    expect(last).toEqual([
      [3, 0],
      [7, 1],
      [7, 2],
    ]);
  });

  it("is told from a parallel world in which agents leave early", () => {
    const environment = fromParallel(countingTogether, { id: "counting_v1" })();
    environment.reset(0);
    environment.step(Float32Array.of(0, 1, 1));
    expect([[...environment.acting], [...environment.rewards], [...environment.terminated]]).toEqual([
      [0, 1, 1],
      [5, 0, 0],
      [1, 0, 0],
    ]);
    environment.step(Float32Array.of(9, 1, 1));
    environment.step(Float32Array.of(9, 1, 1));
    expect([[...environment.acting], [...environment.truncated]]).toEqual([
      [0, 0, 0],
      [0, 1, 1],
    ]);
    const seen = [0, 1].map((agent) => {
      const out = new Float32Array(1);
      environment.observe(agent, out, 0);
      return out[0];
    });
    expect(seen).toEqual([1, 3]);
  });

  it("is refused where it breaks its own word", () => {
    expect(() => fromAec(counting)()).toThrow(expect.objectContaining({ code: "invalid-option" }));
    const narrow = fromAec(() => Object.assign(counting(), { observe: () => [1] }), { id: "narrow_v0" })();
    narrow.reset(0);
    expect(() => narrow.observe(0, new Float32Array(2), 0)).toThrow(
      expect.objectContaining({ code: "shape-mismatch" }),
    );
    const halfMasked = {
      actionSpace: () => discrete(2),
      observe: () => ({ observation: [0, 0], action_mask: [1] }),
    };
    const masked = fromAec(() => Object.assign(counting(), halfMasked), { id: "masked_v0" })();
    masked.reset(0);
    expect(() => masked.legal(0, new Uint8Array(2), 0)).toThrow(expect.objectContaining({ code: "shape-mismatch" }));
  });
});
