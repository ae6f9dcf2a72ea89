import { createShardedCollector, type ShardedCollector, self, shardWorlds } from "@magic-mask/ppo";
import { createWorkerCollector } from "@magic-mask/ppo/workers";
import { learnersOf, type Team, type World } from "./assemble.ts";
import type { Backend } from "./backend.ts";
import type { Config } from "./config.ts";
import type { ShardsOptions } from "./shards.ts";

export interface CollectOptions {
  /** Root of all chance in playing. */
  readonly seed: number;
  /** Whether nobody but the learners plays. */
  readonly alone: boolean;
  /** Its workers play, or this thread where there are none. */
  readonly backend: Pick<Backend, "name" | "workers">;
}

/** Plays a team: the same on any number of workers. */
export function assembleCollector(
  config: Config,
  { make, spec, perturbations, learned }: World,
  team: Team,
  { seed, alone, backend }: CollectOptions,
): ShardedCollector {
  const { learners, players, opponents } = team;
  const { copies, shards } = config.training;
  const about = { players, seed, opponents: alone ? self() : opponents };
  // Masks are here, and what is learned from them.
  if (backend.workers === 0 || learned) {
    return createShardedCollector({
      ...about,
      vectors: shardWorlds(make, copies, shards),
      policies: learners.map(({ policy }) => policy),
      perturbations,
    });
  }
  const options: ShardsOptions = { config, backend: backend.name, seed, alone };
  return createWorkerCollector({
    ...about,
    description: { module: SHARDS, export: "openShards", options },
    workers: backend.workers,
    spec,
    copies,
    shards,
    learners: learnersOf(team).map(({ learner }) => learner),
  });
}

/** Beside this file, in the source and in the build. */
const SHARDS = new URL(import.meta.url.endsWith(".ts") ? "./shards.ts" : "./shards.js", import.meta.url).href;
