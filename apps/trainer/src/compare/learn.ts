import type { CreateLearner, Explainer } from "@magic-mask/core";
import { askMasks, type Critic, type Evidence, type MaskLearner, type MaskObjective } from "@magic-mask/masking";
import type { Blinding } from "@magic-mask/ppo";
import { assembleCritics, type Team, type World } from "../assemble.ts";
import { assembleCollector } from "../collector.ts";
import type { Config } from "../config.ts";
import { postHocSeed, roundsOf } from "../posthoc.ts";

/** Frozen policies and what learners are made by. */
export interface Subject {
  readonly config: Config;
  readonly world: World;
  readonly team: Team;
  readonly create: CreateLearner;
}

/** Explainers that learned of frozen policies, and what that took. */
export interface Learned {
  /** [N] */
  readonly explainers: readonly Explainer[];
  /** Environment steps. */
  readonly steps: number;
  /** Wall seconds of playing and learning. */
  readonly wallSeconds: number;
}

/** Steps of frozen policies that a coin blinded, judged by critics that learned from the same steps: what objectives share. */
export interface CoinEvidence {
  /** [N] */
  readonly evidence: readonly Evidence[];
  /** [N] */
  readonly critics: readonly Critic[];
  readonly steps: number;
  readonly wallSeconds: number;
}

/** Plays so many environment steps with a constant rate of blinding, and learns values from them. */
export async function playByCoin(subject: Subject, budget: number): Promise<CoinEvidence> {
  const { probability, epochs, learningRate } = subject.config.posthoc;
  const begun = performance.now();
  const { copies } = subject.config.training;
  const ticks = Math.ceil(budget / copies);
  const collector = open(subject);
  const { rollouts } = await collector.collect(ticks, { kind: "coin", probability });
  const critics = criticsOf(subject);
  const evidence: Evidence[] = [];
  for (const [agent, critic] of critics.entries()) {
    const rollout = rollouts[subject.team.players[agent]];
    await critic.fit(rollout, { epochs, learningRate });
    evidence.push(critic.judge(rollout));
  }
  // What was played stays.
  await collector.close();
  return { evidence, critics, steps: ticks * copies, wallSeconds: secondsSince(begun) };
}

/**
 * Masks that learn from what a coin blinded.
 *
 * @param seed root of all chance in them
 * @param epochs passes over it
 */
export async function learnFromCoin(
  { config, world, create }: Subject,
  objective: MaskObjective,
  { evidence, ...shared }: CoinEvidence,
  seed: number,
  epochs = config.posthoc.epochs,
): Promise<Learned & { readonly masks: readonly MaskLearner[] }> {
  const { learningRate } = config.posthoc;
  const begun = performance.now();
  const masks = masksOf({ world, create }, objective, seed);
  for (const [agent, mask] of masks.entries()) await mask.fit(evidence[agent], { epochs, learningRate });
  return {
    masks,
    explainers: masks.map(({ explainer }) => explainer),
    steps: shared.steps,
    wallSeconds: shared.wallSeconds + secondsSince(begun),
  };
}

/** Masks that decide the blinding themselves: rounds of `training.rolloutTicks` ticks, played and learned from in turn. */
export async function learnByDeciding(
  subject: Subject,
  objective: MaskObjective,
  budget: number,
): Promise<Learned & { readonly masks: readonly MaskLearner[] }> {
  const { config, world, team } = subject;
  const { copies, rolloutTicks } = config.training;
  const started = performance.now();
  const masks = masksOf(subject, objective, postHocSeed(config));
  const critics = criticsOf(subject);
  const blinding: Blinding = { kind: "mask", blind: askMasks(masks) };
  const ticks = Math.ceil(budget / copies);
  const collector = open(subject);
  for (const { begun, ended, fit } of roundsOf(config, ticks, Math.ceil(ticks / rolloutTicks))) {
    const { rollouts } = await collector.collect(ended - begun, blinding);
    for (const agent of world.spec.agents.keys()) {
      const rollout = rollouts[team.players[agent]];
      await critics[agent].fit(rollout, fit);
      await masks[agent].fit(critics[agent].judge(rollout), fit);
    }
  }
  await collector.close();
  const explainers = masks.map(({ explainer }) => explainer);
  return { masks, explainers, steps: ticks * copies, wallSeconds: secondsSince(started) };
}

function open({ config, world, team }: Subject) {
  const backend = { name: config.backend, workers: 0 };
  return assembleCollector(config, world, team, { seed: postHocSeed(config), alone: true, backend });
}

const criticsOf = ({ config, world, create }: Subject) =>
  assembleCritics(config, world, create, postHocSeed(config), true);

const masksOf = ({ world, create }: Pick<Subject, "world" | "create">, objective: MaskObjective, seed: number) =>
  world.spec.agents.map((_, agent) => objective.create({ spec: world.spec, agent, createLearner: create, seed }));

const secondsSince = (begun: number) => (performance.now() - begun) / 1000;
