import type { ActionSpace, Explainer, Perturbation } from "@magic-mask/core";
import { entropy } from "./explainers/entropy.ts";
import { logProbGap } from "./explainers/log-prob-gap.ts";
import { random } from "./explainers/random.ts";
import { advantage } from "./objectives/advantage.ts";
import type { MaskObjective } from "./objectives/objective.ts";
import { paper } from "./objectives/paper.ts";
import { uniform } from "./perturbations/uniform.ts";

export { type Critic, type CriticOptions, type CriticState, createCritic } from "./critic.ts";
export { entropy } from "./explainers/entropy.ts";
export { logProbGap } from "./explainers/log-prob-gap.ts";
export { random } from "./explainers/random.ts";
export type { FeatureSource } from "./features.ts";
export { maskGate } from "./gate.ts";
export { BLIND, KEEP, maskEnvironment } from "./mask-environment.ts";
export { type AdvantageOptions, advantage } from "./objectives/advantage.ts";
export type { Evidence, FitPlan, MaskContext, MaskLearner, MaskObjective } from "./objectives/objective.ts";
export { type PaperOptions, paper } from "./objectives/paper.ts";
export { uniform } from "./perturbations/uniform.ts";
export { type RankMask, rankMask } from "./rank-mask.ts";
export { selectDecisions } from "./select.ts";

/** Every mask objective by name. `threshold` is τ; `separate` asks for nets of their own instead of a shared trunk. */
export const objectives: Readonly<
  Record<string, (options: { readonly threshold: number; readonly separate: boolean }) => MaskObjective>
> = { advantage, paper };

/** Every perturbation by name. */
export const perturbations: Readonly<Record<string, (space: ActionSpace) => Perturbation>> = { uniform };

/** Explainers that need no learning, by name: controls. `actions` is the size of the action space, `seed` is for those that draw. */
export const controls: Readonly<
  Record<string, (options: { readonly actions: number; readonly seed: number }) => Explainer>
> = {
  random,
  entropy,
  log_prob_gap: logProbGap,
};
