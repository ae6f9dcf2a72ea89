import { type Decisions, type Explainer, type Rollout, shuffle, stream } from "@magic-mask/core";
import type { MaskContext } from "./objectives/objective.ts";
import { rankMask } from "./rank-mask.ts";
import { selectDecisions } from "./select.ts";

/** A mask that is the rank of an explainer's scores among states that were just visited. */
export interface RankedStates {
  mask(decisions: Decisions, out: Float32Array): void;
  /**
   * Scores a random sample of these states, so that ranks follow policy and weights.
   *
   * @param count names the sample: another each time
   */
  remember(rollout: Rollout, rows: Int32Array, count: number): void;
  exportState(): RankedState;
  restoreState(state: RankedState): void;
}

export type RankedState = ReturnType<ReturnType<typeof rankMask>["exportState"]>;

export function rankedStates(context: MaskContext, explainer: Pick<Explainer, "score">): RankedStates {
  const ranks = rankMask();
  let scores = new Float32Array(0);
  let unread = new Float32Array(0);
  return {
    mask(decisions, out) {
      if (scores.length < decisions.count) {
        scores = new Float32Array(decisions.count);
        unread = new Float32Array(decisions.count);
      }
      explainer.score(decisions, scores, unread);
      for (let row = 0; row < decisions.count; row++) out[row] = ranks.rank(scores[row]);
    },
    remember(rollout, rows, count) {
      const sample = sampleStates(context, rollout, rows, count);
      const criticality = new Float32Array(sample.count);
      explainer.score(sample, criticality, new Float32Array(sample.count));
      ranks.learn(criticality);
    },
    exportState: () => ranks.exportState(),
    restoreState: (state) => ranks.restoreState(state),
  };
}

/** A random sample of the states of a fit. @param count names it: another each time */
export function sampleStates(
  { agent, seed }: Pick<MaskContext, "agent" | "seed">,
  rollout: Rollout,
  rows: Int32Array,
  count: number,
): Decisions {
  const order = shuffle(rows.slice(), stream(seed, "ranked states", agent, count));
  const sampled = Math.min(MOST_RANKED, Math.ceil(rows.length * RANKED_SHARE));
  return selectDecisions(rollout, order.subarray(0, sampled), agent);
}

/** Share of the states of a fit that are ranked after it, and the most: each may take a forward pass per action. */
const RANKED_SHARE = 1 / 8;
const MOST_RANKED = 1024;
