import { type Policy, play, stream } from "@magic-mask/core";
import { withRandomOpening } from "@magic-mask/environments";
import { bootstrapMean, episodeReturns, type Interval } from "@magic-mask/metrics";
import type { LoadedRun } from "../load-run.ts";
import { greedy, randomPlayer } from "../policies.ts";
import { scriptedPlayer } from "../scripted.ts";

/** How a team does against others. */
export interface OpponentRow {
  readonly opponent: string;
  readonly play: "sampled" | "greedy";
  readonly metric: "win_rate" | "return";
  readonly value: Interval;
}

/** The team against random and scripted players, in every seat in turn, as it samples and greedily. */
export function playOpponents(
  { config, world }: Pick<LoadedRun, "config" | "world">,
  policies: readonly Policy[],
  episodes: number,
  seed: number,
  draws: number,
): OpponentRow[] {
  const { spec, make } = world;
  const scripted = scriptedPlayer(config);
  const others = [
    { name: spec.agents.length > 1 ? "random" : "nobody", policies: spec.actionSpaces.map(randomPlayer) },
    ...(scripted ? [scripted] : []),
  ];
  return others.flatMap(({ name, policies: opposing }) =>
    (["sampled", "greedy"] as const).map((style) => {
      const own =
        style === "sampled" ? policies : policies.map((policy, agent) => greedy(policy, spec.actionSpaces[agent]));
      // Two random plies, or greedy players of a game without chance would play one game over and over.
      const variant = style === "greedy" && spec.turnBased ? withRandomOpening(make, 2) : make;
      const points = spec.agents.flatMap((_, seat) => {
        const seated = opposing.map((policy, agent) => (agent === seat ? own[seat] : policy));
        const played = play({
          make: variant,
          policies: seated,
          episodes,
          seed: stream(seed, name, style, seat).bits(),
        });
        const returns = Array.from(episodeReturns(played, seat));
        return spec.zeroSum ? returns.map((value) => (Math.sign(value) + 1) / 2) : returns;
      });
      const metric = spec.zeroSum ? ("win_rate" as const) : ("return" as const);
      return { opponent: name, play: style, metric, value: bootstrapMean(points, { seed, draws }) };
    }),
  );
}
