import { type ActionSpace, type DecisionBatch, ILLEGAL, requireChoices } from "@magic-mask/core";

/** What a mask looks at: a decision's observation, legal mask, candidates and policy row. */
export type FeatureSource = DecisionBatch & {
  /** [B × n] ln π(·∣o) */
  readonly policy: Float32Array;
};

/** ln π is cut off here, so that improbable and illegal actions stay in a network's range. */
const LOWEST_LOG_PROB = -10;

/** How states are written for a network. */
export interface StateFeatures {
  /** Length of x. */
  readonly width: number;
  /** Writes x of one decision to `out` from `at`, `width` numbers. */
  write(source: FeatureSource, row: number, out: Float32Array, at: number): void;
}

/**
 * What the policy makes of the state tells a mask more than the state itself:
 *
 *   x = [o, π(·∣o), ln π(·∣o), H(π), max π]
 *   x = [o, H(π), max π] where actions are candidates: there the same place means another one each time
 *
 * @param D numbers in an observation
 * @throws unsupported for spaces of other kinds
 */
export function stateFeatures(D: number, space: ActionSpace): StateFeatures {
  const n = requireChoices("masking/features", space);
  const isListed = space.kind === "candidates";
  /** Numbers of the policy's row in x. */
  const told = isListed ? 0 : 2 * n;
  return {
    width: D + told + 2,
    write({ observations, policy, candidates }, row, out, at) {
      for (let i = 0; i < D; i++) out[at + i] = observations[row * D + i];
      const choices = candidates && isListed ? candidates.counts[row] : n;
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
    },
  };
}

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
 * x as in `stateFeatures`, and a as one of n, or as its features where actions are candidates.
 *
 * @param D numbers in an observation
 * @throws unsupported for spaces of other kinds
 */
export function pairFeatures(D: number, space: ActionSpace): PairFeatures {
  const n = requireChoices("masking/features", space);
  const F = space.kind === "candidates" ? space.features : 0;
  const state = stateFeatures(D, space);
  /** Numbers of an action. */
  const own = F > 0 ? F : n;
  return {
    width: state.width + own + 2,
    write(source, row, action, out, at) {
      state.write(source, row, out, at);
      const { policy, candidates } = source;
      const tail = at + state.width;
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
