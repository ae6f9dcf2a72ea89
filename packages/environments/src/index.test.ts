import { describe, expect, it } from "@jest/globals";
import { boxSize, type Environment, type MakeEnvironment } from "@magic-mask/core";
import { environmentLaws, explainerLaws, policyLaws } from "@magic-mask/core/testing";
import {
  aec,
  cartPole,
  connectFour,
  connectFourOnePly,
  environments,
  fromAec,
  fromParallel,
  makeEnvironment,
  parallel,
  planted,
  plantedCriticality,
  plantedOptimal,
  pong,
  pongWalls,
  withRandomOpening,
} from "./index.ts";

const subjects: Readonly<Record<string, MakeEnvironment>> = {
  ...environments,
  "connect_four_v0 with threats": () => connectFour({ observation: "threats" }),
  "planted_v0 with one agent, no locks and no luck": () =>
    planted({ agents: 1, ticks: 5, locks: 0, decoys: 2, luck: 0 }),
  "planted_v0 with nothing but locks": () => planted({ agents: 3, ticks: 4, keys: 2, locks: 4, decoys: 0 }),
  "cartpole_v1 with Sutton and Barto's reward": () => cartPole({ suttonBartoReward: true }),
  // Whole games take thousands of frames.
  pong_v0: () => pong({ maxFrames: 1500 }),
  "pong_v0 with one player": () => pong({ players: 1 }),
  "pong_v0 with repeated actions": () => pong({ frameSkip: 5, repeatActionProbability: 0.5, maxFrames: 2004 }),
  "pong_v0 with pixels": () =>
    pong({ observation: "pixels", frameSkip: 16, repeatActionProbability: 0.5, maxFrames: 80 }),
  "pong_walls_v0 with two agents": () => pongWalls({ agents: 2, points: 3 }),
  "pong_walls_v0 with three agents": () => pongWalls({ agents: 3, points: 2 }),
  "pong_walls_v0 with many agents": () => pongWalls({ agents: 20, points: 3, maxTicks: 60 }),
  "withRandomOpening(connectFour, 8)": withRandomOpening(connectFour, 8),
  "fromAec(aec(connectFour))": fromAec(() => aec(connectFour())),
  "fromAec(aec(planted))": fromAec(() => aec(planted())),
  "fromParallel(parallel(planted))": fromParallel(() => parallel(planted())),
};

describe.each(Object.entries(subjects))("%s", (_, make) => {
  it.each(environmentLaws)("$name", ({ run }) => run(make));
});

describe("connectFourOnePly", () => {
  it.each(policyLaws)("$name", ({ run }) =>
    run({ policy: connectFourOnePly(), shape: { observation: 84, actions: 7 } }),
  );
});

describe("plantedOptimal", () => {
  it.each(policyLaws)("$name", ({ run }) => run({ policy: plantedOptimal(), shape: { observation: 7, actions: 4 } }));
});

describe("plantedCriticality", () => {
  it.each(explainerLaws)("$name", ({ run }) =>
    run({ make: plantedCriticality, shape: { observation: 7, actions: 4 } }),
  );
});

describe("makeEnvironment", () => {
  it("builds what is registered, under its own id, with options", () => {
    for (const id of Object.keys(environments)) expect(makeEnvironment(id).id).toBe(id);
    expect(boxSize(makeEnvironment("connect_four_v0", { observation: "threats" }).observationSpaces[0])).toBe(168);
  });

  it("names what there is when asked for something else", () => {
    expect(() => makeEnvironment("connect_four_v9")).toThrow(
      expect.objectContaining({ code: "unknown-name", message: expect.stringContaining("connect_four_v0") }),
    );
    expect(() => makeEnvironment("toString")).toThrow(expect.objectContaining({ code: "unknown-name" }));
  });

  it.each<[string, Record<string, unknown>, string]>([
    ["connect_four_v0", { observatoin: "threats" }, "unknown-key"],
    ["connect_four_v0", { observation: "pixels" }, "invalid-option"],
    ["tictactoe_v0", { size: 4 }, "unknown-key"],
    ["planted_v0", { lock: 3 }, "unknown-key"],
    ["planted_v0", { agents: 0 }, "invalid-option"],
    ["planted_v0", { agents: 1.5 }, "invalid-option"],
    ["planted_v0", { keys: 1 }, "invalid-option"],
    ["planted_v0", { ticks: 5, locks: 3, decoys: 3 }, "invalid-option"],
    ["planted_v0", { luck: 0.1 }, "invalid-option"],
    ["planted_v0", { luck: "much" }, "invalid-option"],
    ["cartpole_v1", { suttonBartoReward: 1 }, "invalid-option"],
    ["cartpole_v1", { sutton: true }, "unknown-key"],
    ["pong_v0", { players: 3 }, "invalid-option"],
    ["pong_v0", { players: "1" }, "invalid-option"],
    ["pong_v0", { frameSkip: 0 }, "invalid-option"],
    ["pong_v0", { repeatActionProbability: 1.5 }, "invalid-option"],
    ["pong_v0", { maxFrames: 0.5 }, "invalid-option"],
    ["pong_v0", { observation: "ram" }, "invalid-option"],
    ["pong_v0", { frameskip: 4 }, "unknown-key"],
    ["pong_walls_v0", { agents: 1 }, "invalid-option"],
    ["pong_walls_v0", { agents: 65 }, "invalid-option"],
    ["pong_walls_v0", { points: 0 }, "invalid-option"],
    ["pong_walls_v0", { maxTicks: 1.5 }, "invalid-option"],
    ["pong_walls_v0", { walls: 4 }, "unknown-key"],
  ])("refuses %s with %j", (id, options, code) => {
    expect(() => makeEnvironment(id, options)).toThrow(expect.objectContaining({ code }));
  });
});

describe("a snapshot that is too short", () => {
  it.each(Object.entries(environments))("is refused by %s", (_, make: MakeEnvironment) => {
    const environment: Environment = make();
    environment.reset(0);
    expect(() => environment.restore(new Uint8Array(environment.snapshotBytes), 1)).toThrow(
      expect.objectContaining({ code: "shape-mismatch" }),
    );
  });
});
