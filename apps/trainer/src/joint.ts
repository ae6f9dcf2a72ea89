import type { LearnerState, UpdateStatistics } from "@magic-mask/core";
import { askMasks, type TiltState } from "@magic-mask/masking";
import { type Blinding, blindingSchedule, type Iteration, linear, type TrainState, train } from "@magic-mask/ppo";
import { type Explanation, learnersOf, masksDecide, type Team, type World } from "./assemble.ts";
import type { Backend } from "./backend.ts";
import { assembleCollector } from "./collector.ts";
import type { Config } from "./config.ts";
import { asDiverged, createGuard, type GuardState } from "./diagnostics/divergence.ts";
import { type ExplanationState, exportExplanation, restoreExplanation } from "./explanation-state.ts";
import { learnMasks, type MaskRound, type MaskSeconds } from "./learn-masks.ts";
import { fitLearned } from "./perturbations.ts";

/** One iteration of joint training: policies, masks and sharing. */
export interface JointIteration extends Omit<Iteration, "exportState" | "updated" | "collectSeconds"> {
  /** [L] with explained_variance. */
  readonly statistics: readonly UpdateStatistics[];
  /** Per agent; empty where masks did not learn from this iteration. */
  readonly rounds: readonly MaskRound[];
  /** None where the configuration has no masks. */
  readonly explanation: Explanation | undefined;
  /** Wall seconds. */
  readonly seconds: MaskSeconds & {
    readonly collect: number;
    /** From the beginning of the policies' updates to their end; masks learn meanwhile. */
    readonly update: number;
    /** The whole iteration: less than the sum where things went on side by side. */
    readonly total: number;
  };
  exportState(): Promise<JointState>;
}

/** All that a joint run needs to continue exactly. */
export interface JointState {
  /** None before the first iteration: how play begins follows from the seed. */
  readonly train?: TrainState;
  readonly learners: readonly LearnerState[];
  readonly explanation: ExplanationState | null;
  /** [N] learned perturbations; empty where they are not. */
  readonly perturbations?: readonly TiltState[];
  /** Older states have none. */
  readonly guard?: GuardState;
}

/** What was learned so far. Before the first iteration that is all that there is of a run. */
export const exportLearned = ({ learned }: World, team: Team, explanation: Explanation | undefined): JointState => ({
  learners: learnersOf(team).map(({ learner }) => learner.exportState()),
  explanation: explanation ? exportExplanation(explanation) : null,
  perturbations: (learned ?? []).map((perturbation) => perturbation.exportState()),
});

/** Optimiser steps of each record head per iteration. */
const HEAD_STEPS = 4;

/**
 * Trains policies by PPO while masks learn from the same rollouts and agents share what they find.
 *
 * @param explanation undefined for a configuration without masks: then policies learn alone
 * @param resume where an earlier run stopped; `team` and `explanation` are then filled from it
 * @throws diverged, in the place of the iteration in which training came to nothing
 */
export async function* trainJointly(
  config: Config,
  world: World,
  team: Team,
  explanation: Explanation | undefined,
  backend: Pick<Backend, "name" | "workers">,
  resume?: JointState,
): AsyncGenerator<JointIteration, void, void> {
  const { training, mask } = config;
  const learners = learnersOf(team);
  if (resume) {
    learners.forEach(({ learner }, k) => {
      learner.restoreState(resume.learners[k]);
    });
    if (explanation && resume.explanation) restoreExplanation(explanation, resume.explanation);
    world.learned?.forEach((perturbation, agent) => {
      if (resume.perturbations) perturbation.restoreState(resume.perturbations[agent]);
    });
  }
  const maskRate = linear(mask.learningRate.start, mask.learningRate.end);

  // Masks that decide, and what steers a coin, are asked here, where they live: then workers take updates alone.
  const workers = masksDecide(config) || explanation?.memory.steering ? 0 : backend.workers;
  const where = { seed: config.seed, alone: false, backend: { ...backend, workers } };
  const collector = assembleCollector(config, world, team, where);
  const iterations = train({
    collector,
    learners,
    blinding: blindingOf(config, explanation, () => collector.ticks),
    totalSteps: training.totalSteps,
    seed: config.seed,
    rolloutTicks: training.rolloutTicks,
    minibatch: training.minibatch,
    epochs: training.epochs,
    discount: training.discount,
    trace: training.trace,
    clip: training.clip,
    valueCoefficient: training.valueCoefficient,
    entropyCoefficient: training.entropyCoefficient,
    maxGradNorm: training.maxGradNorm,
    learningRate: linear(training.learningRate.start, training.learningRate.end),
    ...(resume?.train && { resume: resume.train }),
  });
  const guard = createGuard(config, world, team, resume?.guard);
  let done = resume?.train?.steps ?? 0;
  let begun = performance.now();
  try {
    for await (const { updated, collectSeconds, ...iteration } of iterations) {
      const rate = maskRate(iteration.progress);
      const plan = { fit: { epochs: 1, learningRate: { start: rate, end: rate } }, headSteps: HEAD_STEPS };
      const learning =
        explanation && iteration.index % mask.every === 0
          ? learnMasks({
              world,
              team,
              explanation,
              rollouts: iteration.rollouts,
              plan,
              threshold: mask.threshold,
              policyVersion: iteration.index - 1,
              now: iteration.ticks,
            })
          : NO_MASKS;
      const [{ rounds, seconds }, updates] = await Promise.all([learning, updated]);
      guard.check({ steps: iteration.steps, statistics: updates.statistics, rounds });
      if (world.learned && rounds.length > 0) fitLearned(world.learned, iteration.rollouts, team.players);
      yield {
        ...iteration,
        statistics: updates.statistics,
        rounds,
        explanation,
        seconds: {
          collect: collectSeconds,
          update: updates.seconds,
          ...seconds,
          total: (performance.now() - begun) / 1000,
        },
        exportState: async () => ({
          train: await iteration.exportState(),
          ...exportLearned(world, team, explanation),
          guard: guard.exportState(),
        }),
      };
      done = iteration.steps;
      begun = performance.now();
    }
  } catch (error) {
    throw asDiverged(error, done);
  } finally {
    await collector.close();
  }
}

const NO_MASKS = { rounds: [], seconds: { mask: 0, remember: 0, comm: 0, heads: 0 } };

/** Who is blinded while training: by a coin, or by the masks themselves where the objective says so; nobody without masks. */
function blindingOf(
  config: Config,
  explanation: Explanation | undefined,
  ticks: () => number,
): (progress: number) => Blinding {
  if (!explanation) return () => ({ kind: "coin", probability: 0 });
  if (masksDecide(config)) {
    const blind = askMasks(explanation.masks);
    return () => ({ kind: "mask", blind });
  }
  const schedule = blindingSchedule(config.blinding);
  const { steering } = explanation.memory;
  return (progress) => {
    steering?.refresh(ticks());
    return { kind: "coin", probability: schedule(progress), ...(steering && { steer: steering.steer }) };
  };
}
