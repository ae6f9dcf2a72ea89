import { describe, expect, it } from "@jest/globals";
import { play } from "@magic-mask/core";
import { market } from "@magic-mask/core/testing";
import { uniform } from "@magic-mask/masking";
import { branchingTruth, collectStates, episodeReturns, rewardDrop, spearman } from "@magic-mask/metrics";
import { assembleExplanation, assembleTeam, policyWork, type World } from "./assemble.ts";
import { loadBackend } from "./backend.ts";
import { resolveConfig } from "./config.ts";
import { explainEpisode } from "./explanation/explain-episode.ts";
import { subjectOf } from "./explanation/subject.ts";
import { trainJointly } from "./joint.ts";
import type { LoadedRun } from "./load-run.ts";
import { randomPlayer } from "./policies.ts";
import { assemblePostHoc, explainPostHoc } from "./posthoc.ts";

const spec = market();
const world: World = {
  make: market,
  spec,
  perturbations: spec.actionSpaces.map(uniform),
};

async function trained(backend: string, totalSteps: number) {
  const config = resolveConfig({
    overrides: [
      `backend=${backend}`,
      "workers=0",
      "environment.id=planted_v0",
      `training.totalSteps=${totalSteps}`,
      "training.copies=32",
      "training.minibatch=128",
      "training.entropyCoefficient=0.01",
      "training.hidden=[32,32]",
      "mask.every=8",
      "posthoc.steps=60000",
      "posthoc.headSteps=100",
      "evaluation.paperSeeds=2",
    ],
  });
  const run = await loadBackend(config, policyWork(config, world));
  const team = assembleTeam(config, world, run.create);
  const explanation = assembleExplanation(config, world, run.create, 1, false);
  for await (const _ of trainJointly(config, world, team, explanation, run));
  return { config, run, team, policies: team.players.map((k) => team.learners[k].policy) };
}

const meanReturn = (policies: Parameters<typeof play>[0]["policies"]) => {
  const episodes = play({ make: market, policies, episodes: 100, seed: 7 });
  return [0, 1].map((agent) => episodeReturns(episodes, agent).reduce((sum, value) => sum + value / 100, 0));
};

describe("a world whose actions are candidates", () => {
  it("gives agents that see unlike much a policy each, shared or not", async () => {
    const config = resolveConfig({ overrides: ["workers=0", "backend=fused"] });
    const { create } = await loadBackend(config, policyWork(config, world));
    expect(assembleTeam(config, world, create).players).toEqual([0, 1]);
    const alike = { ...spec, observationSpaces: [spec.observationSpaces[1], spec.observationSpaces[1]] };
    expect(assembleTeam(config, { ...world, spec: alike }, create).players).toEqual([0, 0]);
  });

  it("is learned on the fused backend, and explained", async () => {
    // Of 4: 2.1 at random.
    for (const value of meanReturn(spec.actionSpaces.map(randomPlayer))) expect(value).toBeLessThan(2.4);
    const { config, run, team, policies } = await trained("fused", 40_000);
    for (const value of meanReturn(policies)) expect(value).toBeGreaterThan(3.7);

    const postHoc = assemblePostHoc(config, world, run.create);
    await explainPostHoc(config, world, team, postHoc, run);
    const [states] = collectStates({
      make: market,
      policies,
      perturbation: world.perturbations[0],
      agents: [0],
      count: 60,
      seed: 3,
    });
    const truth = branchingTruth({ make: market, policies, states, rollouts: 2, seed: 5, discount: 0.99 });
    const scores = new Float32Array(60);
    postHoc.explanation.masks[0].explainer.score(states.decisions, scores, new Float32Array(60));
    expect(spearman(scores, truth.criticality)).toBeGreaterThan(0.7);

    const { drop } = rewardDrop({
      make: market,
      policies,
      agent: 0,
      perturbation: world.perturbations[0],
      explainer: postHoc.explanation.masks[0].explainer,
      share: 0.3,
      episodes: 60,
      seed: 2,
    });
    expect(drop.low).toBeGreaterThan(0);

    const record = { id: "market", trajectoryHash: "none" };
    const subject = subjectOf({ config, world, team, postHoc, record } as LoadedRun);
    const { explanation } = explainEpisode(subject, { game: 0, moments: 1, rollouts: 4, command: "" });
    const [moment] = explanation.agents[0].moments;
    const [best] = [...moment.alternatives].sort((a, b) => b.estimate - a.estimate);
    expect(best).toMatchObject({ taken: true, label: expect.stringMatching(/^kind-\d$/) });
    expect(moment.board).toMatch(/wants \d, offered/);
  });

  it("is learned through tfjs", async () => {
    const { policies } = await trained("tfjs-wasm", 20_000);
    for (const value of meanReturn(policies)) expect(value).toBeGreaterThan(3.2);
  });
});
