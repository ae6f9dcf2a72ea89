import { checkCount, type EnvironmentSpec, MagicMaskError } from "@magic-mask/core";
import type { Adversary } from "./adversaries/adversary.ts";
import type { RecordBuffer } from "./buffer.ts";
import type { Channel, Delivery } from "./channel.ts";
import { encodeMessages } from "./codec.ts";
import { createIntake, type Intake, type IntakeOptions } from "./intake.ts";
import type { ModelExchange } from "./model-exchange.ts";
import type { Mode } from "./modes.ts";
import { areComparable, roleNumbers } from "./peers.ts";
import { type CriticalRecord, checkRecord, emptyRecord } from "./record.ts";
import type { StateArrays } from "./state.ts";

const SOURCE = "comm/sharing";

export interface SharingOptions extends Pick<IntakeOptions, "lead" | "limit"> {
  readonly spec: EnvironmentSpec;
  readonly mode: Mode;
  readonly channel: Channel;
  /** In modes that average networks: how. */
  readonly models?: ModelExchange;
  /** [N] each agent's own memory; none for agents that live in another process: the channel alone knows of those. */
  readonly buffers: readonly (RecordBuffer | undefined)[];
  /** k, collector ticks from one broadcast to the next, a whole number ≥ 1. */
  readonly every?: number;
  /** Agents that do not tell their peers the truth, by number. */
  readonly hostile?: ReadonlyMap<number, Adversary>;
}

/** Counters, [N] each. */
export interface SharingCounters {
  /** Records broadcast, by sender. */
  readonly shared: Float64Array;
  /** Records taken in from peers, by recipient. */
  readonly received: Float64Array;
  /** Ticks between the making of those and their arrival, summed. */
  readonly lateness: Float64Array;
  /** [N × N] networks averaged with one's own, by recipient and sender. */
  readonly averaged: Float64Array;
  /** An agent's own records of blinded decisions, told or not. */
  readonly blinded: Float64Array;
  /** Those of them that were looked at: the agent's first in each interval between broadcasts. */
  readonly sampled: Float64Array;
  /** Of the latter, those in states that the agent knew well enough from peers already (coverage ≥ 1). */
  readonly redundant: Float64Array;
}

/** N agents that keep their own records and tell each other of some. An agent learns of another only through the channel. */
export interface Sharing {
  readonly counters: SharingCounters;
  /** Tick of the last call of `tick`, −1 before. */
  readonly now: number;
  /** What came in and what was refused, and why, by recipient and sender. */
  readonly intake: Pick<Intake, "refusals" | "taken" | "refused">;
  /**
   * Takes in a record at tick `now`, in any order of ticks: it goes into its agent's own buffer at once, in every mode, and
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
  /** Takes in, at the last tick, what has come since. */
  hear(): void;
  /** Where networks are averaged: once more within the last tick, for training that goes on while the clock stands. */
  exchangeModels(): void;
  /**
   * Means over agents, since the start, by tag: bytes and messages handed to the channel per agent and 1,000 environment
   * steps; share of messages and copies delivered; age of records in ticks on arrival; messages refused per agent, and of
   * these the ones that had come before and those beyond the limit; redundancy, the
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
 * @throws invalid-option; unsupported for hostile agents where networks are averaged
 */
export function createSharing(options: SharingOptions): Sharing {
  const { spec, mode, channel, models, buffers, every = 50, hostile = new Map<number, Adversary>() } = options;
  const N = spec.agents.length;
  checkCount(SOURCE, "every", every);
  const own = buffers.find((buffer) => buffer);
  if (buffers.length !== N || !own) {
    const message = `there must be one buffer for each of ${N} agents, got ${buffers.length}; undefined only for those elsewhere`;
    throw new MagicMaskError("invalid-option", SOURCE, message);
  }
  if (models && hostile.size > 0) {
    const message = "hostile agents falsify records, and here networks are averaged; leave one of the two out";
    throw new MagicMaskError("unsupported", SOURCE, message);
  }
  const { signatureLength } = own;
  const roles = roleNumbers(spec);
  const everyone = Array.from({ length: N }, (_, agent) => agent);
  const here = everyone.filter((agent) => buffers[agent]);
  const peers = everyone.map((i) => everyone.filter((j) => j !== i && areComparable(spec, i, j)));
  const intake = createIntake({ ...options, signatureLength });
  const outboxes: Queued[][] = everyone.map(() => []);
  const counters = {
    shared: new Float64Array(N),
    received: new Float64Array(N),
    lateness: new Float64Array(N),
    averaged: new Float64Array(N * N),
    blinded: new Float64Array(N),
    sampled: new Float64Array(N),
    redundant: new Float64Array(N),
  };
  /** [N] the last broadcast interval of which a blinded record was looked at. */
  const intervals = new Float64Array(N).fill(-1);
  let last = -1;

  const broadcast = (agent: number, boundary: number) => {
    const outbox = outboxes[agent];
    const records = outbox.filter(({ tick }) => tick <= boundary).map(({ record }) => record);
    if (records.length > 0) outboxes[agent] = outbox.filter(({ tick }) => tick > boundary);
    counters.shared[agent] += records.length;
    const messages = hostile.get(agent)?.speak(records, boundary) ?? encodeMessages(records, signatureLength);
    for (const message of messages) for (const peer of peers[agent]) channel.send(agent, peer, message, boundary);
  };

  const sendModels = (tick: number) => {
    if (!models) return;
    for (const agent of here) {
      if (peers[agent].length === 0) continue;
      const message = models.write(agent);
      for (const peer of peers[agent]) channel.send(agent, peer, message, tick);
    }
  };

  const receive = (now: number) => {
    for (const agent of here) {
      for (const delivery of channel.receive(agent, now)) {
        if (models) takeModel(models, agent, delivery);
        else takeRecords(agent, delivery, now);
      }
      for (const peer of models?.average(agent) ?? []) counters.averaged[agent * N + peer]++;
    }
  };

  const takeModel = ({ take }: ModelExchange, agent: number, delivery: Delivery) => {
    const refusal = take(agent, delivery);
    if (refusal) intake.refuse(agent, delivery.from, refusal);
  };

  const takeRecords = (agent: number, delivery: Delivery, now: number) => {
    hostile.get(agent)?.hear?.(delivery.bytes);
    const records = intake.open(agent, delivery, now);
    counters.received[agent] += records.length;
    for (const record of records) {
      counters.lateness[agent] += now - record.step;
      buffers[agent]?.insert(record);
    }
  };

  return {
    counters,
    intake,
    get now() {
      return last;
    },
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
      checkRecord(SOURCE, record, signatureLength);
      if (record.blinded) counters.blinded[agent]++;
      const interval = Math.floor(now / every);
      if (record.blinded && interval > intervals[agent]) {
        intervals[agent] = interval;
        counters.sampled[agent]++;
        if (buffer.coverage(record.signature, now, agent, 1) >= 1) counters.redundant[agent]++;
      }
      buffer.insert(record);
      if (mode.shares(record))
        outboxes[agent].push({ record: { ...record, signature: record.signature.slice() }, tick: now });
    },
    tick(now) {
      if (!(now > last)) throw new MagicMaskError("out-of-order", SOURCE, `tick ${last} is past, got tick ${now}`);
      let boundary = (Math.floor(last / every) + 1) * every;
      const hasCome = boundary <= now;
      for (; boundary <= now; boundary += every) for (const agent of here) broadcast(agent, boundary);
      // Networks have stood still since the last call: one message tells all.
      if (hasCome) sendModels(boundary - every);
      receive(now);
      last = now;
    },
    hear: () => receive(last),
    exchangeModels() {
      sendModels(last);
      receive(last);
    },
    statistics(steps) {
      const { messages, bytes, delivered, repeated } = channel.statistics;
      return {
        "comm/bytes_per_1000_steps": (1000 * total(bytes)) / N / steps,
        "comm/messages_per_1000_steps": (1000 * total(messages)) / N / steps,
        "comm/delivery_rate": total(delivered) / (total(messages) + total(repeated)),
        "comm/age": total(counters.lateness) / total(counters.received),
        "comm/refused": total(intake.refused) / N,
        "comm/repeated": total(intake.refusals.repeated) / N,
        "comm/flooded": total(intake.refusals.flooded) / N,
        "comm/redundancy": total(counters.redundant) / total(counters.sampled),
      };
    },
    exportState() {
      const queued = outboxes.flat();
      const signatures = new Int8Array(queued.length * signatureLength);
      for (const [i, { record }] of queued.entries()) signatures.set(record.signature, i * signatureLength);
      const numbers = queued.flatMap(({ record, tick }) => [
        ...FIELDS.map((field) => record[field]),
        record.blinded ? 1 : 0,
        tick,
      ]);
      const state: Record<string, StateArrays[string]> = {
        ...models?.exportState(),
        last: Float64Array.of(last),
        intervals: intervals.slice(),
        numbers: Float64Array.from(numbers),
        signatures,
      };
      for (const [name, counter] of Object.entries(counters)) state[name] = counter.slice();
      for (const [name, column] of Object.entries(intake.exportState())) state[`intake/${name}`] = column;
      for (const [agent, adversary] of hostile) {
        for (const [name, column] of Object.entries(adversary.exportState()))
          state[`hostile/${agent}/${name}`] = column;
      }
      return state;
    },
    restoreState(state) {
      const { numbers, signatures } = state;
      const queued = (numbers?.length ?? -1) / STATE_WIDTH;
      const columns = Object.entries({ ...counters, intervals });
      const counted = columns.every(([name, column]) => state[name]?.length === column.length);
      if (
        !counted ||
        state.last?.length !== 1 ||
        !Number.isInteger(queued) ||
        signatures?.length !== queued * signatureLength ||
        models?.restoreState(state) === false
      ) {
        throw new MagicMaskError("corrupt-file", SOURCE, `the state is not that of sharing between ${N} agents`);
      }
      intake.restoreState(partOf(state, "intake/"));
      for (const [agent, adversary] of hostile) adversary.restoreState(partOf(state, `hostile/${agent}/`));
      last = state.last[0];
      for (const [name, column] of columns) column.set(state[name]);
      for (const agent of everyone) outboxes[agent] = [];
      for (let i = 0; i < queued; i++) {
        const record = emptyRecord(signatureLength);
        FIELDS.forEach((field, k) => {
          record[field] = numbers[i * STATE_WIDTH + k];
        });
        record.blinded = numbers[i * STATE_WIDTH + FIELDS.length] === 1;
        record.signature.set(signatures.subarray(i * signatureLength, (i + 1) * signatureLength));
        outboxes[record.agent].push({ record, tick: numbers[i * STATE_WIDTH + FIELDS.length + 1] });
      }
    },
  };
}

/** What a part of a state, named by a prefix, holds. */
const partOf = (state: StateArrays, prefix: string): StateArrays =>
  Object.fromEntries(
    Object.entries(state).flatMap(([name, column]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), column]] : [],
    ),
  );

const total = (counter: Float64Array) => counter.reduce((sum, x) => sum + x, 0);
