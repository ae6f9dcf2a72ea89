import type { DecisionBatch } from "./policy.ts";

/** B decisions of one agent with what is known of them: all that an explainer may look at. */
export interface Decisions extends DecisionBatch {
  readonly agent: number;
  /** [B × P] π(·∣o) as distribution parameters. */
  readonly policy: Float32Array;
  /** [B × P] ν(·∣o), likewise. */
  readonly perturbation: Float32Array;
}

/** Says how much is at stake in a decision. */
export interface Explainer {
  readonly name: string;
  /**
   * Scores decisions; higher = more critical. Only the order need mean something, unless the explainer says otherwise.
   *
   * @param criticality [B] written
   * @param spread [B] written where the explainer knows its own uncertainty: one standard deviation of `criticality`; NaN otherwise
   */
  score(decisions: Decisions, criticality: Float32Array, spread: Float32Array): void;
}
