import { type Rollout, TERMINATED, TRUNCATED } from "./rollout.ts";

/** Whose returns `lambdaReturns` makes; the agent's own policy's by default. */
export interface ReturnsOf {
  /** [R] r, in place of the rollout's. */
  readonly rewards?: Float32Array;
  /** Whether those of the behaviour, blinding included: then blinded decisions are followed like any other. */
  readonly blinded?: boolean;
}

/**
 * λ-returns of every complete decision, y_t = A_t + V(o_t) with the generalised advantage estimate A (Schulman et al.
 * 2016, eq. 16, arXiv:1506.02438), where only the agent's own, unblinded choices are followed:
 *
 *   y_t = r_t + γ·V(o_{t+1})                                   if t + 1 is blinded, disturbed, not complete, or a last look
 *   y_t = r_t + γ·[(1 − λ)·V(o_{t+1}) + λ·y_{t+1}]             otherwise
 *   y_t = r_t                                                  if the agent terminated
 *
 * t counts the agent's own decisions: in turn-based play the reward that arrives before its next decision is r_t.
 *
 * @param values [R] V(o), last looks and open rows included
 * @param discount γ in [0, 1]
 * @param trace λ in [0, 1]
 * @param out [R] written for complete rows; others are 0
 */
export function lambdaReturns(
  rollout: Rollout,
  values: Float32Array,
  discount: number,
  trace: number,
  out: Float32Array,
  { rewards = rollout.rewards, blinded: throughBlinded = false }: ReturnsOf = {},
) {
  const { next, ended, blinded, disturbed } = rollout;
  // `next` always points forward, so one pass from the end suffices.
  for (let row = rollout.length - 1; row >= 0; row--) {
    if (ended[row] > TRUNCATED) {
      out[row] = 0;
    } else if (ended[row] === TERMINATED) {
      out[row] = rewards[row];
    } else {
      const then = next[row];
      const followed = ended[then] <= TRUNCATED && (throughBlinded || !blinded[then]) && !disturbed[then];
      const tail = followed ? (1 - trace) * values[then] + trace * out[then] : values[then];
      out[row] = rewards[row] + discount * tail;
    }
  }
}
