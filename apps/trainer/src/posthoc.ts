import { type CreateLearner, stream } from "@magic-mask/core";
import { askMasks, type MaskLearner, paper } from "@magic-mask/masking";
import { type Blinding, linear } from "@magic-mask/ppo";
import { assembleExplanation, type Explanation, masksDecide, type Team, type World } from "./assemble.ts";
import type { Backend } from "./backend.ts";
import { assembleCollector } from "./collector.ts";
import type { Config } from "./config.ts";
import { type ExplanationState, exportExplanation, restoreExplanation } from "./explanation-state.ts";
import { learnMasks, type MaskRound } from "./learn-masks.ts";
import { createMemory, type Memory, type MemoryState } from "./memory.ts";

/** Whether runs of this configuration end with a post-hoc pass. */
export const isExplained = ({ mask, posthoc }: Config): boolean => mask.enabled && posthoc.steps > 0;

/** What explains final, frozen policies. */
export interface PostHoc {
  readonly explanation: Explanation;
  /** The same records without sharing, for comparison: same rollouts, heads, steps and seeds. */
  readonly unshared: Memory;
  /** [seed][N] masks by the published loss, on the same steps: a control. */
  readonly papers: readonly (readonly MaskLearner[])[];
}

export interface PostHocState {
  readonly explanation: ExplanationState;
  readonly unshared: MemoryState;
  readonly papers: readonly (readonly object[])[];
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
  return { explanation, unshared, papers };
}

/**
 * Explains final, frozen policies and fits fresh critics, masks and record heads on this play alone. The policies may be any
 * functions.
 *
 * Where a coin decides the blinding, at a constant rate, all steps are played and then learned from. Where the masks decide, rounds
 * of `training.rolloutTicks` ticks each are played and learned from in turn, as many as make the same number of steps.
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
  const { steps, probability, epochs, learningRate, headSteps } = config.posthoc;
  const { copies, rolloutTicks } = config.training;
  const { explanation, unshared, papers } = postHoc;
  const deciding = masksDecide(config);
  const blinding: Blinding = deciding
    ? { kind: "mask", blind: askMasks(explanation.masks) }
    : { kind: "coin", probability };
  // Masks that decide are asked here, where they live.
  const where = deciding ? { ...backend, workers: 0 } : backend;
  const collector = assembleCollector(config, world, team, { seed: postHocSeed(config), alone: true, backend: where });
  const ticks = Math.ceil(steps / copies);
  const count = deciding ? Math.ceil(ticks / rolloutTicks) : 1;
  const rate = linear(learningRate.start, learningRate.end);
  let rounds: readonly MaskRound[] = [];
  try {
    for (let round = 0; round < count; round++) {
      const [begun, ended] = [round, round + 1].map((part) => Math.round((part * ticks) / count));
      const { rollouts } = await collector.collect(ended - begun, blinding);
      onProgress((round + 0.15) / count);
      const fit = { epochs, learningRate: { start: rate(round / count), end: rate((round + 1) / count) } };
      ({ rounds } = await learnMasks({
        world,
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
      onProgress((round + 0.9) / count);
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
    steps: ticks * copies,
    hash: collector.hash,
    rounds,
  };
}

export function restorePostHoc({ explanation, unshared, papers }: PostHoc, state: PostHocState) {
  restoreExplanation(explanation, state.explanation);
  unshared.restoreState(state.unshared);
  papers.forEach((masks, k) => {
    masks.forEach((mask, agent) => {
      mask.restoreState(state.papers[k][agent]);
    });
  });
}

export const postHocSeed = (config: Pick<Config, "seed">) => stream(config.seed, "post hoc").bits();
