import { beforeAll, describe, expect, it } from "@jest/globals";
import { createModelExchange, emptyRecord, encodeMessages } from "@magic-mask/comm";
import { completeRows, type Explainer, type Learner, vectorize } from "@magic-mask/core";
import { planted, plantedCriticality, plantedOptimal } from "@magic-mask/environments";
import { type Evidence, selectDecisions, uniform } from "@magic-mask/masking";
import { auroc } from "@magic-mask/metrics";
import { createCollector } from "@magic-mask/ppo";
import { assembleCritics, assembleWorld, policyWork } from "./assemble.ts";
import { loadBackend } from "./backend.ts";
import { resolveConfig } from "./config.ts";
import { createMemory } from "./memory.ts";

/** Four agents who meet locks, which matter, and decoys, where they are as sure of themselves and nothing does. */
const OPTIONS = { agents: 4, ticks: 12, keys: 2 };
const POLICY = plantedOptimal({ keys: 2 });
const FRIENDS = [0, 1, 2];
const TICKS = 120;
const COPIES = 64;

/** One evening's play, remembered by teams that differ only in what they tell each other and in whom they believe. */
async function teamsOn(seed: number) {
  const config = resolveConfig({
    overrides: [
      `seed=${seed}`,
      "environment.id=planted_v0",
      `environment.options=${JSON.stringify(OPTIONS)}`,
      "backend=fused",
      "workers=0",
    ],
  });
  const world = assembleWorld(config);
  const { create } = await loadBackend(config, policyWork(config, world));
  const { spec } = world;
  const critics = assembleCritics(config, world, create, seed, true);
  const play = (ticks: number, probability: number, of: number) =>
    createCollector({
      vector: vectorize(() => planted(OPTIONS), COPIES),
      policies: [POLICY],
      players: [0, 0, 0, 0],
      perturbations: spec.actionSpaces.map(uniform),
      seed: of,
    }).collect(ticks, { kind: "coin", probability }).rollouts[0];
  const rollout = play(TICKS, 0.4, seed);
  const evidences: Evidence[] = [];
  for (const critic of critics) {
    await critic.fit(rollout, { epochs: 2, learningRate: { start: 3e-3, end: 1e-3 } });
    evidences.push(critic.judge(rollout));
  }
  const heldOut = play(24, 0, seed + 1000);
  const areaOf = (explainer: Explainer, agent: number) => {
    const decisions = selectDecisions(heldOut, completeRows(heldOut, agent), agent);
    const [scores, truth, spread] = [0, 1, 2].map(() => new Float32Array(decisions.count));
    plantedCriticality({ keys: 2 }).score(decisions, truth, spread);
    explainer.score(decisions, scores, spread);
    return auroc(scores, truth, { top: truth.filter((delta) => delta > 0).length / truth.length });
  };
  /** @param rounds after which heads learn, each from what is there by then */
  return async (mode: string, sharing: { trust: boolean; hostile?: Record<string, string> }, rounds = 1) => {
    const asked = { sharing: { ...config.sharing, hostile: {}, ...sharing } } as Parameters<
      typeof createMemory
    >[0]["config"];
    const memory = createMemory({
      // Where returns have bounds, so has what is told of them.
      spec: { ...spec, returnRange: null },
      mode,
      config: asked,
      copies: COPIES,
      retrospective: true,
      seed,
      createLearner: create,
      critics,
    });
    for (let round = 1; round <= rounds; round++) {
      const [from, to] = [round - 1, round].map((end) => (end * TICKS) / rounds);
      for (const evidence of evidences) {
        const { ticks } = evidence.rollout;
        const lived = evidence.rows.filter((row) => ticks[row] > from && ticks[row] <= to);
        const rows = memory.remember({ ...evidence, rows: lived }, 0, to);
        memory.share(evidence, rows, new Float32Array(rows.length).fill(0.5), 0, to);
      }
      const now = round === rounds ? 150 : to;
      memory.tick(now);
      await memory.fitHeads(120 / rounds, now);
    }
    const look = () => FRIENDS.reduce((sum, agent) => sum + areaOf(memory.heads[agent], agent), 0) / FRIENDS.length;
    return { area: look(), memory, look };
  };
}

describe("one poisoner in four", () => {
  let teamWith: Awaited<ReturnType<typeof teamsOn>>;
  let none: number;
  beforeAll(async () => {
    teamWith = await teamsOn(1);
    none = (await teamWith("none", { trust: true })).area;
  });

  it("is found out, and friends are not", async () => {
    const { area, memory } = await teamWith("perturbed", { trust: true, hostile: { agent_3: "poison" } });
    expect(area).toBeGreaterThan(none - 0.02);
    for (const friend of FRIENDS) {
      const { weights } = memory.trusts[friend];
      expect(weights[3]).toBeLessThan(0.2);
      for (const other of FRIENDS) expect(weights[other]).toBeGreaterThan(0.5);
    }
  });

  it("ruins what believes everyone, if it is loud, and costs next to nothing where trust is learned", async () => {
    const hostile = { agent_3: "flood" };
    const believing = await teamWith("perturbed", { trust: false, hostile });
    const trusting = await teamWith("perturbed", { trust: true, hostile });
    expect(believing.area).toBeLessThan(none - 0.1);
    expect(trusting.area).toBeGreaterThan(none - 0.02);
    // More than one record a tick and copy is more than anyone can have made.
    const { refusals, taken } = trusting.memory.sharing.intake;
    expect(refusals.flooded[0]).toBeGreaterThan(0);
    expect(taken[3]).toBeLessThanOrEqual(COPIES * 200);
  });

  it("gains little by being honest first, where heads learn as they go", async () => {
    const alone = await teamWith("none", { trust: true }, 12);
    const hostile = { agent_3: "turncoat" };
    const trusting = await teamWith("perturbed", { trust: true, hostile }, 12);
    const believing = await teamWith("perturbed", { trust: false, hostile }, 12);
    expect(trusting.area).toBeGreaterThan(alone.area - 0.03);
    expect(trusting.area).toBeGreaterThan(believing.area);
    for (const friend of FRIENDS) expect(trusting.memory.trusts[friend].weights[3]).toBeLessThan(0.5);
  });

  it("speaks in nobody else's name, and gains nothing by saying things again", async () => {
    const honest = await teamWith("perturbed", { trust: true });
    const replayed = await teamWith("perturbed", { trust: true, hostile: { agent_3: "replay" } });
    const forged = await teamWith("perturbed", { trust: true, hostile: { agent_3: "forge" } });
    expect(replayed.area).toBe(honest.area);
    const { sharing, channel } = forged.memory;
    const each = channel.statistics.messages[3] / 3;
    expect(each).toBeGreaterThan(0);
    expect(sharing.intake.refusals.forged.slice(0, 3)).toEqual(Float64Array.of(each, each, each));
    expect(sharing.intake.taken[3]).toBe(0);
  });

  it("breaks nothing by wild numbers, whenever they come, and bends nobody who learns whom to trust", async () => {
    for (const advantage of [3e38, 1e4]) {
      for (const trust of [true, false]) {
        const { memory, area, look } = await teamWith("perturbed", { trust });
        const wild = Array.from({ length: 30 }, (_, episode) => {
          const signature = new Int8Array(memory.buffers[0].signatureLength);
          const record = { ...emptyRecord(), signature, agent: 3, step: 151, episode, advantage };
          return { ...record, logProb: -1, perturbationLogProb: -1, blindProbability: 0.4 };
        });
        for (const message of encodeMessages(wild, wild[0].signature.length)) {
          for (const friend of FRIENDS) memory.channel.send(3, friend, message, 160);
        }
        memory.tick(160);
        expect(memory.sharing.intake.refusals.corrupt[0]).toBe(0);
        await memory.fitHeads(120, 160);
        if (trust) {
          expect(memory.trusts[0].weights[3]).toBe(0);
          expect(look()).toBeGreaterThan(area - 0.02);
        }
      }
    }
  });

  it("breaks no network that is averaged", async () => {
    const { memory } = await teamWith("model", { trust: true });
    const size = memory.heads[0].learner.exportState().parameters.length;
    const wild = (value: number) => {
      const parameters = new Float32Array(size).fill(value);
      const learner = { exportState: () => ({ parameters }) } as Learner;
      const exchange = createModelExchange({ spec: planted(OPTIONS), learners: [0, 1, 2, 3].map(() => learner) });
      // It is the newest of its sender.
      for (let i = 0; i < 1000; i++) exchange.write(3);
      return exchange.write(3);
    };
    memory.channel.send(3, 0, wild(3e38), 160);
    memory.tick(160);
    expect(memory.sharing.intake.refusals.corrupt[0]).toBe(1);
    memory.channel.send(3, 0, wild(1000), 170);
    memory.tick(170);
    await memory.fitHeads(50, 170);
    expect(memory.sharing.counters.averaged[3]).toBeGreaterThan(0);
  });

  it("must be one of the team", async () => {
    await expect(teamWith("perturbed", { trust: true, hostile: { agent_9: "poison" } })).rejects.toThrow(
      'there is no agent of sharing.hostile "agent_9"',
    );
  });
});
