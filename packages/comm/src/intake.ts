import { checkRange, type EnvironmentSpec, isMagicMaskError, MagicMaskError } from "@magic-mask/core";
import type { Delivery } from "./channel.ts";
import { createMessageDecoder } from "./codec.ts";
import { areComparable } from "./peers.ts";
import type { CriticalRecord } from "./record.ts";
import type { StateArrays } from "./state.ts";

const SOURCE = "comm/intake";
/** Messages of each sender that a recipient knows again. */
const REMEMBERED = 1024;
/** Advantages reach no further in any world: squares of these can still be summed in single precision. */
const FURTHEST = 1e9;

export interface IntakeOptions {
  readonly spec: EnvironmentSpec;
  /** L, entries of a signature. */
  readonly signatureLength: number;
  /**
   * Ticks by which a sender's clock may be ahead of the recipient's, ≥ 0; 0 where all have one clock. A record from ahead counts as
   * made when it arrives.
   */
  readonly lead?: number;
  /** Most records that an agent makes a tick, > 0: no more than that is taken from it, on average since its start; any by default. */
  readonly limit?: number;
}

/** Why messages were refused, each a counter [N] by recipient. */
export interface Refusals {
  /** Bytes that are no message of this world. */
  readonly corrupt: Float64Array;
  /** Records in the name of another than who handed them in, or of one whose records mean nothing here. */
  readonly forged: Float64Array;
  /** Records made later than now, and further ahead than clocks may be. */
  readonly early: Float64Array;
  /** The very message had come before: among the last 1,024 that were taken from its sender. */
  readonly repeated: Float64Array;
  /** More records than the sender can have made, by the limit and its own clock. */
  readonly flooded: Float64Array;
}

export type Refusal = keyof Refusals;

/** Where every message comes in that N agents are sent, and what of it they read. */
export interface Intake {
  readonly refusals: Refusals;
  /** [N × N] records let in, by recipient and sender. */
  readonly taken: Float64Array;
  /** [N × N] messages refused, by recipient and who handed them in. */
  readonly refused: Float64Array;
  /**
   * The records of one delivery to `to` at tick `now`; none if it is refused, and that is counted. Advantages beyond what returns
   * can differ by, where the world bounds them, or 10⁹ where it does not, are cut to that. Nothing that arrives throws.
   */
  open(to: number, delivery: Delivery, now: number): readonly CriticalRecord[];
  /** Counts a message to `to` that was refused elsewhere. */
  refuse(to: number, from: number, reason: Refusal): void;
  exportState(): StateArrays;
  /** @throws corrupt-file */
  restoreState(state: StateArrays): void;
}

/**
 * A sender's clock is the newest step that it told of, so that the limit does not depend on when messages arrive: all that an honest
 * agent has ever made may come at once, late and in any order, after a long delay or when a cut heals. Who was silent for long may
 * say more later.
 *
 * @throws invalid-option
 */
export function createIntake(options: IntakeOptions): Intake {
  const { spec, signatureLength, lead = 0, limit = Number.POSITIVE_INFINITY } = options;
  checkRange(SOURCE, "lead", lead, 0, Number.POSITIVE_INFINITY);
  checkRange(SOURCE, "limit", limit, Number.MIN_VALUE, Number.POSITIVE_INFINITY);
  const N = spec.agents.length;
  const most = spec.returnRange ? spec.returnRange[1] - spec.returnRange[0] : FURTHEST;
  const refusals = {
    corrupt: new Float64Array(N),
    forged: new Float64Array(N),
    early: new Float64Array(N),
    repeated: new Float64Array(N),
    flooded: new Float64Array(N),
  };
  const taken = new Float64Array(N * N);
  const refused = new Float64Array(N * N);
  /** [N × N] messages let in, and what the last of them are known by, the oldest written over; none before the first. */
  const accepted = new Float64Array(N * N);
  const known: Float64Array[] = [];
  /** [N × N] the sender's clock, as far as the recipient knows. */
  const clocks = new Float64Array(N * N);
  const columns = { ...refusals, taken, refused, accepted, clocks };

  const read = createMessageDecoder(spec, signatureLength);
  const decode = (bytes: Uint8Array) => {
    try {
      return read(bytes);
    } catch (error) {
      if (isMagicMaskError(error, "corrupt-message")) return undefined;
      throw error;
    }
  };

  const refuse = (to: number, from: number, reason: Refusal) => {
    refusals[reason][to]++;
    refused[to * N + from]++;
    return [];
  };

  return {
    refusals,
    taken,
    refused,
    refuse,
    open(to, { from, bytes }, now) {
      const pair = to * N + from;
      const records = decode(bytes);
      if (!records) return refuse(to, from, "corrupt");
      if (records[0].agent !== from || from === to || !areComparable(spec, to, from)) return refuse(to, from, "forged");
      const newest = records.reduce((latest, { step }) => Math.max(latest, step), 0);
      if (newest > now + lead) return refuse(to, from, "early");
      const print = fingerprint(bytes);
      if (known[pair]?.includes(print)) return refuse(to, from, "repeated");
      const clock = Math.max(clocks[pair], newest);
      if (taken[pair] + records.length > limit * (clock + 1)) return refuse(to, from, "flooded");
      known[pair] ??= new Float64Array(REMEMBERED);
      known[pair][accepted[pair]++ % REMEMBERED] = print;
      taken[pair] += records.length;
      clocks[pair] = clock;
      for (const record of records) {
        record.step = Math.min(record.step, now);
        record.advantage = Math.max(-most, Math.min(most, record.advantage));
      }
      return records;
    },
    exportState: () => ({
      ...Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, column.slice()])),
      known: Float64Array.from(known.flatMap((prints, pair) => Array.from(prints.subarray(0, accepted[pair])))),
    }),
    restoreState(state) {
      const fits = Object.entries(columns).every(([name, column]) => state[name]?.length === column.length);
      const counts = Array.from(fits ? state.accepted : [], (count) => Math.min(REMEMBERED, count));
      if (!fits || state.known?.length !== counts.reduce((sum, count) => sum + count, 0)) {
        throw new MagicMaskError("corrupt-file", SOURCE, `the state is not that of an intake of ${N} agents`);
      }
      for (const [name, column] of Object.entries(columns)) column.set(state[name]);
      known.length = 0;
      let at = 0;
      counts.forEach((count, pair) => {
        if (count === 0) return;
        known[pair] = new Float64Array(REMEMBERED);
        known[pair].set(state.known.subarray(at, at + count));
        at += count;
      });
    },
  };
}

/** A message's checksum and the low bits of its base step, as one number > 0. */
function fingerprint(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return 1 + view.getUint32(4, true) + 4294967296 * (view.getUint32(17, true) & 0xfffff);
}
