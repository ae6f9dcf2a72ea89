import {
  type ActionSpace,
  type EnvironmentSpec,
  MagicMaskError,
  type Perturbation,
  type Policy,
  requireChoices,
} from "@magic-mask/core";
import type { EnsembleOptions } from "./ensemble.ts";
import type { Control } from "./explainers/control.ts";
import { entropy } from "./explainers/entropy.ts";
import { gradientPolicy, gradientValue, MOVES } from "./explainers/gradient.ts";
import { logProbGap } from "./explainers/log-prob-gap.ts";
import { random } from "./explainers/random.ts";
import { advantage } from "./objectives/advantage.ts";
import { coverage } from "./objectives/coverage.ts";
import { doublyRobust } from "./objectives/doubly-robust.ts";
import { episodeReturn } from "./objectives/episode-return.ts";
import { keepBlind } from "./objectives/keep-blind.ts";
import { lazy } from "./objectives/lazy.ts";
import { meanOf } from "./objectives/mean-of.ts";
import type { MaskContext, MaskObjective } from "./objectives/objective.ts";
import { paper } from "./objectives/paper.ts";
import { shrunk } from "./objectives/shrunk.ts";
import { statemask, statemaskLagrangian } from "./objectives/statemask.ts";
import { valueDrop } from "./objectives/value-drop.ts";
import { valueGap } from "./objectives/value-gap.ts";
import { type AdversaryOptions, adversary } from "./perturbations/adversary.ts";
import { frozenPeer } from "./perturbations/frozen-peer.ts";
import { type IdleOptions, idle } from "./perturbations/idle.ts";
import { type MinimalOptions, minimal } from "./perturbations/minimal.ts";
import { type PolicyNoiseOptions, policyNoise } from "./perturbations/policy-noise.ts";
import { secondChoice } from "./perturbations/second-choice.ts";
import type { LearnedContext, LearnedPerturbation, SingleActionAdvantages } from "./perturbations/tilt.ts";
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
export { type ShrunkState, shrunk } from "./objectives/shrunk.ts";
export {
  type StatemaskLagrangianOptions,
  type StatemaskOptions,
  statemask,
  statemaskLagrangian,
} from "./objectives/statemask.ts";
export { valueDrop } from "./objectives/value-drop.ts";
export { valueGap } from "./objectives/value-gap.ts";
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

/** What every objective by name is told; each takes what it knows. */
export interface ObjectiveOptions extends EnsembleOptions {
  /** τ */
  readonly threshold: number;
}

const certainty = ({ spec, agent }: Pick<MaskContext, "spec" | "agent">) => entropy(spec.actionSpaces[agent]);
/** Of a choice. How narrow a normal distribution is tells nothing of what is at stake (decision 25). */
const choiceCertainty = (context: Pick<MaskContext, "spec" | "agent">) =>
  context.spec.actionSpaces[context.agent].kind === "box" ? undefined : certainty(context);

/**
 * What −H(π) counts beside a learned advantage. Chosen on development states of seven worlds
 * (docs/decisions/0025-criticality-is-shrunk-towards-what-a-policy-is-sure-of.md).
 */
export const ENTROPY_WEIGHT = 0.3;

/** Every mask objective by name. */
export const objectives: Readonly<Record<string, (options: ObjectiveOptions) => MaskObjective>> = {
  advantage_entropy: (options) => shrunk("advantage_entropy", advantage(options), choiceCertainty, ENTROPY_WEIGHT),
  advantage,
  doubly_robust: doublyRobust,
  advantage_doubly_robust: (options) => meanOf("advantage_doubly_robust", [advantage(options), doublyRobust(options)]),
  keep_blind: keepBlind,
  statemask: () => statemask(),
  statemask_lagrangian: () => statemaskLagrangian(),
  coverage: ({ threshold }) => coverage({ threshold }),
  lazy,
  value_gap: valueGap,
  value_drop: valueDrop,
  episode_return: episodeReturn,
  paper: ({ threshold }) => paper({ threshold }),
};

/** Names of those whose masks can learn over such actions. */
export const objectivesFor = ({ kind }: ActionSpace): readonly string[] =>
  Object.keys(objectives).filter((name) => {
    const { needs } = objectives[name]({ threshold: 0.5 });
    return needs === undefined || kind === "discrete" || kind === "candidates";
  });

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

/** A control that is offered by name. */
export interface ControlEntry {
  /** What actions must be: some are sums over probabilities, of which a density has none. */
  readonly needs: "nothing" | "choices";
  /** Forward passes of the policy that it takes to score a decision, 0 where it looks at nothing but π: what it costs. */
  readonly passes: number;
  /** Whether it asks for V: a critic's, where the policy gives none. */
  readonly values: boolean;
  readonly create: Control;
}

/** Explainers that need no learning, by name: controls. */
export const controls: Readonly<Record<string, ControlEntry>> = {
  random: { needs: "nothing", passes: 0, values: false, create: random },
  entropy: { needs: "nothing", passes: 0, values: false, create: certainty },
  log_prob_gap: {
    needs: "choices",
    passes: 0,
    values: false,
    create: (context) => logProbGap({ actions: choicesOf("log-prob-gap", context) }),
  },
  gradient_policy: { needs: "choices", passes: MOVES, values: false, create: gradientPolicy },
  gradient_value: { needs: "choices", passes: MOVES, values: true, create: gradientValue },
};

/** Those that can score decisions over such actions. */
export const controlsFor = ({ kind }: ActionSpace): readonly ControlEntry[] =>
  Object.values(controls).filter(({ needs }) => needs === "nothing" || kind === "discrete" || kind === "candidates");

const choicesOf = (name: string, { spec, agent }: Parameters<Control>[0]) =>
  requireChoices(`masking/${name}`, spec.actionSpaces[agent]);
