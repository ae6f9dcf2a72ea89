import { type Episode, episodeReturn, type Policy, play, stream } from "@magic-mask/core";
import type { LoadedTeam } from "../../apps/trainer/src/load-run.ts";
import { greedy } from "../../apps/trainer/src/policies.ts";

export interface HeldOutOptions {
  readonly episodes: number;
  /** Take the most probable action, or draw. */
  readonly style: "greedy" | "sampled";
  /** [N] who plays in the team's place; the team itself where undefined. */
  readonly others?: readonly (Policy | undefined)[];
}

/** Episodes of a trained team from seeds that are none of training's. */
export function heldOut(team: LoadedTeam, { episodes, style, others = [] }: HeldOutOptions): Episode[] {
  const { config, world } = team;
  const policies = world.spec.agents.map((_, agent) => {
    const other = others[agent];
    if (other) return other;
    const { policy } = team.team.learners[team.team.players[agent]];
    return style === "greedy" ? greedy(policy, world.spec.actionSpaces[agent]) : policy;
  });
  return play({ make: world.make, policies, episodes, seed: stream(config.seed, "held out").bits() });
}

/** Mean undiscounted return of these agents, per agent and episode. */
export function meanReturn(episodes: readonly Episode[], agents: readonly number[]): number {
  let sum = 0;
  for (const episode of episodes) for (const agent of agents) sum += episodeReturn(episode, agent);
  return sum / (episodes.length * agents.length);
}
