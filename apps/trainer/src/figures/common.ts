import { type Explainer, type Policy, play } from "@magic-mask/core";
import { episodeReturns, type Interval, type States } from "@magic-mask/metrics";
import type { World } from "../assemble.ts";
import { randomPlayer } from "../policies.ts";

/** How intervals are bootstrapped. */
export interface Resample {
  readonly draws: number;
  readonly seed: number;
}

/** A figure that cannot be known. */
export const UNKNOWN: Interval = { estimate: Number.NaN, low: Number.NaN, high: Number.NaN };

/** What an explainer says of held-out decisions, and how sure it is. */
export function scoresOf(explainer: Explainer, { decisions, count }: States) {
  const scores = new Float32Array(count);
  const spread = new Float32Array(count);
  explainer.score(decisions, scores, spread);
  return { scores, spread };
}

/**
 * The scale of an agent's drops: undefined where the world declares one; else what its policy earns above random play in its seat.
 */
export function rangeOf(
  { make, spec }: World,
  policies: readonly Policy[],
  agent: number,
  seed: number,
): number | undefined {
  if (spec.returnRange) return undefined;
  const returnOf = (seated: readonly Policy[]) =>
    mean(Array.from(episodeReturns(play({ make, policies: seated, episodes: 200, seed }), agent)));
  return returnOf(policies) - returnOf(policies.with(agent, randomPlayer(spec.actionSpaces[agent])));
}

export const sum = (values: ArrayLike<number>) => Array.from(values).reduce((total, value) => total + value, 0);
export const mean = (values: readonly number[]) => sum(values) / values.length;
