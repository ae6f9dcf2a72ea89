import {
  type Adversary,
  adversaries,
  areComparable,
  type Channel,
  createFeatures,
  createModelExchange,
  createRecordBuffer,
  createRecordHead,
  createRecordWriter,
  createSharing,
  createSignature,
  createSteering,
  createTrust,
  emptyRecord,
  modes,
  type RecordBuffer,
  type RecordHead,
  type Sharing,
  type StateArrays,
  type Steering,
  type Trust,
  type ValueFunction,
} from "@magic-mask/comm";
import { byName, type CreateLearner, type EnvironmentSpec, type LearnerState, stream } from "@magic-mask/core";
import type { Critic, Evidence } from "@magic-mask/masking";
import { assembleChannel } from "./channel.ts";
import type { Config } from "./config.ts";

/** What agents remember and tell each other of their decisions, and the heads that learn from it. */
export interface Memory {
  readonly sharing: Sharing;
  readonly channel: Channel;
  /** [A] of the agents whose memory it is, in their order: what each holds. */
  readonly buffers: readonly RecordBuffer[];
  /** [A] */
  readonly heads: readonly RecordHead[];
  /** [A] what each of them thinks of its peers; empty where all are believed alike. */
  readonly trusts: readonly Trust[];
  /** [N × N] whose records each agent's head was last trained on, as shares of their weight, by agent and sender. */
  readonly used: Float64Array;
  /** [A][N] records that each of them holds, by sender. */
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
  readonly steering: StateArrays | null;
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
  /** Where agents live in processes of their own, and this memory is that of one alone. */
  readonly apart?: {
    readonly agent: number;
    /** Its end. */
    readonly channel: Channel;
    /** Ticks by which another's clock may be ahead. */
    readonly lead: number;
  };
}

/** Optimiser steps that heads take, at most, from one averaging to the next. */
const ROUND_STEPS = 50;

/** @throws unknown-name for hostile agents that the world lacks; unsupported as `createSharing` */
export function createMemory(options: MemoryOptions): Memory {
  const { spec, mode, config, copies, retrospective, seed, createLearner, critics, apart } = options;
  const { every, capacity, trust, otherRole, versionHalfLife, steer: strength } = config.sharing;
  const N = spec.agents.length;
  const agents = apart ? [apart.agent] : spec.agents.map((_, agent) => agent);
  /** [N] of what each agent that lives here has. */
  const byAgent = <T>(things: readonly T[]) => spec.agents.map((_, agent) => things[agents.indexOf(agent)]);
  const { shares, model } = modes[mode];
  // What states are told by is the run's, so that arms of a comparison differ in their records only.
  const signature = modes[config.sharing.mode].features ? createFeatures(spec) : createSignature(spec, { seed });
  const buffers = agents.map(() => createRecordBuffer({ capacity, signatureLength: signature.length }));
  const channel = apart ? apart.channel : assembleChannel(config, N, copies, seed);
  // Everyone apart plays as many copies, one agent's behind the other's.
  const played = apart ? { copies: copies * N, firstCopy: copies * apart.agent } : { copies };
  const writer = createRecordWriter({ spec, signature, ...played });
  const record = emptyRecord(signature.length);
  const trusts = trust
    ? agents.map((agent, k) => createTrust({ spec, agent, buffer: buffers[k], random: stream(seed, "trust", agent) }))
    : [];
  const used = new Float64Array(N * N);
  const values: ValueFunction = (who, observations, count, out) => critics[who].values(observations, count, out);
  const steering =
    strength > 0
      ? createSteering({ spec, buffers: byAgent(buffers), signature, values, trusts: byAgent(trusts), strength })
      : undefined;
  const heads = agents.map((agent, k) =>
    createRecordHead({
      spec,
      agent,
      buffer: buffers[k],
      signature,
      values,
      createLearner,
      // Networks that are averaged must begin as one.
      random: stream(
        seed,
        "record head",
        model ? spec.agents.findIndex((_, j) => areComparable(spec, agent, j)) : agent,
      ),
      otherRole,
      versionHalfLife,
      ...(trust && { trust: trusts[k] }),
    }),
  );
  const models = model && createModelExchange({ spec, learners: byAgent(heads.map(({ learner }) => learner)) });
  const hostile = hostileAmong(spec, config.sharing.hostile, signature.length, seed);
  const sharing = createSharing({
    spec,
    mode: modes[mode],
    channel,
    ...(models && { models }),
    buffers: byAgent(buffers),
    every,
    ...(apart && { lead: apart.lead }),
    // An agent decides at most once a tick and copy.
    limit: copies,
    hostile,
  });
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
    trusts,
    used,
    held: () =>
      buffers.map(({ rows }) => {
        const counts = spec.agents.map(() => 0);
        for (let row = 0; row < rows.length; row++) counts[rows.agents[row]] += rows.counts[row];
        return counts;
      }),
    ...(steering && { steering }),
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
          heads.map(async (head, k) => {
            if (buffers[k].rows.length === 0) return;
            trusts[k]?.update(now);
            const { shares } = await head.fit({ now, steps: part, random: stream(seed, "head order", agents[k], fit) });
            used.set(shares, agents[k] * N);
          }),
        );
      }
    },
    exportState: () => ({
      sharing: sharing.exportState(),
      channel: channel.exportState(),
      buffers: buffers.map((buffer) => buffer.exportState()),
      heads: heads.map((head) => head.learner.exportState()),
      trusts: trusts.map((trust) => trust.exportState()),
      used: used.slice(),
      steering: steering?.exportState() ?? null,
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
      trusts.forEach((trust, agent) => {
        trust.restoreState(state.trusts[agent]);
      });
      used.set(state.used);
      if (state.steering) steering?.restoreState(state.steering);
      fits = state.fits;
    },
  };
}

/** Agents that lie, by number, and how. @throws unknown-name */
function hostileAmong(
  spec: EnvironmentSpec,
  hostile: Config["sharing"]["hostile"],
  signatureLength: number,
  seed: number,
): ReadonlyMap<number, Adversary> {
  const numbers = Object.fromEntries(spec.agents.map((name, agent) => [name, agent]));
  return new Map(
    Object.entries(hostile).map(([name, what]) => {
      const agent = byName("trainer/memory", "agent of sharing.hostile", numbers, name);
      return [agent, adversaries[what]({ spec, agent, signatureLength, seed })];
    }),
  );
}
