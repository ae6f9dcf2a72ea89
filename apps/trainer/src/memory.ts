import {
  adversaries,
  type Channel,
  channels,
  createRecordBuffer,
  createRecordHead,
  createRecordWriter,
  createSharing,
  createSignature,
  createSteering,
  createTrust,
  emptyRecord,
  modes,
  type RecordHead,
  type Sharing,
  type StateArrays,
  type Steering,
  type Trust,
  type ValueFunction,
} from "@magic-mask/comm";
import { byName, type CreateLearner, type EnvironmentSpec, type LearnerState, stream } from "@magic-mask/core";
import type { Critic, Evidence } from "@magic-mask/masking";
import type { Config } from "./config.ts";

/** What agents remember and tell each other of their decisions, and the heads that learn from it. */
export interface Memory {
  readonly sharing: Sharing;
  readonly channel: Channel;
  /** [N] */
  readonly heads: readonly RecordHead[];
  /** [N] what each agent thinks of its peers; empty where all are believed alike. */
  readonly trusts: readonly Trust[];
  /** [N × N] whose records each agent's head was last trained on, as shares of their weight, by agent and sender. */
  readonly used: Float64Array;
  /** [N][N] records that each agent holds, by sender. */
  held(): number[][];
  /** Blinds less where peers have settled a state; absent where `sharing.steer` is 0. */
  readonly steering?: Steering;
  /**
   * Remembers what an agent keeps to itself of its decisions, with m = ½: m costs a forward pass per action.
   *
   * @param now collector tick
   * @returns the rows that its peers may get: for `share`
   */
  remember(evidence: Evidence, policyVersion: number, now: number): Int32Array;
  /** Remembers these rows, too, and queues them for the peers as far as the mode shares them. @param ranks m of each */
  share(evidence: Evidence, rows: Int32Array, ranks: Float32Array, policyVersion: number, now: number): void;
  /** Broadcasts and receives up to tick `now`. */
  tick(now: number): void;
  /** Trains every head that has something to learn from, side by side as far as the backend has threads. */
  fitHeads(steps: number, now: number): Promise<void>;
  exportState(): MemoryState;
  restoreState(state: MemoryState): void;
}

export interface MemoryState {
  readonly sharing: StateArrays;
  readonly channel: StateArrays;
  readonly buffers: readonly StateArrays[];
  readonly heads: readonly LearnerState[];
  readonly trusts: readonly StateArrays[];
  readonly used: Float64Array;
  readonly fits: number;
}

/** Fits of the heads from one look at how well peers' records do to the next. */
const TRUST_EVERY = 8;

export interface MemoryOptions {
  readonly spec: EnvironmentSpec;
  /** Name of the sharing mode. */
  readonly mode: string;
  readonly config: Pick<Config, "sharing">;
  /** Copies of the world that the decisions come from. */
  readonly copies: number;
  /** Root of all chance in it. */
  readonly seed: number;
  readonly createLearner: CreateLearner;
  /** [N] */
  readonly critics: readonly Critic[];
}

/** @throws unknown-name for hostile agents that the world lacks */
export function createMemory({ spec, mode, config, copies, seed, createLearner, critics }: MemoryOptions): Memory {
  const { every, capacity } = config.sharing;
  const agents = spec.agents.map((_, agent) => agent);
  const buffers = agents.map(() => createRecordBuffer({ capacity }));
  const channel = channels[config.sharing.channel]({ agents: agents.length, seed });
  const numbers = Object.fromEntries(spec.agents.map((name, agent) => [name, agent]));
  const hostile = new Map(
    Object.entries(config.sharing.hostile).map(([name, what]) => {
      const agent = byName("trainer/memory", "agent of sharing.hostile", numbers, name);
      return [agent, adversaries[what]({ spec, agent, seed })];
    }),
  );
  // An agent makes one record a tick and copy at most.
  const limit = copies * every;
  const sharing = createSharing({ spec, mode: modes[mode], channel, buffers, every, limit, hostile });
  const { shares } = modes[mode];
  const signature = createSignature(spec, { seed });
  const writer = createRecordWriter({ spec, signature, copies });
  const record = emptyRecord();
  const trusts = config.sharing.trust
    ? agents.map((agent) => createTrust({ spec, agent, buffer: buffers[agent], random: stream(seed, "trust", agent) }))
    : [];
  const used = new Float64Array(agents.length * agents.length);
  const values: ValueFunction = (who, observations, count, out) => critics[who].values(observations, count, out);
  const { steer: strength } = config.sharing;
  const steering = strength > 0 ? createSteering({ spec, buffers, signature, values, strength }) : undefined;
  const heads = agents.map((agent) =>
    createRecordHead({
      spec,
      agent,
      buffer: buffers[agent],
      signature,
      values,
      createLearner,
      random: stream(seed, "record head", agent),
      ...(trusts.length > 0 && { trust: trusts[agent] }),
    }),
  );
  let fits = 0;

  /** Whether the record would be shared with one or the other of the extreme ranks; m is then ½ again. */
  const mayShare = () => {
    const answer = [0, 1].some((rank) => {
      record.rank = rank;
      return shares(record);
    });
    record.rank = 0.5;
    return answer;
  };

  return {
    sharing,
    channel,
    heads,
    trusts,
    used,
    held: () =>
      buffers.map(({ rows }) => {
        const counts = agents.map(() => 0);
        for (let row = 0; row < rows.length; row++) counts[rows.agents[row]] += rows.counts[row];
        return counts;
      }),
    ...(steering && { steering }),
    remember({ rollout, rows, values, advantages }, policyVersion, now) {
      return rows.filter((row) => {
        writer.write(rollout, row, values[row], advantages[row], 0.5, policyVersion, record);
        if (mayShare()) return true;
        sharing.queue(record, now);
        return false;
      });
    },
    share({ rollout, values, advantages }, rows, ranks, policyVersion, now) {
      rows.forEach((row, i) => {
        writer.write(rollout, row, values[row], advantages[row], ranks[i], policyVersion, record);
        sharing.queue(record, now);
      });
    },
    tick: (now) => sharing.tick(now),
    async fitHeads(steps, now) {
      const fit = fits++;
      await Promise.all(
        heads.map(async (head, agent) => {
          if (buffers[agent].rows.length === 0) return;
          if (fit % TRUST_EVERY === 0) trusts[agent]?.refresh(now);
          const { shares } = await head.fit({ now, steps, random: stream(seed, "head order", agent, fit) });
          used.set(shares, agent * agents.length);
        }),
      );
    },
    exportState: () => ({
      sharing: sharing.exportState(),
      channel: channel.exportState(),
      buffers: buffers.map((buffer) => buffer.exportState()),
      heads: heads.map((head) => head.learner.exportState()),
      trusts: trusts.map((trust) => trust.exportState()),
      used: used.slice(),
      fits,
    }),
    restoreState(state) {
      sharing.restoreState(state.sharing);
      channel.restoreState(state.channel);
      buffers.forEach((buffer, agent) => {
        buffer.restoreState(state.buffers[agent]);
      });
      heads.forEach((head, agent) => {
        head.learner.restoreState(state.heads[agent]);
      });
      trusts.forEach((trust, agent) => {
        trust.restoreState(state.trusts[agent]);
      });
      used.set(state.used);
      fits = state.fits;
    },
  };
}
