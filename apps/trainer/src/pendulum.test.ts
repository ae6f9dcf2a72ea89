import { expect, it } from "@jest/globals";
import type { Policy } from "@magic-mask/core";
import { auroc, branchingTruth, collectStates, spearman } from "@magic-mask/metrics";
import { assembleTeam, assembleWorld, policyWork } from "./assemble.ts";
import { loadBackend } from "./backend.ts";
import { resolveConfig } from "./config.ts";
import { explainEpisode } from "./explanation/explain-episode.ts";
import { assemblePostHoc, explainPostHoc } from "./posthoc.ts";

/** Keeps the rod going round: pushes with the movement and towards the side; σ = .2. */
const spinning: Policy = {
  evaluate({ count, observations }, parameters, values) {
    for (let row = 0; row < count; row++) {
      const [cos, sin, speed] = observations.subarray(3 * row, 3 * row + 3);
      const torque = (cos > 0 ? -1.5 : 1.5) * sin + 0.3 * speed;
      parameters.set([Math.max(-2, Math.min(2, torque)), Math.log(0.2)], 2 * row);
    }
    values.fill(0, 0, count);
  },
};

it("finds what a random torque costs where actions are continuous, and shows what else might have been done", async () => {
  const overrides = ["environment.id=pendulum_v1", "backend=fused", "workers=0", "posthoc.steps=20000"];
  const small = [
    "posthoc.epochs=12",
    "posthoc.probability=0.3",
    "posthoc.headSteps=50",
    "evaluation.paperSeeds=2",
    "training.copies=64",
  ];
  const config = resolveConfig({ overrides: [...overrides, ...small] });
  const world = assembleWorld(config);
  const backend = await loadBackend(config, policyWork(config, world));
  const assembled = assembleTeam(config, world, backend.create);
  const team = { ...assembled, learners: assembled.learners.map((each) => ({ ...each, policy: spinning })) };
  const postHoc = assemblePostHoc(config, world, backend.create);
  await explainPostHoc(config, world, team, postHoc, backend);

  const options = { make: world.make, policies: [spinning] };
  const [states] = collectStates({ ...options, perturbation: world.perturbations[0], count: 120, seed: 3 });
  const truth = branchingTruth({ ...options, states, rollouts: 16, seed: 5, discount: config.training.discount });
  expect(truth.reliability).toBeGreaterThan(0.7);
  const scores = new Float32Array(120);
  postHoc.explanation.masks[0].explainer.score(states.decisions, scores, new Float32Array(120));
  expect(spearman(scores, truth.criticality)).toBeGreaterThan(0.7);
  // Not in order alone: in size, too.
  const mean = (values: ArrayLike<number>) => Array.from(values).reduce((sum, x) => sum + x, 0) / values.length;
  expect(Math.abs(mean(scores) - mean(truth.criticality))).toBeLessThan(0.25);
  expect(auroc(scores, truth.criticality)).toBeGreaterThan(0.85);

  const { masks, critics } = postHoc.explanation;
  const source = { run: "by hand", environment: config.environment, seed: 1, hash: null };
  const subject = {
    world,
    policies: [spinning],
    masks,
    critics,
    discount: config.training.discount,
    source,
  };
  const { explanation } = explainEpisode(subject, { game: 0, moments: 1, rollouts: 8, command: "" });
  const [{ alternatives, effect }] = explanation.agents[0].moments;
  expect(effect.estimate).not.toBe(0);
  expect(alternatives.filter(({ taken }) => taken).length).toBe(1);
  expect(alternatives.length).toBe(9);
  for (const { label, action, estimate, probability } of alternatives) {
    expect(Math.abs(action[0])).toBeLessThanOrEqual(2);
    expect(Number(label)).toBe(action[0]);
    expect(estimate).toBeLessThan(0);
    expect(probability).toBeNull();
  }
  const torques = alternatives.map(({ action }) => action[0]);
  expect(torques).toEqual([...torques].sort((a, b) => a - b));
});
