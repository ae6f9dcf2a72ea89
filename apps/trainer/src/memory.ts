import {
  type Channel,
  channels,
  createRecordBuffer,
  createRecordHead,
  createRecordWriter,
  createSharing,
  createSignature,
  emptyRecord,
  modes,
  type RecordHead,
  type Sharing,
  type StateArrays,
} from "@magic-mask/comm";
import { type CreateLearner, type EnvironmentSpec, type LearnerState, stream } from "@magic-mask/core";
import type { Critic, Evidence } from "@magic-mask/masking";
import type { Config } from "./config.ts";

/** What agents remember and tell each other of their decisions, and the heads that learn from it. */
export interface Memory {
  readonly sharing: Sharing;
  readonly channel: Channel;
  /** [A] of the agents whose memory it is, in their order. */
  readonly heads: readonly RecordHead[];
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
  readonly fits: number;
}

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
  /** Where agents live in processes of their own, and this memory is that of one alone. */
  readonly apart?: {
    readonly agent: number;
    /** Its end. */
    readonly channel: Channel;
    /** Ticks by which another's clock may be ahead. */
    readonly lead: number;
  };
}

export function createMemory(options: MemoryOptions): Memory {
  const { spec, mode, config, copies, seed, createLearner, critics, apart } = options;
  const { every, capacity } = config.sharing;
  const N = spec.agents.length;
  const agents = apart ? [apart.agent] : spec.agents.map((_, agent) => agent);
  const buffers = agents.map(() => createRecordBuffer({ capacity }));
  const channel = apart ? apart.channel : channels[config.sharing.channel]({ agents: N, seed });
  const sharing = createSharing({
    spec,
    mode: modes[mode],
    channel,
    buffers: spec.agents.map((_, agent) => buffers[agents.indexOf(agent)]),
    every,
    ...(apart && { lead: apart.lead }),
  });
  const { shares } = modes[mode];
  const signature = createSignature(spec, { seed });
  // Everyone apart plays as many copies, one agent's behind the other's.
  const played = apart ? { copies: copies * N, firstCopy: copies * apart.agent } : { copies };
  const writer = createRecordWriter({ spec, signature, ...played });
  const record = emptyRecord();
  const heads = agents.map((agent, k) =>
    createRecordHead({
      spec,
      agent,
      buffer: buffers[k],
      signature,
      values: (who, observations, count, out) => critics[who].values(observations, count, out),
      createLearner,
      random: stream(seed, "record head", agent),
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
        heads.map(async (head, k) => {
          if (buffers[k].rows.length === 0) return;
          await head.fit({ now, steps, random: stream(seed, "head order", agents[k], fit) });
        }),
      );
    },
    exportState: () => ({
      sharing: sharing.exportState(),
      channel: channel.exportState(),
      buffers: buffers.map((buffer) => buffer.exportState()),
      heads: heads.map((head) => head.learner.exportState()),
      fits,
    }),
    restoreState(state) {
      sharing.restoreState(state.sharing);
      channel.restoreState(state.channel);
      buffers.forEach((buffer, k) => {
        buffer.restoreState(state.buffers[k]);
      });
      heads.forEach((head, k) => {
        head.learner.restoreState(state.heads[k]);
      });
      fits = state.fits;
    },
  };
}
