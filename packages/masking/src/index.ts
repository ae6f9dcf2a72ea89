import { type EnvironmentSpec, type Explainer, MagicMaskError, type Perturbation, type Policy } from "@magic-mask/core";
import { entropy } from "./explainers/entropy.ts";
import { logProbGap } from "./explainers/log-prob-gap.ts";
import { random } from "./explainers/random.ts";
import { advantage } from "./objectives/advantage.ts";
import type { MaskObjective } from "./objectives/objective.ts";
import { paper } from "./objectives/paper.ts";
import { type AdversaryOptions, adversary } from "./perturbations/adversary.ts";
import { frozenPeer } from "./perturbations/frozen-peer.ts";
import { type IdleOptions, idle } from "./perturbations/idle.ts";
import { type MinimalOptions, minimal } from "./perturbations/minimal.ts";
import { type PolicyNoiseOptions, policyNoise } from "./perturbations/policy-noise.ts";
import { secondChoice } from "./perturbations/second-choice.ts";
import type { LearnedContext, LearnedPerturbation, SingleActionAdvantages } from "./perturbations/tilt.ts";
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
export { type AdversaryOptions, adversary } from "./perturbations/adversary.ts";
export { frozenPeer } from "./perturbations/frozen-peer.ts";
export { type IdleOptions, idle } from "./perturbations/idle.ts";
export { type MinimalOptions, minimal } from "./perturbations/minimal.ts";
export { type PolicyNoiseOptions, policyNoise } from "./perturbations/policy-noise.ts";
export { secondChoice } from "./perturbations/second-choice.ts";
export type {
  LearnedContext,
  LearnedPerturbation,
  SingleActionAdvantages,
  TiltState,
} from "./perturbations/tilt.ts";
export { uniform } from "./perturbations/uniform.ts";
export { type RankMask, rankMask } from "./rank-mask.ts";
export { selectDecisions } from "./select.ts";

/** Every mask objective by name. `threshold` is τ; `separate` asks for nets of their own instead of a shared trunk. */
export const objectives: Readonly<
  Record<string, (options: { readonly threshold: number; readonly separate: boolean }) => MaskObjective>
> = { advantage, paper };

/** All that a perturbation of one agent can be made from; each takes what it needs. */
export interface PerturbationContext {
  readonly spec: EnvironmentSpec;
  readonly agent: number;
  /** Root of all chance in making it. */
  readonly seed: number;
  /** Who acts in the agent's place. */
  readonly peer?: Policy | undefined;
  /** What single actions are worth. */
  readonly advantages?: SingleActionAdvantages | undefined;
  readonly settings?: PolicyNoiseOptions & IdleOptions & AdversaryOptions & MinimalOptions;
}

/** A perturbation that is offered by name. `needs` is what its context must hold beside the space. */
export type PerturbationEntry =
  | { readonly needs: "nothing" | "peer"; create(context: PerturbationContext): Perturbation }
  | { readonly needs: "advantages"; create(context: PerturbationContext): LearnedPerturbation };

const spaceOf = ({ spec, agent }: PerturbationContext) => spec.actionSpaces[agent];

/** Every perturbation by name. */
export const perturbations: Readonly<Record<string, PerturbationEntry>> = {
  uniform: { needs: "nothing", create: (context) => uniform(spaceOf(context)) },
  second_choice: { needs: "nothing", create: (context) => secondChoice(spaceOf(context)) },
  policy_noise: { needs: "nothing", create: (context) => policyNoise(spaceOf(context), context.settings) },
  idle: { needs: "nothing", create: (context) => idle(spaceOf(context), context.settings) },
  frozen_peer: { needs: "peer", create: ({ peer }) => frozenPeer(peer) },
  adversary: { needs: "advantages", create: (context) => adversary(learnedFrom(context), context.settings) },
  minimal: { needs: "advantages", create: (context) => minimal(learnedFrom(context), context.settings) },
};

/** @throws unsupported without advantages */
function learnedFrom(context: PerturbationContext): LearnedContext {
  const { advantages, seed } = context;
  if (advantages) return { space: spaceOf(context), advantages, seed };
  const message = "a learned perturbation needs a mask that knows what single actions are worth, as advantage does";
  throw new MagicMaskError("unsupported", "masking/perturbations", message);
}

/** Explainers that need no learning, by name: controls. `actions` is the size of the action space, `seed` is for those that draw. */
export const controls: Readonly<
  Record<string, (options: { readonly actions: number; readonly seed: number }) => Explainer>
> = {
  random,
  entropy,
  log_prob_gap: logProbGap,
};
