import { checkCount, type EnvironmentSpec, type Learner, MagicMaskError, type Rollout } from "@magic-mask/core";
import { startThread, type ThreadDescription } from "@magic-mask/core/threads";
import type { CollectorState } from "./collector.ts";
import { copyArrays } from "./copy-arrays.ts";
import { type Opponents, self } from "./opponents.ts";
import type { ShardMessage } from "./shard-server.ts";
import { joinShards, planShards, type ShardedCollector } from "./sharded-collector.ts";

export interface WorkerCollectorOptions {
  /** Its export returns a `createShardServer` of the same world, policies and opponents, in each thread anew. */
  readonly description: ThreadDescription;
  /** Threads, ≥ 1; more than shards are not started. */
  readonly workers: number;
  readonly spec: EnvironmentSpec;
  /** C, over all shards. */
  readonly copies: number;
  /** As in `planShards`. */
  readonly shards?: number;
  /** [N] which of the policies plays which agent. */
  readonly players: readonly number[];
  /** [K] as the description's: these here are the ones that learn. */
  readonly learners: readonly Learner[];
  readonly opponents?: Opponents;
}

const SOURCE = "ppo/workers";
const share = (bytes: number) => new SharedArrayBuffer(bytes);

/**
 * Plays shards on worker threads, shard s on worker s mod W: the same rollouts, hashes and states as `createShardedCollector`
 * has for them in this thread. Parameters and rollouts cross in shared memory.
 *
 * Calls throw what a worker throws, ours with their fields; worker-lost if one ends. It blinds by the coin alone: a mask is
 * asked in this thread.
 */
export function createWorkerCollector(options: WorkerCollectorOptions): ShardedCollector {
  const { description, spec, copies, players, learners, opponents = self() } = options;
  const plans = planShards(copies, options.shards);
  const S = plans.length;
  const W = Math.min(checkCount(SOURCE, "workers", options.workers), S);
  const threads = Array.from({ length: W }, () => startThread(description));
  const parameters = learners.map((learner) => copyArrays(learner.exportState().parameters, share));
  const opened = threads.map((thread, w) =>
    thread.call<void>(
      "open",
      plans.filter((_, s) => s % W === w),
      parameters,
    ),
  );
  // Whoever calls next is told.
  for (const promise of opened) promise.catch(() => {});
  let told = Number.NaN;
  /** Rollouts of each shard, the last ones and those before. */
  let pages: readonly (readonly Rollout[])[][] = [[], []];

  /** What the workers answer, each for its shards, in the order of the shards. */
  const ask = async <T>(method: string, argumentsOf: (worker: number) => readonly unknown[]): Promise<T[]> => {
    const asked = threads.map(async (thread, w) => {
      await opened[w];
      return thread.call<readonly T[]>(method, ...argumentsOf(w));
    });
    // All have come to rest before an error is passed on.
    const failed = (await Promise.allSettled(asked)).find(({ status }) => status === "rejected");
    if (failed) throw (failed as PromiseRejectedResult).reason;
    const answers = await Promise.all(asked);
    return plans.map((_, s) => answers[s % W]?.[Math.floor(s / W)]);
  };

  return joinShards({ spec, copies, players, opponents }, S, {
    async collect(ticks, blinding) {
      if (blinding.kind !== "coin" || blinding.steer) {
        const message =
          "masks, and what steers a coin, are asked in the thread that they live in; collect without workers";
        throw new MagicMaskError("unsupported", SOURCE, message);
      }
      learners.forEach((learner, k) => {
        parameters[k].set(learner.exportState().parameters);
      });
      const state = opponents.version === told ? undefined : copyArrays(opponents.exportState(), share);
      told = opponents.version;
      const messages = await ask<ShardMessage>("collect", () => [ticks, blinding, state]);
      const [last, before] = pages;
      pages = [messages.map((message, s) => message.pages.map((page, k) => page.columns ?? before[s][k])), last];
      return messages.map((message, s) => ({
        rollouts: message.pages.map(({ length, listed }, k) => {
          const page = pages[0][s][k];
          page.length = length;
          if (page.candidates) page.candidates.length = listed;
          return page;
        }),
        episodes: message.episodes,
        hash: message.hash,
      }));
    },
    exportState: () => ask<CollectorState>("exportState", () => []),
    async restoreState(states) {
      await ask("restoreState", (w) => [states.filter((_, s) => s % W === w)]);
    },
    async close() {
      await Promise.all(threads.map((thread) => thread.close()));
    },
  });
}
