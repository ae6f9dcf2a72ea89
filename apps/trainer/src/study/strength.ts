import { type Policy, play, stream } from "@magic-mask/core";
import { episodeReturns } from "@magic-mask/metrics";
import type { World } from "../assemble.ts";
import type { Config } from "../config.ts";
import { mean } from "../figures/means.ts";
import { playOpponents } from "../figures/opponents.ts";
import { scriptedPlayer } from "../scripted.ts";
import type { StateSet } from "../truth/truth-of.ts";

/** How well a team plays, unperturbed and as it samples. */
export interface Strength {
  /** Against whom: a scripted player, random ones, or nobody but the team itself. */
  readonly opponent: string;
  readonly metric: "win_rate" | "return";
  /** Mean over held-out episodes and seats; game units, or 0..1. */
  readonly value: number;
}

/** The name of the opponent of a team that plays among itself. */
const ITSELF = "itself";

/**
 * On held-out episodes, the same for all teams of a seed. The first entry is the one to look at: against the scripted player where the
 * world has one; else against random play where what one wins another loses; else the mean return per agent of the team by itself.
 *
 * @param episodes per opponent and seat
 */
export function strengthOf(
  { config, world, policies }: { readonly config: Config; readonly world: World; readonly policies: readonly Policy[] },
  states: StateSet,
  episodes: number,
): Strength[] {
  const seed = stream(config.seed, "strength", states).bits();
  const rows = playOpponents({ config, world }, policies, episodes, seed, 100)
    .filter(({ play: style }) => style === "sampled")
    .map(({ opponent, metric, value }): Strength => ({ opponent, metric, value: value.estimate }));
  const script = scriptedPlayer(config)?.name;
  const { zeroSum, agents } = world.spec;
  const others = [...rows].sort((a, b) => Number(b.opponent === script) - Number(a.opponent === script));
  if (zeroSum) return others;
  const played = play({ make: world.make, policies, episodes, seed: stream(seed, ITSELF).bits() });
  const own = mean(agents.map((_, agent) => mean(Array.from(episodeReturns(played, agent)))));
  const itself: Strength = { opponent: ITSELF, metric: "return", value: own };
  // Of a single agent the others are nobody: the same again.
  if (agents.length === 1) return [itself];
  return script === undefined ? [itself, ...others] : [...others, itself];
}
