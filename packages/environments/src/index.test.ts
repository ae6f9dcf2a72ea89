import { describe, expect, it } from "@jest/globals";
import { boxSize, type Environment, type MakeEnvironment } from "@magic-mask/core";
import { environmentLaws, explainerLaws, policyLaws } from "@magic-mask/core/testing";
import {
  aec,
  cartPole,
  connectFour,
  connectFourOnePly,
  doudizhu,
  environments,
  fromAec,
  fromParallel,
  highway,
  highwayFast,
  makeEnvironment,
  parallel,
  planted,
  plantedCriticality,
  plantedOptimal,
  pong,
  pongWalls,
  simpleSpread,
  simpleTag,
  withRandomOpening,
} from "./index.ts";

const subjects: Readonly<Record<string, MakeEnvironment>> = {
  ...environments,
  "connect_four_v0 with threats": () => connectFour({ observation: "threats" }),
  "connect_four_v0 on 5 × 6": () => connectFour({ rows: 5, columns: 6 }),
  "connect_four_v0 on 8 × 9 with five in a row": () =>
    connectFour({ rows: 8, columns: 9, inARow: 5, observation: "threats" }),
  "planted_v0 with one agent, no locks and no luck": () =>
    planted({ agents: 1, ticks: 5, locks: 0, decoys: 2, luck: 0 }),
  "planted_v0 with nothing but locks": () => planted({ agents: 3, ticks: 4, keys: 2, locks: 4, decoys: 0 }),
  "cartpole_v1 with Sutton and Barto's reward": () => cartPole({ suttonBartoReward: true }),
  "doudizhu_v0 by DouZero's rules": () => doudizhu({ rules: "douzero", observation: "douzero" }),
  "simple_spread_v0 with continuous actions": () => simpleSpread({ N: 2, continuousActions: true, localRatio: 0 }),
  "simple_spread_v0 with neighbours and an early end": () =>
    simpleSpread({ N: 4, numAgentNeighbors: 2, numLandmarkNeighbors: 5, terminateOnSuccess: true, maxCycles: 40 }),
  "simple_tag_v0 with continuous actions": () => simpleTag({ continuousActions: true, curriculum: true }),
  "simple_tag_v0 with neighbours and an early end": () =>
    simpleTag({ numGood: 2, numObstacles: 0, numAgentNeighbors: 2, numLandmarkNeighbors: 1, terminateOnSuccess: true }),
  "highway_v0 with one agent and pedals, ending off the road": () =>
    highway({ agents: 1, others: 8, lanes: 2, action: "continuous", offroadTerminal: true }),
  "highway_fast_v0 with the first car only": () =>
    highwayFast({ agents: 3, others: 6, duration: 8, firstCarOnly: true }),
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

describe("connectFourOnePly on 5 × 6", () => {
  it.each(policyLaws)("$name", ({ run }) =>
    run({ policy: connectFourOnePly({ rows: 5, columns: 6 }), shape: { observation: 60, actions: 6 } }),
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
    ["connect_four_v0", { rows: 1 }, "invalid-option"],
    ["connect_four_v0", { columns: 16 }, "invalid-option"],
    ["connect_four_v0", { rows: 5.5 }, "invalid-option"],
    ["connect_four_v0", { inARow: 8 }, "invalid-option"],
    ["connect_four_v0", { rows: 12, inARow: 9 }, "invalid-option"],
    ["connect_four_v0", { inARow: 1 }, "invalid-option"],
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
    ["doudizhu_v0", { rules: "openspiel" }, "invalid-option"],
    ["doudizhu_v0", { observation: "rldouzero" }, "invalid-option"],
    ["doudizhu_v0", { bidding: true }, "unknown-key"],
    ["pendulum_v1", { g: 9.81 }, "unknown-key"],
    ["simple_spread_v0", { N: 0 }, "invalid-option"],
    ["simple_spread_v0", { localRatio: 1.5 }, "invalid-option"],
    ["simple_spread_v0", { localRatio: Number.NaN }, "invalid-option"],
    ["simple_spread_v0", { maxCycles: 0 }, "invalid-option"],
    ["simple_spread_v0", { continuousActions: 1 }, "invalid-option"],
    ["simple_spread_v0", { terminateOnSuccess: "yes" }, "invalid-option"],
    ["simple_spread_v0", { numAgentNeighbors: 0 }, "invalid-option"],
    ["simple_spread_v0", { numLandmarkNeighbors: 1.5 }, "invalid-option"],
    ["simple_spread_v0", { curriculum: 0 }, "invalid-option"],
    ["simple_spread_v0", { curriculum: true, curriculumStage: 2 }, "invalid-option"],
    ["simple_spread_v0", { curriculumStage: 1 }, "invalid-option"],
    ["simple_spread_v0", { n: 3 }, "unknown-key"],
    ["simple_tag_v0", { numGood: 0 }, "invalid-option"],
    ["simple_tag_v0", { numAdversaries: 0 }, "invalid-option"],
    ["simple_tag_v0", { numObstacles: -1 }, "invalid-option"],
    ["simple_tag_v0", { curriculum: true, curriculumStage: 3 }, "invalid-option"],
    ["simple_tag_v0", { terminateOnSuccess: 1 }, "invalid-option"],
    ["simple_tag_v0", { localRatio: 0.5 }, "unknown-key"],
    ["highway_v0", { vehicles: 3 }, "unknown-key"],
    ["highway_fast_v0", { lane: 3 }, "unknown-key"],
    ["highway_v0", { agents: 17 }, "invalid-option"],
    ["highway_v0", { agents: 1.5 }, "invalid-option"],
    ["highway_v0", { others: -1 }, "invalid-option"],
    ["highway_v0", { lanes: 0 }, "invalid-option"],
    ["highway_v0", { duration: 0 }, "invalid-option"],
    ["highway_v0", { simulationFrequency: 0.5 }, "invalid-option"],
    ["highway_v0", { policyFrequency: 16 }, "invalid-option"],
    ["highway_fast_v0", { agentSpacing: Number.NaN }, "invalid-option"],
    ["highway_v0", { density: 0 }, "invalid-option"],
    ["highway_v0", { action: "throttle" }, "invalid-option"],
    ["highway_v0", { targetSpeeds: [20] }, "invalid-option"],
    ["highway_v0", { targetSpeeds: [20, 25, 40] }, "invalid-option"],
    ["highway_v0", { targetSpeeds: [30, 20] }, "invalid-option"],
    ["highway_v0", { targetSpeeds: "fast" }, "invalid-option"],
    ["highway_v0", { offroadTerminal: 1 }, "invalid-option"],
    ["highway_v0", { firstCarOnly: "yes" }, "invalid-option"],
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
