/** What a worker thread runs to play some of a run's copies; `collector.ts` names this file. */
import { createShardServer, type ShardServer, self } from "@magic-mask/ppo";
import { assembleTeam, assembleWorld, learnersOf, policyWork } from "./assemble.ts";
import { loadBackend } from "./backend.ts";
import type { Config } from "./config.ts";
import { withPeers } from "./perturbations.ts";

/** As structured cloning carries them. */
export interface ShardsOptions {
  readonly config: Config;
  /** Name of the backend that the main thread has. */
  readonly backend: string;
  /** Root of all chance in playing. */
  readonly seed: number;
  /** Whether nobody but the learners plays. */
  readonly alone: boolean;
}

/** Builds world and team anew; the team's parameters come from the main thread. @throws as `assembleTeam` */
export async function openShards({ config, backend, seed, alone }: ShardsOptions): Promise<ShardServer> {
  const bare = assembleWorld(config);
  const own = { backend: backend as Config["backend"], workers: 0 };
  const { create } = await loadBackend(own, policyWork(config, bare));
  const world = await withPeers(config, bare, create);
  const team = assembleTeam(config, world, create);
  const { learners, players, opponents } = team;
  return createShardServer({
    make: world.make,
    learners: learnersOf(team).map(({ learner }) => learner),
    policies: learners.map(({ policy }) => policy),
    players,
    perturbations: world.perturbations,
    seed,
    opponents: alone ? self() : opponents,
  });
}
