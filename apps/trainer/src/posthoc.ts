import { type CreateLearner, type Perturbation, stream, trajectoryHash } from "@magic-mask/core";
import {
  askMasks,
  type Critic,
  type LearnedPerturbation,
  type MaskLearner,
  paper,
  type TiltState,
  uniform,
} from "@magic-mask/masking";
import { type Blinding, linear } from "@magic-mask/ppo";
import {
  assembleCritics,
  assembleExplanation,
  type Explanation,
  masksDecide,
  postHocObjective,
  type Team,
  type World,
} from "./assemble.ts";
import type { Backend } from "./backend.ts";
import { assembleCollector } from "./collector.ts";
import type { Config } from "./config.ts";
import { type ExplanationState, exportExplanation, restoreExplanation } from "./explanation-state.ts";
import { learnMasks, type MaskRound } from "./learn-masks.ts";
import { createMemory, type Memory, type MemoryState } from "./memory.ts";
import { fitLearned, isLearned, withLearned } from "./perturbations.ts";

/** Whether runs of this configuration end with a post-hoc pass. */
export const isExplained = ({ mask, posthoc }: Config): boolean => mask.enabled && posthoc.steps > 0;

/** What of it decides what explainers learn from steps that are played: it names their results. */
export const learningSettings = ({ posthoc: { steps: _, headSteps: __, ...settings } }: Config) => settings;

/** What explains final, frozen policies. */
export interface PostHoc {
  readonly explanation: Explanation;
  /** The same records without sharing, for comparison: same rollouts, heads, steps and seeds. */
  readonly unshared: Memory;
  /** [seed][N] masks by the published loss, on the same steps: a control. */
  readonly papers: readonly (readonly MaskLearner[])[];
  /** [N] ν, what truth and explanations are about. */
  readonly perturbations: readonly Perturbation[];
  /** What learned perturbations come from; none where they are not learned. */
  readonly scout: Scout | undefined;
}

/** A first look at the policies, blinded uniformly, that tells what single actions are worth. */
interface Scout {
  readonly critics: readonly Critic[];
  readonly masks: readonly MaskLearner[];
  readonly learned: readonly LearnedPerturbation[];
}

/** The share of the steps that are the first look's, in which a ν that is learned is learned. */
export const FIRST_SHARE = 0.4;

export interface PostHocState {
  readonly explanation: ExplanationState;
  readonly unshared: MemoryState;
  readonly papers: readonly (readonly object[])[];
  /** [N] masks of the first look, and what was made of them; null where ν is not learned. */
  readonly scout?: { readonly masks: readonly object[]; readonly perturbations: readonly TiltState[] } | null;
  /** Environment steps. */
  readonly steps: number;
  /** Digest of what was played. */
  readonly hash: string;
  /** Per agent. */
  readonly rounds: readonly MaskRound[];
}

/** Untrained parts, to be fitted by `explainPostHoc` or filled by `restorePostHoc`. */
export function assemblePostHoc(config: Config, world: World, create: CreateLearner): PostHoc {
  const seed = postHocSeed(config);
  const { spec } = world;
  const explanation = assembleExplanation(config, world, create, seed, true);
  const unshared = createMemory({
    config,
    spec,
    mode: "none",
    copies: config.training.copies,
    retrospective: true,
    seed,
    createLearner: create,
    critics: explanation.critics,
  });
  const objective = paper({ threshold: config.mask.threshold });
  const papers = Array.from({ length: config.evaluation.paperSeeds }, (_, k) =>
    spec.agents.map((_, agent) =>
      objective.create({ spec, agent, createLearner: create, seed: stream(seed, "paper", k).bits() }),
    ),
  );
  const scout = isLearned(config) ? assembleScout(config, world, create, stream(seed, "scout").bits()) : undefined;
  return { explanation, unshared, papers, scout, perturbations: scout?.learned ?? world.perturbations };
}

function assembleScout(config: Config, world: World, createLearner: CreateLearner, seed: number): Scout {
  const { spec } = world;
  const masks = spec.agents.map((_, agent) =>
    postHocObjective(config, "advantage").create({ spec, agent, createLearner, seed }),
  );
  return {
    critics: assembleCritics(config, world, createLearner, seed, true),
    masks,
    learned: withLearned(config, world, { masks, advisers: [] }, seed).learned ?? [],
  };
}

/** Blinds uniformly for some ticks and makes the perturbations of what that shows. @returns the digest of what was played */
async function lookFirst(
  config: Config,
  world: World,
  team: Team,
  { critics, masks, learned }: Scout,
  backend: Pick<Backend, "name" | "workers">,
  ticks: number,
): Promise<string> {
  const { probability, epochs, learningRate } = config.posthoc;
  const even = { ...world, perturbations: world.spec.actionSpaces.map(uniform) };
  const seed = stream(postHocSeed(config), "scout").bits();
  // Workers build their own from the configuration.
  const asked = { ...config, mask: { ...config.mask, perturbation: "uniform" } };
  const collector = assembleCollector(asked, even, team, { seed, alone: true, backend });
  const { rollouts } = await collector.collect(ticks, { kind: "coin", probability }).finally(() => collector.close());
  await Promise.all(
    masks.map(async (mask, agent) => {
      const rollout = rollouts[team.players[agent]];
      await critics[agent].fit(rollout, { epochs, learningRate });
      await mask.fit(critics[agent].judge(rollout), { epochs, learningRate });
    }),
  );
  fitLearned(learned, rollouts, team.players);
  return collector.hash;
}

/**
 * Explains final, frozen policies and fits fresh critics, masks and record heads on this play alone. The policies may be any
 * functions.
 *
 * Where a coin decides the blinding, at a constant rate, all steps are played and then learned from. Where the masks decide, rounds
 * of `training.rolloutTicks` ticks each are played and learned from in turn, as many as make the same number of steps; likewise where
 * what peers told steers the coin. Where ν is
 * learned, a first part of the steps is blinded uniformly by a coin to learn it, and the rest by it.
 *
 * @param onProgress told the share that is done, in [0, 1]
 */
export async function explainPostHoc(
  config: Config,
  world: World,
  team: Team,
  postHoc: PostHoc,
  backend: Pick<Backend, "name" | "workers">,
  onProgress: (share: number) => void = () => {},
): Promise<PostHocState> {
  const { steps, probability, headSteps } = config.posthoc;
  const { copies, rolloutTicks } = config.training;
  const { explanation, unshared, papers, scout, perturbations } = postHoc;
  const all = Math.ceil(steps / copies);
  const first = scout ? Math.ceil(FIRST_SHARE * all) : 0;
  const ticks = Math.max(1, all - first);
  const bare = { make: world.make, spec: world.spec, perturbations };
  const looked = scout && (await lookFirst(config, bare, team, scout, backend, first));
  const blinded: World = scout ? { ...bare, learned: scout.learned } : bare;
  const deciding = masksDecide(config);
  const { steering } = explanation.memory;
  const blinding: Blinding = deciding
    ? { kind: "mask", blind: askMasks(explanation.masks) }
    : { kind: "coin", probability, ...(steering && { steer: steering.steer }) };
  // Masks that decide, and what steers a coin, are asked here, where they live, and go by what rounds before have shown.
  const inRounds = deciding || steering !== undefined;
  const where = inRounds ? { ...backend, workers: 0 } : backend;
  const collector = assembleCollector(config, blinded, team, {
    seed: postHocSeed(config),
    alone: true,
    backend: where,
  });
  const count = inRounds ? Math.ceil(ticks / rolloutTicks) : 1;
  const tell = (share: number) => onProgress((first + share * ticks) / (first + ticks));
  let rounds: readonly MaskRound[] = [];
  try {
    for (const { round, begun, ended, fit } of roundsOf(config, ticks, count)) {
      steering?.refresh(begun);
      const { rollouts } = await collector.collect(ended - begun, blinding);
      tell((round + 0.15) / count);
      ({ rounds } = await learnMasks({
        world: blinded,
        team,
        explanation,
        rollouts,
        plan: { fit, headSteps: Math.ceil(headSteps / count) },
        threshold: config.mask.threshold,
        policyVersion: 0,
        // The last records leave at the first boundary after the end.
        now: round < count - 1 ? ended : Math.ceil(ended / config.sharing.every) * config.sharing.every,
        others: [unshared],
      }));
      tell((round + 0.9) / count);
      const evidence = explanation.critics.map((critic, agent) => critic.judge(rollouts[team.players[agent]]));
      await Promise.all(
        papers.flatMap((masks) =>
          // E[m] = τ is reached within one pass; further ones change nothing but the time.
          masks.map((mask, agent) => mask.fit(evidence[agent], { epochs: 1, learningRate: fit.learningRate })),
        ),
      );
    }
  } finally {
    // What was played stays.
    await collector.close();
  }
  onProgress(1);
  return {
    explanation: exportExplanation(explanation),
    unshared: unshared.exportState(),
    papers: papers.map((masks) => masks.map((mask) => mask.exportState())),
    scout: !scout
      ? null
      : {
          masks: scout.masks.map((mask) => mask.exportState()),
          perturbations: scout.learned.map((perturbation) => perturbation.exportState()),
        },
    steps: (first + ticks) * copies,
    hash: looked === undefined ? collector.hash : bothOf(looked, collector.hash),
    rounds,
  };
}

/** Ticks cut into rounds of play, and how hard to learn from each: the learning rate falls over all of them. */
export function roundsOf({ posthoc: { epochs, learningRate } }: Pick<Config, "posthoc">, ticks: number, count: number) {
  const rate = linear(learningRate.start, learningRate.end);
  return Array.from({ length: count }, (_, round) => ({
    round,
    begun: Math.round((round * ticks) / count),
    ended: Math.round(((round + 1) * ticks) / count),
    fit: { epochs, learningRate: { start: rate(round / count), end: rate((round + 1) / count) } },
  }));
}

/** One digest of two. */
function bothOf(first: string, second: string): string {
  const hash = trajectoryHash();
  hash.update(new TextEncoder().encode(`${first} ${second}`));
  return hash.digest();
}

export function restorePostHoc({ explanation, unshared, papers, scout }: PostHoc, state: PostHocState) {
  restoreExplanation(explanation, state.explanation);
  unshared.restoreState(state.unshared);
  scout?.masks.forEach((mask, agent) => {
    if (!state.scout) return;
    mask.restoreState(state.scout.masks[agent]);
    scout.learned[agent].restoreState(state.scout.perturbations[agent]);
  });
  papers.forEach((masks, k) => {
    masks.forEach((mask, agent) => {
      mask.restoreState(state.papers[k][agent]);
    });
  });
}

export const postHocSeed = (config: Pick<Config, "seed">) => stream(config.seed, "post hoc").bits();
