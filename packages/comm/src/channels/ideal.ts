import { checkRange, MagicMaskError } from "@magic-mask/core";
import type { Channel, ChannelOptions } from "../channel.ts";
import { type Parcel, packParcels, sizeOf, unpackParcels } from "./parcels.ts";

export interface IdealOptions extends Pick<ChannelOptions, "agents"> {
  /** Bytes of memory that may wait for one recipient, ≥ 1; each of its senders may fill an equal share. */
  readonly capacity?: number;
}

/**
 * Delivers every message at its tick, in order of ticks and then of sending. What nobody fetches waits: up to 64 MiB for each
 * recipient, many times what a buffer holds, then a sender's oldest messages are dropped for its newest (`inbox`).
 *
 * @throws invalid-option
 */
export function ideal({ agents, capacity = 67_108_864 }: IdealOptions): Channel {
  checkRange("comm/ideal", "capacity", capacity, 1);
  const counter = () => new Float64Array(agents);
  const inbox = counter();
  const statistics = {
    messages: counter(),
    bytes: counter(),
    delivered: counter(),
    repeated: counter(),
    dropped: { inbox },
  };
  const counters = { ...statistics, dropped: inbox };
  /** [N] by recipient, in order of arrival. */
  const inboxes: Parcel[][] = Array.from({ length: agents }, () => []);
  const share = capacity / Math.max(1, agents - 1);
  /** [N × N] bytes of memory that wait for a recipient, by sender. */
  const held = new Float64Array(agents * agents);

  const put = (parcel: Parcel) => {
    const { from, to, tick } = parcel;
    const waiting = inboxes[to];
    let at = waiting.length;
    while (at > 0 && waiting[at - 1].tick > tick) at--;
    waiting.splice(at, 0, parcel);
    held[to * agents + from] += sizeOf(parcel);
  };

  return {
    statistics,
    send(from, to, bytes, tick) {
      statistics.messages[from]++;
      statistics.bytes[from] += bytes.length;
      put({ from, to, tick, bytes: bytes.slice() });
      while (held[to * agents + from] > share) {
        const oldest = inboxes[to].findIndex((parcel) => parcel.from === from);
        const [dropped] = inboxes[to].splice(oldest, 1);
        held[to * agents + from] -= sizeOf(dropped);
        inbox[from]++;
      }
    },
    receive(to, tick) {
      const waiting = inboxes[to];
      let due = 0;
      while (due < waiting.length && waiting[due].tick <= tick) due++;
      return waiting.splice(0, due).map((parcel) => {
        const { from, bytes } = parcel;
        held[to * agents + from] -= sizeOf(parcel);
        statistics.delivered[from]++;
        return { from, bytes };
      });
    },
    exportState() {
      const state: Record<string, Float64Array | Uint8Array> = packParcels(inboxes.flat());
      for (const [name, counts] of Object.entries(counters)) state[name] = counts.slice();
      return state;
    },
    restoreState(state) {
      const parcels = unpackParcels(agents, state.envelopes, state.contents);
      if (!parcels || !Object.keys(counters).every((name) => state[name]?.length === agents)) {
        throw new MagicMaskError(
          "corrupt-file",
          "comm/ideal",
          `the state is not that of an ideal channel between ${agents} agents`,
        );
      }
      for (const [name, counts] of Object.entries(counters)) counts.set(state[name]);
      for (const waiting of inboxes) waiting.length = 0;
      held.fill(0);
      for (const parcel of parcels) put(parcel);
    },
  };
}
