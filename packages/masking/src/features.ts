import { type ActionSpace, type DecisionBatch, ILLEGAL, requireChoices } from "@magic-mask/core";

/** What a mask looks at: a decision's observation, legal mask, candidates and policy row. */
export type FeatureSource = DecisionBatch & {
  /** [B × n] ln π(·∣o) */
  readonly policy: Float32Array;
};

/** ln π is cut off here, so that improbable and illegal actions stay in a network's range. */
const LOWEST_LOG_PROB = -10;

/** How pairs of a state and an action are written for a network. */
export interface PairFeatures {
  /** Length of [x, a, ln π(a), π(a)]. */
  readonly width: number;
  /**
   * Writes one pair.
   *
   * @param row which decision
   * @param a which action
   * @param out written from `at`, `width` numbers
   */
  write(source: FeatureSource, row: number, a: number, out: Float32Array, at: number): void;
}

/**
 * What the policy makes of the state tells a mask more than the state itself:
 *
 *   x = [o, π(·∣o), ln π(·∣o), H(π), max π], a as one of n
 *   x = [o, H(π), max π], a as its features, where actions are candidates: there the same place means another one each time
 *
 * @param D numbers in an observation
 * @throws unsupported for spaces of other kinds
 */
export function pairFeatures(D: number, space: ActionSpace): PairFeatures {
  const n = requireChoices("masking/features", space);
  const F = space.kind === "candidates" ? space.features : 0;
  /** Numbers of the policy's row in x, and of an action. */
  const [told, own] = F > 0 ? [0, F] : [2 * n, n];
  return {
    width: D + told + 2 + own + 2,
    write({ observations, policy, candidates }, row, action, out, at) {
      for (let i = 0; i < D; i++) out[at + i] = observations[row * D + i];
      const choices = candidates && F > 0 ? candidates.counts[row] : n;
      let entropy = 0;
      let highest = 0;
      for (let a = 0; a < choices; a++) {
        const logProb = policy[row * n + a];
        const probability = logProb > ILLEGAL ? Math.exp(logProb) : 0;
        if (told > 0) {
          out[at + D + a] = probability;
          out[at + D + n + a] = Math.max(logProb, LOWEST_LOG_PROB);
        }
        if (probability > 0) entropy -= probability * logProb;
        if (probability > highest) highest = probability;
      }
      out[at + D + told] = entropy;
      out[at + D + told + 1] = highest;
      const tail = at + D + told + 2;
      if (candidates && F > 0) {
        const from = (candidates.starts[row] + action) * F;
        for (let i = 0; i < F; i++) out[tail + i] = candidates.features[from + i];
      } else {
        out.fill(0, tail, tail + n);
        out[tail + action] = 1;
      }
      const logProb = policy[row * n + action];
      out[tail + own] = Math.max(logProb, LOWEST_LOG_PROB);
      out[tail + own + 1] = logProb > ILLEGAL ? Math.exp(logProb) : 0;
    },
  };
}
