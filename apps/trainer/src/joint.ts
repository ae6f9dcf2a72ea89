import { type LearnerState, vectorize } from "@magic-mask/core";
import { maskGate, objectives } from "@magic-mask/masking";
import { type Blinding, blindingSchedule, type Iteration, linear, type TrainState, train } from "@magic-mask/ppo";
import type { Explanation, Team, World } from "./assemble.ts";
import type { Config } from "./config.ts";
import { type ExplanationState, exportExplanation, restoreExplanation } from "./explanation-state.ts";
import { learnMasks, type MaskRound } from "./learn-masks.ts";

/** One iteration of joint training: policies, masks and sharing. */
export interface JointIteration extends Omit<Iteration, "exportState"> {
  /** Per agent; empty where masks are off. */
  readonly rounds: readonly MaskRound[];
  readonly explanation: Explanation;
  /** Seconds spent on learning masks and record heads. */
  readonly maskSeconds: number;
  /** Seconds spent on records, messages and buffers. */
  readonly commSeconds: number;
  exportState(): JointState;
}

/** All that a joint run needs to continue exactly. */
export interface JointState {
  readonly train: TrainState;
  readonly learners: readonly LearnerState[];
  readonly explanation: ExplanationState;
}

/** Optimiser steps of each record head per iteration. */
const HEAD_STEPS = 4;

/**
 * Trains policies by PPO while masks learn from the same rollouts and agents share what they find.
 *
 * @param resume where an earlier run stopped; `team` and `explanation` are then filled from it
 */
export async function* trainJointly(
  config: Config,
  world: World,
  team: Team,
  explanation: Explanation,
  resume?: JointState,
): AsyncGenerator<JointIteration, void, void> {
  const { training, mask } = config;
  if (resume) {
    team.learners.forEach(({ learner }, k) => {
      learner.restoreState(resume.learners[k]);
    });
    restoreExplanation(explanation, resume.explanation);
  }
  const maskRate = linear(mask.learningRate.start, mask.learningRate.end);

  const iterations = train({
    ...team,
    vector: vectorize(world.make, training.copies),
    perturbations: world.perturbations,
    blinding: blindingOf(config, explanation),
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
    ...(resume && { resume: resume.train }),
  });
  for await (const iteration of iterations) {
    const begun = performance.now();
    const rate = maskRate(iteration.progress);
    const plan = { fit: { epochs: 1, learningRate: { start: rate, end: rate } }, headSteps: HEAD_STEPS };
    const { rounds, commSeconds } = mask.enabled
      ? await learnMasks({
          world,
          team,
          explanation,
          rollouts: iteration.rollouts,
          plan,
          threshold: mask.threshold,
          policyVersion: iteration.index - 1,
          now: iteration.ticks,
        })
      : { rounds: [], commSeconds: 0 };
    yield {
      ...iteration,
      rounds,
      explanation,
      maskSeconds: (performance.now() - begun) / 1000 - commSeconds,
      commSeconds,
      exportState: () => ({
        train: iteration.exportState(),
        learners: team.learners.map(({ learner }) => learner.exportState()),
        explanation: exportExplanation(explanation),
      }),
    };
  }
}

/** Who is blinded while training: by a coin, or by the masks themselves where the objective says so; nobody without masks. */
function blindingOf({ blinding, mask }: Config, { masks }: Explanation): (progress: number) => Blinding {
  if (!mask.enabled) return () => ({ kind: "coin", probability: 0 });
  if (objectives[mask.objective]({ threshold: mask.threshold, separate: false }).blinding === "gate") {
    const blind = maskGate(masks, mask.threshold);
    return () => ({ kind: "gate", blind });
  }
  const schedule = blindingSchedule(blinding);
  return (progress) => ({ kind: "coin", probability: schedule(progress) });
}
