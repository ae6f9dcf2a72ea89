import { type CreateLearner, stream } from "@magic-mask/core";
import { type MaskLearner, paper } from "@magic-mask/masking";
import { assembleExplanation, type Explanation, type Team, type World } from "./assemble.ts";
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
 * Explains final, frozen policies: plays them with a constant rate of blinding and fits fresh critics, masks and record heads on
 * these steps alone. The policies may be any functions.
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
  const { copies } = config.training;
  const { explanation, unshared, papers } = postHoc;
  const collector = assembleCollector(config, world, team, { seed: postHocSeed(config), alone: true, backend });
  const ticks = Math.ceil(steps / copies);
  const { rollouts } = await collector
    .collect(ticks, { kind: "coin", probability })
    // What was played stays.
    .finally(() => collector.close());
  onProgress(0.15);
  const plan = { fit: { epochs, learningRate }, headSteps };
  // Targets exist at the end, and records leave at the first boundary from there.
  const now = Math.ceil(ticks / config.sharing.every) * config.sharing.every;
  const { rounds } = await learnMasks({
    world,
    team,
    explanation,
    rollouts,
    plan,
    threshold: config.mask.threshold,
    policyVersion: 0,
    now,
    others: [unshared],
  });
  onProgress(0.9);
  const evidence = explanation.critics.map((critic, agent) => critic.judge(rollouts[team.players[agent]]));
  await Promise.all(
    papers.flatMap((masks) =>
      // E[m] = τ is reached within one pass; further ones change nothing but the time.
      masks.map((mask, agent) => mask.fit(evidence[agent], { epochs: 1, learningRate })),
    ),
  );
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
