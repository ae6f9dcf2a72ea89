import { type DecisionBatch, ILLEGAL } from "@magic-mask/core";

/** What a mask looks at: a decision's observation, legal mask and policy row. */
export type FeatureSource = DecisionBatch & {
  /** [B × n] ln π(·∣o) */
  readonly policy: Float32Array;
};

/** ln π is cut off here, so that improbable and illegal actions stay in a network's range. */
const LOWEST_LOG_PROB = -10;

/** Length of x for D observations and n actions. */
export const stateWidth = (D: number, n: number): number => D + 2 * n + 2;

/** Length of [x, a, ln π(a), π(a)]. */
export const actionInputWidth = (D: number, n: number): number => stateWidth(D, n) + n + 2;

/**
 * x = [o, π(·∣o), ln π(·∣o), H(π), max π]: what the policy makes of the state tells a mask more than the state itself.
 *
 * @param row which decision
 * @param out written from `at`, `stateWidth(D, n)` numbers
 */
export function writeState(source: FeatureSource, row: number, D: number, n: number, out: Float32Array, at: number) {
  const { observations, policy } = source;
  for (let i = 0; i < D; i++) out[at + i] = observations[row * D + i];
  let entropy = 0;
  let highest = 0;
  for (let a = 0; a < n; a++) {
    const logProb = policy[row * n + a];
    const probability = logProb > ILLEGAL ? Math.exp(logProb) : 0;
    out[at + D + a] = probability;
    out[at + D + n + a] = Math.max(logProb, LOWEST_LOG_PROB);
    if (probability > 0) entropy -= probability * logProb;
    if (probability > highest) highest = probability;
  }
  out[at + D + 2 * n] = entropy;
  out[at + D + 2 * n + 1] = highest;
}

/** Appends [a one-hot, ln π(a), π(a)] to the x that was written at `at`. */
export function writeAction(a: number, D: number, n: number, out: Float32Array, at: number) {
  const tail = at + stateWidth(D, n);
  out.fill(0, tail, tail + n);
  out[tail + a] = 1;
  out[tail + n] = out[at + D + n + a];
  out[tail + n + 1] = out[at + D + a];
}
