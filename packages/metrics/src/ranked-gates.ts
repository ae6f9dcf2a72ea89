import type { Explainer } from "@magic-mask/core";
import type { Gate } from "./gated-policy.ts";

/** Scores in descending order: a position in them (0 blinds none, 1 all) is a gate. */
export const descending = (scores: readonly number[]): Float64Array => Float64Array.from(scores).sort().reverse();

/** The gate that blinds the share `position` of `ranking`. @param ranking [n] scores in descending order */
export function gateAt(ranking: Float64Array, position: number): Gate {
  const n = ranking.length;
  const threshold = ranking[Math.min(n - 1, Math.floor(position * n))];
  const above = ranking.indexOf(threshold);
  const tied = ranking.lastIndexOf(threshold) + 1 - above;
  return { threshold, ties: (position * n - above) / tied };
}

/** An explainer whose top share is the other's lowest. */
export const reversed = (explainer: Explainer): Explainer => ({
  name: explainer.name,
  score(decisions, criticality, spread) {
    explainer.score(decisions, criticality, spread);
    for (let row = 0; row < decisions.count; row++) criticality[row] = -criticality[row];
  },
});
