import { checkCount, checkRange, type EnvironmentSpec, isMagicMaskError, MagicMaskError } from "@magic-mask/core";
import type { RecordBuffer } from "./buffer.ts";
import type { Channel, Delivery } from "./channel.ts";
import { decodeMessage, encodeMessages } from "./codec.ts";
import type { Mode } from "./modes.ts";
import { areComparable, roleNumbers } from "./peers.ts";
import { type CriticalRecord, checkRecord, emptyRecord } from "./record.ts";
import { SIGNATURE_LENGTH } from "./signature.ts";
import type { StateArrays } from "./state.ts";

const SOURCE = "comm/sharing";

export interface SharingOptions {
  readonly spec: EnvironmentSpec;
  readonly mode: Mode;
  readonly channel: Channel;
  /** [N] each agent's own memory; none for agents that live in another process: the channel alone knows of those. */
  readonly buffers: readonly (RecordBuffer | undefined)[];
  /** k, collector ticks from one broadcast to the next, a whole number ≥ 1. */
  readonly every?: number;
  /**
   * Ticks by which a peer's clock may be ahead of ours, ≥ 0; 0 where all have one clock. A record from ahead counts as made when
   * it arrives; one from further ahead is refused.
   */
  readonly lead?: number;
}

/** Counters, [N] each. */
export interface SharingCounters {
  /** Records broadcast, by sender. */
  readonly shared: Float64Array;
  /** Records taken in from peers, by recipient. */
  readonly received: Float64Array;
  /** Ticks between the making of those and their arrival, summed. */
  readonly lateness: Float64Array;
  /** Messages refused as corrupt or out of place, by recipient. */
  readonly refused: Float64Array;
  /** Blinded records that were looked at: the agent's first in each interval between broadcasts. */
  readonly sampled: Float64Array;
  /** Those of them in states that the agent knew well enough from peers already (coverage ≥ 1). */
  readonly redundant: Float64Array;
}

/** N agents that keep their own records and tell each other of some. An agent learns of another only through the channel. */
export interface Sharing {
  readonly counters: SharingCounters;
  /**
   * Takes in a record whose target exists, at tick `now`: it goes into its agent's own buffer at once, in every mode, and
   * where the mode shares it also into the outbox. The record stays the caller's.
   *
   * @throws as `checkRecord`; invalid-option for an agent or role that the world lacks; out-of-order if `now` lies before
   *   the last `tick`
   */
  queue(record: Readonly<CriticalRecord>, now: number): void;
  /**
   * Brings all agents to tick `now`: at every multiple of k that has come since the last call, what was queued by then is
   * broadcast to all comparable peers; then everyone takes in what the channel delivers by `now`.
   *
   * May be called at every tick or less often: what is sent when does not depend on it.
   *
   * @throws out-of-order unless `now` comes after the last call's
   */
  tick(now: number): void;
  /**
   * Means over agents, since the start, by tag: bytes and messages handed to the channel per agent and 1,000 environment
   * steps; share of messages delivered; age of records in ticks on arrival; messages refused per agent; redundancy, the
   * share of sampled perturbations in states that peers had already settled. NaN where nothing happened.
   *
   * @param steps environment steps so far, over all copies
   */
  statistics(steps: number): Readonly<Record<string, number>>;
  /** Outboxes, counters and clock; the channel and the buffers export theirs. */
  exportState(): StateArrays;
  /** @throws corrupt-file */
  restoreState(state: StateArrays): void;
}

interface Queued {
  readonly record: CriticalRecord;
  readonly tick: number;
}

/** Numbers of a record beside its signature, in the order in which a state holds them; the tick of queueing follows. */
const FIELDS = [
  "agent",
  "role",
  "policyVersion",
  "step",
  "episode",
  "action",
  "logProb",
  "perturbationLogProb",
  "blindProbability",
  "advantage",
  "rank",
] as const;
const STATE_WIDTH = FIELDS.length + 2;

/**
 * Decentralised sharing of critical states (MAGIC-MASK, arXiv:2510.00274: every 50 steps).
 *
 * @throws invalid-option
 */
export function createSharing({ spec, mode, channel, buffers, every = 50, lead = 0 }: SharingOptions): Sharing {
  const N = spec.agents.length;
  checkCount(SOURCE, "every", every);
  checkRange(SOURCE, "lead", lead, 0);
  if (buffers.length !== N) {
    throw new MagicMaskError(
      "invalid-option",
      SOURCE,
      `there must be one buffer for each of ${N} agents, got ${buffers.length}`,
    );
  }
  const roles = roleNumbers(spec);
  const everyone = Array.from({ length: N }, (_, agent) => agent);
  const here = everyone.filter((agent) => buffers[agent]);
  const peers = everyone.map((i) => everyone.filter((j) => j !== i && areComparable(spec, i, j)));
  const outboxes: Queued[][] = everyone.map(() => []);
  const counters = {
    shared: new Float64Array(N),
    received: new Float64Array(N),
    lateness: new Float64Array(N),
    refused: new Float64Array(N),
    sampled: new Float64Array(N),
    redundant: new Float64Array(N),
  };
  /** [N] the last broadcast interval of which a blinded record was looked at. */
  const intervals = new Float64Array(N).fill(-1);
  let last = -1;

  const broadcast = (agent: number, boundary: number) => {
    const outbox = outboxes[agent];
    let leaving = 0;
    while (leaving < outbox.length && outbox[leaving].tick <= boundary) leaving++;
    const records = outbox.splice(0, leaving).map(({ record }) => record);
    counters.shared[agent] += leaving;
    for (const message of encodeMessages(records))
      for (const peer of peers[agent]) channel.send(agent, peer, message, boundary);
  };

  const accept = (agent: number, { from, bytes }: Delivery, now: number) => {
    const records = open(bytes);
    // Only peers' own records are read, and none made in the future.
    const isTheirs = records?.[0].agent === from && peers[agent].includes(from);
    if (!records || !isTheirs || records.some(({ step }) => step > now + lead)) {
      counters.refused[agent]++;
      return;
    }
    counters.received[agent] += records.length;
    for (const record of records) {
      record.step = Math.min(record.step, now);
      counters.lateness[agent] += now - record.step;
      buffers[agent]?.insert(record);
    }
  };

  const open = (message: Uint8Array) => {
    try {
      return decodeMessage(message, spec);
    } catch (error) {
      if (isMagicMaskError(error, "corrupt-message")) return undefined;
      throw error;
    }
  };

  return {
    counters,
    queue(record, now) {
      const { agent } = record;
      const buffer = buffers[agent];
      if (record.role !== roles[agent] || !buffer) {
        throw new MagicMaskError(
          "invalid-option",
          SOURCE,
          `${spec.id} has no agent ${agent} of role ${record.role} here; see roleNumbers`,
        );
      }
      if (!(now >= last))
        throw new MagicMaskError("out-of-order", SOURCE, `tick ${last} is past, got a record at tick ${now}`);
      checkRecord(SOURCE, record);
      const interval = Math.floor(now / every);
      if (record.blinded && interval > intervals[agent]) {
        intervals[agent] = interval;
        counters.sampled[agent]++;
        if (buffer.coverage(record.signature, now, agent) >= 1) counters.redundant[agent]++;
      }
      buffer.insert(record);
      if (mode.shares(record))
        outboxes[agent].push({ record: { ...record, signature: record.signature.slice() }, tick: now });
    },
    tick(now) {
      if (!(now > last)) throw new MagicMaskError("out-of-order", SOURCE, `tick ${last} is past, got tick ${now}`);
      for (let boundary = (Math.floor(last / every) + 1) * every; boundary <= now; boundary += every) {
        for (const agent of here) broadcast(agent, boundary);
      }
      for (const agent of here) for (const delivery of channel.receive(agent, now)) accept(agent, delivery, now);
      last = now;
    },
    statistics(steps) {
      const { messages, bytes, delivered } = channel.statistics;
      return {
        "comm/bytes_per_1000_steps": (1000 * total(bytes)) / N / steps,
        "comm/messages_per_1000_steps": (1000 * total(messages)) / N / steps,
        "comm/delivery_rate": total(delivered) / total(messages),
        "comm/age": total(counters.lateness) / total(counters.received),
        "comm/refused": total(counters.refused) / N,
        "comm/redundancy": total(counters.redundant) / total(counters.sampled),
      };
    },
    exportState() {
      const queued = outboxes.flat();
      const signatures = new Int8Array(queued.length * SIGNATURE_LENGTH);
      for (const [i, { record }] of queued.entries()) signatures.set(record.signature, i * SIGNATURE_LENGTH);
      const numbers = queued.flatMap(({ record, tick }) => [
        ...FIELDS.map((field) => record[field]),
        record.blinded ? 1 : 0,
        tick,
      ]);
      const state: Record<string, StateArrays[string]> = {
        last: Float64Array.of(last),
        intervals: intervals.slice(),
        numbers: Float64Array.from(numbers),
        signatures,
      };
      for (const [name, counter] of Object.entries(counters)) state[name] = counter.slice();
      return state;
    },
    restoreState(state) {
      const { numbers, signatures } = state;
      const queued = (numbers?.length ?? -1) / STATE_WIDTH;
      const counted = [...Object.keys(counters), "intervals"].every((name) => state[name]?.length === N);
      if (
        !counted ||
        state.last?.length !== 1 ||
        !Number.isInteger(queued) ||
        signatures?.length !== queued * SIGNATURE_LENGTH
      ) {
        throw new MagicMaskError("corrupt-file", SOURCE, `the state is not that of sharing between ${N} agents`);
      }
      last = state.last[0];
      intervals.set(state.intervals);
      for (const [name, counter] of Object.entries(counters)) counter.set(state[name]);
      for (const outbox of outboxes) outbox.length = 0;
      for (let i = 0; i < queued; i++) {
        const record = emptyRecord();
        FIELDS.forEach((field, k) => {
          record[field] = numbers[i * STATE_WIDTH + k];
        });
        record.blinded = numbers[i * STATE_WIDTH + FIELDS.length] === 1;
        record.signature.set(signatures.subarray(i * SIGNATURE_LENGTH, (i + 1) * SIGNATURE_LENGTH));
        outboxes[record.agent].push({ record, tick: numbers[i * STATE_WIDTH + FIELDS.length + 1] });
      }
    },
  };
}

const total = (counter: Float64Array) => counter.reduce((sum, x) => sum + x, 0);
