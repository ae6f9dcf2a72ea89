import { type Learner, MagicMaskError, type MakeEnvironment, type Rollout, vectorize } from "@magic-mask/core";
import {
  type Blinding,
  type Collector,
  type CollectorOptions,
  type CollectorState,
  createCollector,
  type FinishedEpisode,
} from "./collector.ts";
import { copyArrays } from "./copy-arrays.ts";
import { type OpponentsState, self } from "./opponents.ts";
import type { ShardPlan } from "./sharded-collector.ts";

export interface ShardServerOptions extends Omit<CollectorOptions, "vector" | "firstCopy" | "allocate"> {
  readonly make: MakeEnvironment;
  /** Those whose parameters follow the main thread's, in its order; the policies read them. */
  readonly learners: readonly Learner[];
}

/**
 * Plays shards for another thread. What it gives and takes crosses threads as structured cloning carries it; the columns of
 * rollouts and the parameters lie in shared memory.
 */
export interface ShardServer {
  /** Called once. @param parameters [K][P] the learners' parameters, in shared memory, rewritten before each `collect` */
  open(plans: readonly ShardPlan[], parameters: readonly Float32Array[]): Promise<void>;
  /** @param opponents their state, where it has become another since the last call */
  collect(ticks: number, blinding: Blinding, opponents?: OpponentsState): Promise<readonly ShardMessage[]>;
  exportState(): Promise<readonly CollectorState[]>;
  restoreState(states: readonly CollectorState[]): Promise<void>;
}

/** What one shard played. */
export interface ShardMessage {
  /** [L] */
  readonly pages: readonly ShardPage[];
  readonly episodes: readonly FinishedEpisode[];
  readonly hash: string;
}

/** A rollout in shared memory. */
interface ShardPage {
  readonly length: number;
  /** Candidates in use; 0 where actions are none. */
  readonly listed: number;
  /** Its columns, unless they are those of the last call but one: two rollouts take turns until a longer one is needed. */
  readonly columns?: Rollout;
}

/** A rollout, and the array of features that it had: that is replaced when it is full. */
const snapshotOf = (rollout: Rollout) => ({ rollout, features: rollout.candidates?.features });

const isSame = (before: ReturnType<typeof snapshotOf> | undefined, now: Rollout): boolean =>
  before?.rollout === now && before.features === now.candidates?.features;

/** What a worker's module returns; see `createWorkerCollector` in `@magic-mask/ppo/workers`. */
export function createShardServer({ make, learners, ...options }: ShardServerOptions): ShardServer {
  const { opponents = self() } = options;
  let shards: Collector[] = [];
  let parameters: readonly Float32Array[] = [];
  /** What the last call's rollouts were, [shards][L], and the one's before. */
  let known: readonly (readonly ReturnType<typeof snapshotOf>[])[][] = [[], []];
  /** Only parameters are sent: these learners never learn. */
  const moments = learners.map((learner) => new Float32Array(learner.exportState().parameters.length));

  return {
    async open(plans, shared) {
      if (shards.length > 0) throw new MagicMaskError("out-of-order", "ppo/shard-server", "it is open already");
      parameters = shared;
      shards = plans.map(({ firstCopy, copies }) =>
        createCollector({
          ...options,
          vector: vectorize(make, copies),
          firstCopy,
          allocate: (bytes) => new SharedArrayBuffer(bytes),
        }),
      );
    },
    async collect(ticks, blinding, state) {
      learners.forEach((learner, k) => {
        const none = moments[k];
        // A copy: what a backend keeps must not change under it.
        learner.restoreState({ parameters: parameters[k].slice(), firstMoment: none, secondMoment: none, steps: 0 });
      });
      if (state) opponents.restoreState(copyArrays(state));
      const played = shards.map((shard) => ({ ...shard.collect(ticks, blinding), hash: shard.hash }));
      const [last, before] = known;
      known = [played.map(({ rollouts }) => rollouts.map(snapshotOf)), last];
      return played.map(({ rollouts, episodes, hash }, s) => ({
        pages: rollouts.map((rollout, k) => ({
          length: rollout.length,
          listed: rollout.candidates?.length ?? 0,
          ...(!isSame(before[s]?.[k], rollout) && { columns: rollout }),
        })),
        episodes,
        hash,
      }));
    },
    async exportState() {
      return shards.map((shard) => shard.exportState());
    },
    async restoreState(states) {
      shards.forEach((shard, s) => {
        shard.restoreState(states[s]);
      });
    },
  };
}
