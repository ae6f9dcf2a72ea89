import { type ActionSpace, type Perturbation, requireChoices } from "@magic-mask/core";
import type { Control } from "./explainers/control.ts";
import { entropy } from "./explainers/entropy.ts";
import { gradientPolicy, gradientValue } from "./explainers/gradient.ts";
import { logProbGap } from "./explainers/log-prob-gap.ts";
import { random } from "./explainers/random.ts";
import { advantage } from "./objectives/advantage.ts";
import { coverage } from "./objectives/coverage.ts";
import { doublyRobust } from "./objectives/doubly-robust.ts";
import { episodeReturn } from "./objectives/episode-return.ts";
import { keepBlind } from "./objectives/keep-blind.ts";
import { lazy } from "./objectives/lazy.ts";
import { meanOf } from "./objectives/mean-of.ts";
import type { MaskObjective } from "./objectives/objective.ts";
import { paper } from "./objectives/paper.ts";
import { statemask, statemaskLagrangian } from "./objectives/statemask.ts";
import { valueDrop } from "./objectives/value-drop.ts";
import { valueGap } from "./objectives/value-gap.ts";
import { uniform } from "./perturbations/uniform.ts";

export { askMasks } from "./ask-masks.ts";
export { type Critic, type CriticOptions, type CriticState, createCritic } from "./critic.ts";
export type { EnsembleOptions } from "./ensemble.ts";
export type { Control, ControlContext } from "./explainers/control.ts";
export { entropy } from "./explainers/entropy.ts";
export { gradientPolicy, gradientValue } from "./explainers/gradient.ts";
export { logProbGap } from "./explainers/log-prob-gap.ts";
export { random } from "./explainers/random.ts";
export type { FeatureSource } from "./features.ts";
export { BLIND, KEEP, maskEnvironment } from "./mask-environment.ts";
export { type AdvantageOptions, advantage } from "./objectives/advantage.ts";
export { type CoverageOptions, coverage } from "./objectives/coverage.ts";
export { doublyRobust } from "./objectives/doubly-robust.ts";
export { episodeReturn } from "./objectives/episode-return.ts";
export { keepBlind } from "./objectives/keep-blind.ts";
export { type LazyOptions, lazy } from "./objectives/lazy.ts";
export type { MaskNetOptions } from "./objectives/mask-ppo.ts";
export { meanOf } from "./objectives/mean-of.ts";
export type { Evidence, FitPlan, MaskContext, MaskLearner, MaskObjective } from "./objectives/objective.ts";
export { type PaperOptions, paper } from "./objectives/paper.ts";
export {
  type StatemaskLagrangianOptions,
  type StatemaskOptions,
  statemask,
  statemaskLagrangian,
} from "./objectives/statemask.ts";
export { valueDrop } from "./objectives/value-drop.ts";
export { valueGap } from "./objectives/value-gap.ts";
export { uniform } from "./perturbations/uniform.ts";
export { type RankMask, rankMask } from "./rank-mask.ts";
export { selectDecisions } from "./select.ts";

/** What every objective by name is told; each takes what it knows. */
interface ObjectiveOptions {
  /** τ */
  readonly threshold: number;
  /** Whether ensembles are nets of their own instead of heads on a shared trunk. */
  readonly separate: boolean;
}

/** Every mask objective by name. */
export const objectives: Readonly<Record<string, (options: ObjectiveOptions) => MaskObjective>> = {
  advantage: ({ separate }) => advantage({ separate }),
  doubly_robust: ({ separate }) => doublyRobust({ separate }),
  advantage_doubly_robust: ({ separate }) =>
    meanOf("advantage_doubly_robust", [advantage({ separate }), doublyRobust({ separate })]),
  keep_blind: ({ separate }) => keepBlind({ separate }),
  statemask: () => statemask(),
  statemask_lagrangian: () => statemaskLagrangian(),
  coverage: ({ threshold }) => coverage({ threshold }),
  lazy: ({ separate }) => lazy({ separate }),
  value_gap: ({ separate }) => valueGap({ separate }),
  value_drop: ({ separate }) => valueDrop({ separate }),
  episode_return: ({ separate }) => episodeReturn({ separate }),
  paper: ({ threshold }) => paper({ threshold }),
};

/** Every perturbation by name. */
export const perturbations: Readonly<Record<string, (space: ActionSpace) => Perturbation>> = { uniform };

/** Explainers that need no learning, by name: controls. */
export const controls: Readonly<Record<string, Control>> = {
  random,
  entropy: (context) => entropy({ actions: choicesOf("entropy", context) }),
  log_prob_gap: (context) => logProbGap({ actions: choicesOf("log-prob-gap", context) }),
  gradient_policy: gradientPolicy,
  gradient_value: gradientValue,
};

const choicesOf = (name: string, { spec, agent }: Parameters<Control>[0]) =>
  requireChoices(`masking/${name}`, spec.actionSpaces[agent]);
