import { expect, it } from "@jest/globals";
import { play } from "@magic-mask/core";
import { episodeReturns } from "@magic-mask/metrics";
import { assembleExplanation, assembleTeam, assembleWorld, policyWork } from "./assemble.ts";
import { loadBackend } from "./backend.ts";
import { resolveConfig } from "./config.ts";
import { trainJointly } from "./joint.ts";

it("learns by PPO, from the preset, to balance the pole for nearly all of its 500 steps", async () => {
  const config = resolveConfig({
    overrides: [
      "environment.id=cartpole_v1",
      "backend=fused",
      "workers=0",
      "mask.enabled=false",
      "training.totalSteps=100000",
    ],
  });
  const world = assembleWorld(config);
  const backend = await loadBackend(config, policyWork(config, world));
  const { create } = backend;
  const team = assembleTeam(config, world, create);
  const explanation = assembleExplanation(config, world, create, 1, false);
  const meanReturn = () => {
    const policies = [team.learners[0].policy];
    const episodes = play({ make: world.make, policies, episodes: 20, seed: 7 });
    return episodeReturns(episodes, 0).reduce((sum, value) => sum + value / 20, 0);
  };
  // An untrained policy is as good as chance.
  expect(meanReturn()).toBeLessThan(60);
  for await (const _ of trainJointly(config, world, team, explanation, backend));
  expect(meanReturn()).toBeGreaterThanOrEqual(400);
});
