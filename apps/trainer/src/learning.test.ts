import { expect, it } from "@jest/globals";
import { type Policy, play } from "@magic-mask/core";
import { episodeReturns } from "@magic-mask/metrics";
import { assembleTeam, assembleWorld, policyWork } from "./assemble.ts";
import { loadBackend } from "./backend.ts";
import { resolveConfig } from "./config.ts";
import { trainJointly } from "./joint.ts";
import { randomPlayer } from "./policies.ts";

/**
 * A team that learns with its world's preset, cut short, or changed so that little is learned in less.
 *
 * @returns `score` plays held-out episodes with `others` in some seats and gives the mean return of agent `who`
 */
async function learner(id: string, steps: number, ...overrides: string[]) {
  const config = resolveConfig({
    overrides: [
      `environment.id=${id}`,
      "backend=fused",
      "workers=0",
      "mask.enabled=false",
      `training.totalSteps=${steps}`,
      ...overrides,
    ],
  });
  const world = assembleWorld(config);
  const backend = await loadBackend(config, policyWork(config, world));
  const team = assembleTeam(config, world, backend.create);
  return {
    spec: world.spec,
    score(who: number, episodes: number, others: readonly (Policy | undefined)[] = []) {
      const policies = team.players.map((k, agent) => others[agent] ?? team.learners[k].policy);
      const returns = episodeReturns(play({ make: world.make, policies, episodes, seed: 7 }), who);
      return returns.reduce((sum, value) => sum + value, 0) / episodes;
    },
    async learn() {
      for await (const _ of trainJointly(config, world, team, undefined, backend));
    },
  };
}

it("learns, at a faster rate than the preset's, to balance the pole for nearly all of its 500 steps", async () => {
  const { score, learn } = await learner("cartpole_v1", 100_000, "training.learningRate.start=0.003");
  // An untrained policy is as good as chance.
  expect(score(0, 20)).toBeLessThan(60);
  await learn();
  expect(score(0, 20)).toBeGreaterThanOrEqual(400);
});

it("learns from the preset, with continuous actions, to swing the pendulum up", async () => {
  const { score, learn } = await learner("pendulum_v1", 250_000);
  // Chance pays some −1,200, a pendulum that hangs −1,970; one that is swung up and held some −150.
  expect(score(0, 20)).toBeLessThan(-900);
  await learn();
  expect(score(0, 20)).toBeGreaterThan(-500);
});

it("learns among candidates, against itself, to beat random players at Doudizhu in every seat", async () => {
  const { score, learn, spec } = await learner(
    "doudizhu_v0",
    300_000,
    "training.hidden=[64, 64]",
    "training.learningRate.start=0.002",
    "opponents.kind=self",
  );
  const random = spec.actionSpaces.map(randomPlayer);
  const wins = () => [
    score(0, 300, [undefined, random[1], random[2]]),
    score(1, 300, [random[0], undefined, undefined]),
  ];
  // A random landlord wins .35; a standard error is .03.
  const [landlord, peasants] = wins();
  expect(peasants).toBeLessThan(0.75);
  expect(landlord).toBeLessThan(0.45);
  await learn();
  const [asLandlord, asPeasants] = wins();
  expect(asLandlord).toBeGreaterThan(0.75);
  expect(asPeasants).toBeGreaterThan(0.8);
});
