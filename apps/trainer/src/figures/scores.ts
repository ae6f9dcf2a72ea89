import type { Explainer } from "@magic-mask/core";
import { type Interval, type Lookahead, matchedMean, type States } from "@magic-mask/metrics";

/** How intervals are bootstrapped. */
export interface Resample {
  readonly draws: number;
  readonly seed: number;
}

/** A figure that cannot be known. */
export const UNKNOWN: Interval = { estimate: Number.NaN, low: Number.NaN, high: Number.NaN };

/** What is said of held-out decisions. */
export interface Told {
  readonly scores: Float32Array;
  /** One standard deviation; NaN where it is not known. */
  readonly spread: Float32Array;
}

/** What an explainer says of held-out decisions, and how sure it is. */
export function scoresOf(explainer: Explainer, { decisions, count }: States): Told {
  const scores = new Float32Array(count);
  const spread = new Float32Array(count);
  explainer.score(decisions, scores, spread);
  return { scores, spread };
}

/** What looking ahead says of decisions. */
export const toldBy = ({ criticality, standardError }: Lookahead): Told => ({
  scores: Float32Array.from(criticality),
  spread: Float32Array.from(standardError),
});

/**
 * What looking ahead and a mask say together of other decisions than those that they were brought to one scale over.
 *
 * @param ahead what looking ahead said of those @param told what the mask did
 */
export function bothOf(looker: Explainer, mask: Explainer, ahead: Told, told: Told): Explainer {
  const { scale, shift } = matchedMean(ahead.scores, told.scores);
  return {
    name: `${mask.name}+${looker.name}`,
    score(decisions, criticality, spread) {
      const { count } = decisions;
      const [scores, unread] = [new Float32Array(count), new Float32Array(count)];
      mask.score(decisions, scores, unread);
      looker.score(decisions, criticality, spread);
      for (let row = 0; row < count; row++) criticality[row] = (criticality[row] + scale * scores[row] + shift) / 2;
      spread.fill(Number.NaN, 0, count);
    },
  };
}

/** What looking ahead and a mask say of the same decisions, with the same say, in units of return. */
export function both(ahead: Told, mask: Told): Told {
  const { mean, scale } = matchedMean(ahead.scores, mask.scores);
  return {
    scores: Float32Array.from(mean),
    // As if they erred apart.
    spread: ahead.spread.map((spread, s) => Math.hypot(spread, scale * mask.spread[s]) / 2),
  };
}
