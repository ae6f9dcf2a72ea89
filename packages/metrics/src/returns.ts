import { type Episode, episodeReturn } from "@magic-mask/core";
import { bootstrapMean, type ResampleOptions } from "./bootstrap.ts";
import type { Interval } from "./interval.ts";

/** [E] undiscounted return of `agent` in each episode, in the game's own units. */
export function episodeReturns(episodes: readonly Episode[], agent: number): Float64Array {
  return Float64Array.from(episodes, (episode) => episodeReturn(episode, agent));
}

/**
 * `return`: mean undiscounted return over episodes, with its bootstrap interval.
 *
 * @throws invalid-option, also for no episodes
 */
export function meanReturn(episodes: readonly Episode[], agent: number, options: ResampleOptions): Interval {
  return bootstrapMean(episodeReturns(episodes, agent), options);
}

/**
 * `win_rate`: wins + draws/2, in [0, 1], with its bootstrap interval. For zero-sum games, where a return above 0 is a
 * win and 0 is a draw.
 *
 * @throws invalid-option, also for no episodes
 */
export function winRate(episodes: readonly Episode[], agent: number, options: ResampleOptions): Interval {
  const points = episodeReturns(episodes, agent).map((value) => (Math.sign(value) + 1) / 2);
  return bootstrapMean(points, options);
}
