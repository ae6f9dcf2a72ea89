import {
  areComparable,
  type Channel,
  createFeatures,
  createModelExchange,
  createRecordBuffer,
  createRecordHead,
  createRecordWriter,
  createSharing,
  createSignature,
  emptyRecord,
  modes,
  type RecordBuffer,
  type RecordHead,
  type Sharing,
  type StateArrays,
} from "@magic-mask/comm";
import { type CreateLearner, type EnvironmentSpec, type LearnerState, stream } from "@magic-mask/core";
import type { Critic, Evidence } from "@magic-mask/masking";
import { assembleChannel } from "./channel.ts";
import type { Config } from "./config.ts";

/** What agents remember and tell each other of their decisions, and the heads that learn from it. */
export interface Memory {
  readonly sharing: Sharing;
  readonly channel: Channel;
  /** [N] what each agent holds. */
  readonly buffers: readonly RecordBuffer[];
  /** [N] */
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
  /**
   * Whether decisions are looked at after the fact: their records leave at the first broadcast after they were made, as if every
   * agent had told of them as it went. Else they leave after they are remembered, when their targets exist.
   */
  readonly retrospective: boolean;
  /** Root of all chance in it. */
  readonly seed: number;
  readonly createLearner: CreateLearner;
  /** [N] */
  readonly critics: readonly Critic[];
}

/** Optimiser steps that heads take, at most, from one averaging to the next. */
const ROUND_STEPS = 50;

export function createMemory(options: MemoryOptions): Memory {
  const { spec, mode, config, copies, retrospective, seed, createLearner, critics } = options;
  const { every, capacity } = config.sharing;
  const agents = spec.agents.map((_, agent) => agent);
  // What states are told by is the run's, so that arms of a comparison differ in their records only.
  const signature = modes[config.sharing.mode].features ? createFeatures(spec) : createSignature(spec, { seed });
  const buffers = agents.map(() => createRecordBuffer({ capacity, signatureLength: signature.length }));
  const channel = assembleChannel(config, agents.length, copies, seed);
  const { shares, model } = modes[mode];
  const writer = createRecordWriter({ spec, signature, copies });
  const record = emptyRecord(signature.length);
  const heads = agents.map((agent) =>
    createRecordHead({
      spec,
      agent,
      buffer: buffers[agent],
      signature,
      values: (who, observations, count, out) => critics[who].values(observations, count, out),
      createLearner,
      // Networks that are averaged must begin as one.
      random: stream(seed, "record head", model ? agents.findIndex((peer) => areComparable(spec, agent, peer)) : agent),
    }),
  );
  const models = model && createModelExchange({ spec, learners: heads.map(({ learner }) => learner) });
  const sharing = createSharing({ spec, mode: modes[mode], channel, buffers, every, ...(models && { models }) });
  let fits = 0;
  const queue = (now: number) => sharing.queue(record, retrospective ? Math.max(record.step, sharing.now) : now);

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
    buffers,
    heads,
    remember({ rollout, rows, values, advantages }, policyVersion, now) {
      return rows.filter((row) => {
        writer.write(rollout, row, values[row], advantages[row], 0.5, policyVersion, record);
        if (mayShare()) return true;
        queue(now);
        return false;
      });
    },
    share({ rollout, values, advantages }, rows, ranks, policyVersion, now) {
      rows.forEach((row, i) => {
        writer.write(rollout, row, values[row], advantages[row], ranks[i], policyVersion, record);
        queue(now);
      });
    },
    tick: (now) => sharing.tick(now),
    async fitHeads(steps, now) {
      const rounds = model ? Math.ceil(steps / ROUND_STEPS) : 1;
      for (let round = 0; round < rounds; round++) {
        if (round > 0) sharing.exchangeModels();
        const part = Math.floor(((round + 1) * steps) / rounds) - Math.floor((round * steps) / rounds);
        const fit = fits++;
        await Promise.all(
          heads.map(async (head, agent) => {
            if (buffers[agent].rows.length === 0) return;
            await head.fit({ now, steps: part, random: stream(seed, "head order", agent, fit) });
          }),
        );
      }
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
      buffers.forEach((buffer, agent) => {
        buffer.restoreState(state.buffers[agent]);
      });
      heads.forEach((head, agent) => {
        head.learner.restoreState(state.heads[agent]);
      });
      fits = state.fits;
    },
  };
}
