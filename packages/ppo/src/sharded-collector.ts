import {
  allocateRollout,
  appendRollout,
  checkCount,
  clearRollout,
  type EnvironmentSpec,
  MagicMaskError,
  type MakeEnvironment,
  type Rollout,
  trajectoryHash,
  type VectorEnvironment,
  vectorize,
} from "@magic-mask/core";
import {
  type Blinding,
  type Collected,
  type Collector,
  type CollectorOptions,
  type CollectorState,
  createCollector,
} from "./collector.ts";
import { type Opponents, self } from "./opponents.ts";

/**
 * A collector whose copies lie in a fixed number of shards, each with a collector of its own. Where the shards are played is
 * nobody's business: rollouts, hashes and states are the same bits.
 */
export interface ShardedCollector {
  readonly spec: EnvironmentSpec;
  /** C, over all shards. */
  readonly copies: number;
  /** [N] which of the policies plays which agent. */
  readonly players: readonly number[];
  readonly opponents: Opponents;
  /** Ticks so far; every tick steps all copies once. */
  readonly ticks: number;
  /** Digest of the shards' digests, in their order. */
  readonly hash: string;
  /**
   * Steps every copy `ticks` times. Rows come shard by shard, and so do episodes.
   *
   * @throws unsupported if it cannot blind in this way where its shards are played
   */
  collect(ticks: number, blinding: Blinding): Promise<Collected>;
  /** A copy; yours to keep. As a collector's where the world has no snapshots. */
  exportState(): Promise<ShardedState>;
  /** Continues from a state of a collector with the same options and shards. @throws shape-mismatch if they are not as many */
  restoreState(state: ShardedState): Promise<void>;
  /** Frees what it holds, threads among it. */
  close(): Promise<void>;
}

export interface ShardedState {
  /** [S] */
  readonly shards: readonly CollectorState[];
}

/** Which copies a shard plays. */
export interface ShardPlan {
  readonly firstCopy: number;
  readonly copies: number;
}

/** What came of one shard. */
interface PlayedShard extends Collected {
  readonly hash: string;
}

/** Plays the shards, somewhere. All arrays are [S], in the order of the shards. */
export interface ShardPlayer {
  collect(ticks: number, blinding: Blinding): Promise<readonly PlayedShard[]>;
  exportState(): Promise<readonly CollectorState[]>;
  restoreState(states: readonly CollectorState[]): Promise<void>;
  close(): Promise<void>;
}

export interface ShardedCollectorOptions extends Omit<CollectorOptions, "vector" | "firstCopy" | "allocate"> {
  /** [S] the copies of each shard: `shardWorlds`. */
  readonly vectors: readonly VectorEnvironment[];
}

/** Parts that copies are split into by default: enough for as many threads, each part still a batch of its own. */
const SHARDS = 8;

/**
 * Splits copies into shards, as evenly as can be.
 *
 * @param shards what comes of a run depends on it; at most one per copy is made
 */
export function planShards(copies: number, shards: number = SHARDS): ShardPlan[] {
  checkCount("ppo/sharded-collector", "copies", copies);
  const S = Math.min(checkCount("ppo/sharded-collector", "shards", shards), copies);
  const from = (s: number) => Math.floor((s * copies) / S);
  return Array.from({ length: S }, (_, s) => ({ firstCopy: from(s), copies: from(s + 1) - from(s) }));
}

/** Copies of a world, shard by shard. @param shards as in `planShards` */
export const shardWorlds = (make: MakeEnvironment, copies: number, shards?: number): VectorEnvironment[] =>
  planShards(copies, shards).map((plan) => vectorize(make, plan.copies));

/** Plays the shards one after the other in this thread. @throws as `createCollector` */
export function createShardedCollector({ vectors, ...options }: ShardedCollectorOptions): ShardedCollector {
  checkCount("ppo/sharded-collector", "shards", vectors.length);
  const shards: Collector[] = [];
  let copies = 0;
  for (const vector of vectors) {
    shards.push(createCollector({ ...options, vector, firstCopy: copies }));
    copies += vector.copies;
  }
  const { players, opponents = self() } = options;
  const about = { spec: vectors[0].spec, copies, players, opponents };
  return joinShards(about, shards.length, {
    collect: async (ticks, blinding) =>
      shards.map((shard) => ({ ...shard.collect(ticks, blinding), hash: shard.hash })),
    exportState: async () => shards.map((shard) => shard.exportState()),
    async restoreState(states) {
      shards.forEach((shard, s) => {
        shard.restoreState(states[s]);
      });
    },
    async close() {
      for (const vector of vectors) vector.close?.();
    },
  });
}

/** Makes one collector of shards, wherever they are played. @param count S */
export function joinShards(
  about: Pick<ShardedCollector, "spec" | "copies" | "players" | "opponents">,
  count: number,
  player: ShardPlayer,
): ShardedCollector {
  let ticks = 0;
  let digests: readonly string[] = Array(count).fill(trajectoryHash().digest());
  let rollouts: Rollout[] = [];

  return {
    ...about,
    get ticks() {
      return ticks;
    },
    get hash() {
      const hash = trajectoryHash();
      hash.update(new TextEncoder().encode(digests.join(" ")));
      return hash.digest();
    },
    async collect(more, blinding) {
      const played = await player.collect(more, blinding);
      ticks += more;
      digests = played.map(({ hash }) => hash);
      rollouts = played[0].rollouts.map((_, k) =>
        join(
          played.map((shard) => shard.rollouts[k]),
          rollouts[k],
        ),
      );
      return { rollouts, episodes: played.flatMap(({ episodes }) => episodes) };
    },
    async exportState() {
      return { shards: await player.exportState() };
    },
    async restoreState({ shards }) {
      if (shards.length !== count) {
        const message = `the state is of another run: wanted ${count} shards, got ${shards.length}`;
        throw new MagicMaskError("shape-mismatch", "ppo/sharded-collector", message);
      }
      await player.restoreState(shards);
      ticks = shards[0].ticks;
      digests = shards.map(({ hash }) => hash);
    },
    close: () => player.close(),
  };
}

/** One rollout of all parts' rows. @param page filled if it is long enough */
function join(parts: readonly Rollout[], page: Rollout | undefined): Rollout {
  const rows = parts.reduce((sum, { length }) => sum + length, 0);
  // A little more than needed, as the next iteration may have a few rows more.
  const whole = page && page.ended.length >= rows ? page : allocateRollout(parts[0].widths, Math.ceil(1.25 * rows) + 1);
  clearRollout(whole);
  for (const part of parts) appendRollout(part, whole);
  return whole;
}
