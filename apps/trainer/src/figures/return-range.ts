import { type Policy, play } from "@magic-mask/core";
import { episodeReturns } from "@magic-mask/metrics";
import type { World } from "../assemble.ts";
import { randomPlayer } from "../policies.ts";
import { mean } from "./means.ts";

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
