import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { collectStates } from "@magic-mask/metrics";
import { assembleTeam, assembleWorld, policyWork } from "../assemble.ts";
import { loadBackend } from "../backend.ts";
import { parseConfig } from "../config.ts";
import { type Brancher, createBrancher, createWorkerBrancher } from "./brancher.ts";
import { addressOf } from "./cache.ts";
import { playersOf, truthOf } from "./truth-of.ts";

const config = parseConfig({
  environment: { id: "tictactoe_v0" },
  evaluation: { rollouts: 4, pilotRollouts: 2, batches: 2, reliability: 1 },
});
const world = assembleWorld(config);
const backend = await loadBackend({ backend: "auto", workers: 0 }, policyWork(config, world));
const team = assembleTeam(config, world, backend.create);
const policies = team.players.map((k) => team.learners[k].policy);
const [states] = collectStates({
  make: world.make,
  policies,
  perturbation: world.perturbations[0],
  agents: [0],
  count: 60,
  seed: 1,
});
const here = createBrancher(world, policies);
const options = { config, states, seed: 3, brancher: here };

describe("truth on worker threads", () => {
  const branching = { rollouts: 4, batch: 0, seed: 5, discount: 0.9 };

  it.each([1, 3])(
    "is that of this thread, to the last bit, on %i of them",
    async (workers) => {
      const there = createWorkerBrancher(config, team, backend.name, workers);
      try {
        const shares: number[] = [];
        expect(await there.branch(states, branching, (share) => shares.push(share))).toEqual(
          await here.branch(states, branching),
        );
        expect([...shares].sort((a, b) => a - b)).toEqual(shares);
        expect(shares.at(-1)).toBe(1);
        // Other states in the same threads.
        const [others] = collectStates({ ...worldOf, agents: [1], count: 30, seed: 2 });
        expect(await there.branch(others, branching)).toEqual(await here.branch(others, branching));
      } finally {
        await there.close();
      }
    },
    60_000,
  );

  it("passes on what goes wrong there", async () => {
    const there = createWorkerBrancher(config, team, backend.name, 1);
    await expect(there.branch(states, { ...branching, rollouts: 0 })).rejects.toThrow(
      "[metrics/truth] rollouts must be a whole number ≥ 1, got 0",
    );
    await there.close();
  }, 30_000);
});

const worldOf = { make: world.make, policies, perturbation: world.perturbations[0] };

describe("kept truth", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "magic-mask-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const cache = () => ({ folder, players: playersOf(team, backend.name) });
  const refuses: Brancher = {
    branch: () => Promise.reject(new Error("asked to branch")),
    close: async () => {},
  };

  it("is found again, the same to the last bit, by whoever asks for the same", async () => {
    const made = await truthOf({ ...options, cache: cache() });
    expect(made).toEqual(await truthOf(options));
    expect(readdirSync(folder)).toHaveLength(1);
    expect(await truthOf({ ...options, brancher: refuses, cache: cache() })).toEqual(made);
  });

  it.each([
    ["the world", { config: { ...config, environment: { id: "tictactoe_v0", options: { a: 1 } } } }],
    ["the discount", { config: { ...config, training: { ...config.training, discount: 0.5 } } }],
    ["the rollouts", { config: { ...config, evaluation: { ...config.evaluation, rollouts: 6 } } }],
    ["the seed", { seed: 4 }],
    ["the states", { states: collectStates({ ...worldOf, agents: [0], count: 60, seed: 2 })[0] }],
    [
      "the perturbation",
      {
        states: {
          ...states,
          decisions: { ...states.decisions, perturbation: states.decisions.perturbation.map((x) => x - 1) },
        },
      },
    ],
  ])("is another one for another value of %s", async (_, change) => {
    await expect(truthOf({ ...options, ...change, brancher: refuses, cache: cache() })).rejects.toThrow(
      "asked to branch",
    );
  });

  it("is another one for other players", async () => {
    const other = assembleTeam({ ...config, seed: 2 }, world, backend.create);
    const players = playersOf(other, backend.name);
    await expect(truthOf({ ...options, brancher: refuses, cache: { folder, players } })).rejects.toThrow(
      "asked to branch",
    );
  });

  it("is made anew, with a word, where its file is damaged or another one's", async () => {
    const whole = await truthOf({ ...options, cache: cache() });
    const file = join(folder, readdirSync(folder)[0]);
    const text = readFileSync(file, "utf8");
    const messages: string[] = [];
    const again = () => truthOf({ ...options, cache: cache(), onDamage: (message) => messages.push(message) });
    for (const damaged of [text.slice(0, 400), text.replace("criticality", "criticalitz"), "", "{}"]) {
      writeFileSync(file, damaged);
      expect(await again()).toEqual(whole);
      expect(readFileSync(file, "utf8")).toBe(text);
    }
    expect(messages).toHaveLength(4);
    for (const message of messages) expect(message).toContain(file);
    await truthOf({ ...options, seed: 9, cache: cache() });
    const other = readdirSync(folder).find((name) => join(folder, name) !== file) as string;
    writeFileSync(file, readFileSync(join(folder, other)));
    await again();
    expect(messages.at(-1)).toContain("should hold truth");
  });
});

it("names truths by all that arrays hold, and their types", () => {
  const parts = { a: Float32Array.of(1, 2), b: { c: Int32Array.of(3) }, d: "e" };
  expect(addressOf(parts)).toBe(addressOf({ ...parts, a: Float32Array.of(1, 2) }));
  for (const other of [
    { a: Float32Array.of(1, 3) },
    { a: Float64Array.of(1, 2) },
    { d: "f" },
    { b: { c: Int32Array.of(4) } },
  ]) {
    expect(addressOf({ ...parts, ...other })).not.toBe(addressOf(parts));
  }
});
