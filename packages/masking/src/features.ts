import {
  type ActionSpace,
  type Box,
  boxSize,
  type DecisionBatch,
  distributionOf,
  ILLEGAL,
  MagicMaskError,
  requireChoices,
} from "@magic-mask/core";

/** What a mask looks at: a decision's observation, legal mask, candidates and policy row. */
export type FeatureSource = DecisionBatch & {
  /** [B × P] π(·∣o) as distribution parameters: ln π where choices are finitely many. */
  readonly policy: Float32Array;
};

/** ln π is cut off here, so that improbable and illegal actions stay in a network's range. */
const LOWEST_LOG_PROB = -10;

const SOURCE = "masking/features";

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
 *   x = [o, means, ln σ] where they are continuous, entry by entry and brought from their bounds to [−1, 1]
 *
 * @param D numbers in an observation
 * @throws unsupported for actions in several parts, and for a box without bounds
 */
export function stateFeatures(D: number, space: ActionSpace): StateFeatures {
  if (space.kind === "box") return continuousStates(D, space);
  const n = requireChoices(SOURCE, space);
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
   * @param action which choice; the numbers of a continuous action, as it was drawn
   * @param out written from `at`, `width` numbers
   */
  write(source: FeatureSource, row: number, action: number | Float32Array, out: Float32Array, at: number): void;
}

/**
 * x as in `stateFeatures`, and a as one of n, or as its features where actions are candidates. A continuous action is as it is
 * played, within its bounds and brought from them to [−1, 1]; of ln π(a), the density of what was drawn, there is no second form.
 *
 * @param D numbers in an observation
 * @param ofPolicy whether anything of the policy is told; else a pair is [o, a]
 * @throws unsupported for actions in several parts, and for a box without bounds
 */
export function pairFeatures(D: number, space: ActionSpace, ofPolicy = true): PairFeatures {
  const all = pairsOf(D, space);
  return ofPolicy ? all : withoutPolicy(D, all, space);
}

/** [o, a] of [x, a, …]. */
function withoutPolicy(D: number, all: PairFeatures, space: ActionSpace): PairFeatures {
  const own =
    space.kind === "box"
      ? boxSize(space)
      : space.kind === "candidates"
        ? space.features
        : requireChoices(SOURCE, space);
  // What stands before the action is x, and behind it what the policy makes of it.
  const first = all.width - own - (space.kind === "box" ? 1 : 2);
  const pair = new Float32Array(all.width);
  return {
    width: D + own,
    write(source, row, action, out, at) {
      all.write(source, row, action, pair, 0);
      for (let i = 0; i < D; i++) out[at + i] = pair[i];
      for (let i = 0; i < own; i++) out[at + D + i] = pair[first + i];
    },
  };
}

function pairsOf(D: number, space: ActionSpace): PairFeatures {
  if (space.kind === "box") return continuousPairs(D, space);
  const n = requireChoices(SOURCE, space);
  const F = space.kind === "candidates" ? space.features : 0;
  const state = stateFeatures(D, space);
  /** Numbers of an action. */
  const own = F > 0 ? F : n;
  return {
    width: state.width + own + 2,
    write(source, row, choice, out, at) {
      const action = choice as number;
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

function continuousStates(D: number, space: Box): StateFeatures {
  const { k, middle, half } = scaleOf(space);
  return {
    width: D + 2 * k,
    write({ observations, policy }, row, out, at) {
      for (let i = 0; i < D; i++) out[at + i] = observations[row * D + i];
      for (let i = 0; i < k; i++) {
        out[at + D + i] = (policy[row * 2 * k + i] - middle[i]) / half[i];
        out[at + D + k + i] = policy[row * 2 * k + k + i] - Math.log(half[i]);
      }
    },
  };
}

function continuousPairs(D: number, space: Box): PairFeatures {
  const { k, middle, half } = scaleOf(space);
  const state = continuousStates(D, space);
  const density = distributionOf(space);
  return {
    width: state.width + k + 1,
    write(source, row, action, out, at) {
      const drawn = action as Float32Array;
      state.write(source, row, out, at);
      const tail = at + state.width;
      for (let i = 0; i < k; i++) out[tail + i] = Math.max(-1, Math.min(1, (drawn[i] - middle[i]) / half[i]));
      const logProb = density.at(source.policy, row * 2 * k).logProb(drawn, 0);
      out[tail + k] = Math.max(LOWEST_LOG_PROB, Math.min(logProb, -LOWEST_LOG_PROB));
    },
  };
}

/** Middle and half of each entry's range. @throws unsupported without bounds */
function scaleOf(space: Box) {
  const { low, high } = space;
  const k = boxSize(space);
  const [middle, half] = [new Float64Array(k), new Float64Array(k)];
  for (let i = 0; i < k; i++) {
    const lowest = typeof low === "number" ? low : low[i];
    const highest = typeof high === "number" ? high : high[i];
    middle[i] = (lowest + highest) / 2;
    half[i] = (highest - lowest) / 2;
    if (half[i] > 0 && half[i] < Number.POSITIVE_INFINITY) continue;
    const message = `needs bounded actions, but entry ${i} lies in [${lowest}, ${highest}]`;
    throw new MagicMaskError("unsupported", SOURCE, message);
  }
  return { k, middle, half };
}
