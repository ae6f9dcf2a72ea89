import { type Policy, play } from "@magic-mask/core";
import { episodeReturns } from "@magic-mask/metrics";
import type { World } from "../assemble.ts";
import { randomPlayer } from "../policies.ts";
import { mean } from "./means.ts";

/**
 * The scale of an agent's drops: undefined where the world declares one; else what its policy earns above random play in its seat.
 */
export function rangeOf(world: World, policies: readonly Policy[], agent: number, seed: number): number | undefined {
  return world.spec.returnRange ? undefined : gainOverRandom(world, policies, agent, seed);
}

/** What an agent's policy earns above random play in its seat, the others' policies being as they are: means over 200 games each. */
export function gainOverRandom(
  { make, spec }: Pick<World, "make" | "spec">,
  policies: readonly Policy[],
  agent: number,
  seed: number,
): number {
  const returnOf = (seated: readonly Policy[]) =>
    mean(Array.from(episodeReturns(play({ make, policies: seated, episodes: 200, seed }), agent)));
  return returnOf(policies) - returnOf(policies.with(agent, randomPlayer(spec.actionSpaces[agent])));
}
