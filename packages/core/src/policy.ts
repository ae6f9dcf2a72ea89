import type { CandidateLists } from "./candidate-lists.ts";

/** B decisions of agents that share spaces, row by row. */
export interface DecisionBatch {
  /** B; the arrays may be longer. */
  readonly count: number;
  /** [B × D] */
  readonly observations: Float32Array;
  /** [B × A] 1 = legal. */
  readonly legal: Uint8Array;
  /** What the actions are, where the space is `Candidates`. */
  readonly candidates?: CandidateLists;
  /** [B] in which copy of a vectorized world each is to be made, where they come from one. */
  readonly copies?: Int32Array;
}

/**
 * Maps observations to distributions over actions: a network, a script, or somebody else's model.
 *
 * Deterministic: all chance is in the drawing, which is the caller's.
 */
export interface Policy {
  /**
   * @param parameters [B × P] written: one row of distribution parameters per decision (see `Distribution`)
   * @param values [B] written: the policy's own estimate of the return; zeros where it has none
   */
  evaluate(batch: DecisionBatch, parameters: Float32Array, values: Float32Array): void;
}

/**
 * ν: what an agent does at a decision where its own policy is withheld ("blinded").
 *
 * A distribution over the legal actions, in the same form as a policy's, so that its probabilities are known exactly.
 */
export interface Perturbation {
  readonly name: string;
  /**
   * @param policy [B × P] the rows of the policy that is withheld
   * @param out [B × P] written: the rows of ν
   */
  evaluate(batch: DecisionBatch, policy: Float32Array, out: Float32Array): void;
}
