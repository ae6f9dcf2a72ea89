import type { CreateLearner, Decisions, EnvironmentSpec, Explainer, Rollout, UpdateStatistics } from "@magic-mask/core";
import type { SingleActionAdvantages } from "../perturbations/tilt.ts";

/** What one agent's mask learns from. */
export interface Evidence {
  readonly rollout: Rollout;
  /** γ per decision of the agent, by which V and y are made. */
  readonly discount: number;
  /** The agent's complete decisions after which nobody else was blinded before its next one. */
  readonly rows: Int32Array;
  /** [R] V(o) by the agent's critic, of all its rows: open ones and last looks, too. */
  readonly values: Float32Array;
  /** [R] advantage samples y − V(o) of those rows. */
  readonly advantages: Float32Array;
}

/** How hard to learn: passes over the rows, the learning rate falling linearly from the first to the last. */
export interface FitPlan {
  readonly epochs: number;
  readonly learningRate: { readonly start: number; readonly end: number };
}

/** The learning rate of one of `epochs` passes. */
export const rateAt = ({ start, end }: FitPlan["learningRate"], epoch: number, epochs: number): number =>
  epochs > 1 ? start + ((end - start) * epoch) / (epochs - 1) : start;

export interface MaskContext {
  readonly spec: EnvironmentSpec;
  readonly agent: number;
  readonly createLearner: CreateLearner;
  /** Root of all chance in the mask. */
  readonly seed: number;
}

/**
 * A mask of one agent while it is learned. High m = keep the policy's action = critical, everywhere.
 */
export interface MaskLearner {
  /** Criticality by what has been learned so far. */
  readonly explainer: Explainer;
  /** m(o) in [0, 1]. @param out [B] written */
  mask(decisions: Decisions, out: Float32Array): void;
  /**
   * For objectives that decide the blinding: the probability with which the agent is to be blinded while the mask is learned.
   *
   * @param probability [B] written
   */
  blind?(decisions: Decisions, probability: Float32Array): void;
  /** What single actions are worth by what has been learned so far, where the mask knows: learned perturbations are made of it. */
  readonly advantages?: SingleActionAdvantages;
  /** Learns from the evidence. Called as often as there is new evidence: once, post hoc, where a coin decides the blinding. */
  fit(evidence: Evidence, plan: FitPlan): Promise<UpdateStatistics>;
  /** Plain data with typed arrays, for checkpoints; `restoreState` takes what `exportState` of the same objective gave. */
  exportState(): object;
  restoreState(state: object): void;
}

/** A way to learn masks. */
export interface MaskObjective {
  readonly name: string;
  /** Who decides the blinding while the mask is learned: a coin, or the mask by its `blind`. */
  readonly blinding: "coin" | "mask";
  /** What actions must be, where masks cannot learn over a continuum of them. */
  readonly needs?: "choices";
  create(context: MaskContext): MaskLearner;
}
