import { checkRange } from "@magic-mask/core";
import type { CreateChannel } from "../channel.ts";
import { createLayer } from "./layer.ts";
import { type Parcel, packParcels, sizeOf, unpackParcels } from "./parcels.ts";

export interface BandwidthOptions {
  /** Bytes that each agent may send per 1,000 collector ticks, to all its peers together, > 0. */
  readonly bytes: number;
}

/** Ticks that the rate is counted over. */
const PERIOD = 1000;
/** Bytes of memory in which an agent's messages may wait, however wide the channel. */
const MOST_WAITING = 67_108_864;

/**
 * A token bucket for each sender. It holds what 1,000 ticks bring and starts empty, so that the rate holds from the first tick on, in
 * short runs as well; a message leaves, in its turn, once the bucket holds its bytes, or is full where it is larger: what is missing then is owed, so that the rate holds in the long run.
 * What cannot leave waits, as many bytes as 1,000 ticks bring, or one message; beyond that the oldest is dropped, as news fades.
 *
 * @throws invalid-option; unsupported as `createLayer`
 */
export function bandwidth(behind: CreateChannel, { bytes }: BandwidthOptions): CreateChannel {
  checkRange("comm/bandwidth", "bytes", bytes, Number.MIN_VALUE, Number.MAX_SAFE_INTEGER / PERIOD);
  return (options) => {
    const { agents } = options;
    const queues: Parcel[][] = Array.from({ length: agents }, () => []);
    /** [N] bytes · 1,000 in the bucket when it was last looked at: whole numbers stay whole. */
    const tokens = new Float64Array(agents);
    /** [N] that tick. */
    const clocks = new Float64Array(agents);
    /** [N] bytes that wait, and the memory that they take. */
    const waiting = new Float64Array(agents);
    const memory = new Float64Array(agents);

    const add = (parcel: Parcel) => {
      queues[parcel.from].push(parcel);
      waiting[parcel.from] += parcel.bytes.length;
      memory[parcel.from] += sizeOf(parcel);
    };
    const takeOldest = (from: number) => {
      const parcel = queues[from].shift()!;
      waiting[from] -= parcel.bytes.length;
      memory[from] -= sizeOf(parcel);
      return parcel;
    };

    return createLayer("bandwidth", behind, options, ({ pass, drop }) => {
      /** Sends what can have left by `tick`, each at its own tick: when this is called decides nothing. */
      const advance = (from: number, tick: number) => {
        while (queues[from].length > 0) {
          const [{ tick: earliest, bytes: content }] = queues[from];
          const cost = content.length * PERIOD;
          const missing = Math.min(cost, bytes * PERIOD) - tokens[from];
          const leaves = Math.max(earliest, clocks[from] + Math.max(0, Math.ceil(missing / bytes)));
          if (leaves > tick) return;
          const { to } = takeOldest(from);
          tokens[from] = Math.min(bytes * PERIOD, tokens[from] + (leaves - clocks[from]) * bytes) - cost;
          clocks[from] = leaves;
          pass(from, to, content, leaves);
        }
      };
      return {
        send(from, to, content, tick) {
          advance(from, tick);
          add({ from, to, tick, bytes: content.slice() });
          while (queues[from].length > 1 && (waiting[from] > bytes || memory[from] > MOST_WAITING)) {
            takeOldest(from);
            drop(from);
          }
          advance(from, tick);
        },
        advance(tick) {
          for (let from = 0; from < agents; from++) advance(from, tick);
        },
        exportState: () => ({ ...packParcels(queues.flat()), tokens: tokens.slice(), clocks: clocks.slice() }),
        restoreState(state) {
          const parcels = unpackParcels(agents, state.envelopes, state.contents);
          if (!parcels || state.tokens?.length !== agents || state.clocks?.length !== agents) return false;
          tokens.set(state.tokens);
          clocks.set(state.clocks);
          waiting.fill(0);
          memory.fill(0);
          for (const queue of queues) queue.length = 0;
          for (const parcel of parcels) add(parcel);
          return true;
        },
      };
    });
  };
}
