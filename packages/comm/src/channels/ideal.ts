import { MagicMaskError } from "@magic-mask/core";
import type { Channel, ChannelOptions } from "../channel.ts";

interface Message {
  readonly from: number;
  readonly to: number;
  readonly tick: number;
  readonly bytes: Uint8Array;
}

/** Delivers every message, at once and in order. */
export function ideal({ agents }: Pick<ChannelOptions, "agents">): Channel {
  const statistics = {
    messages: new Float64Array(agents),
    bytes: new Float64Array(agents),
    delivered: new Float64Array(agents),
  };
  let waiting: Message[] = [];

  return {
    statistics,
    send(from, to, bytes, tick) {
      statistics.messages[from]++;
      statistics.bytes[from] += bytes.length;
      waiting.push({ from, to, tick, bytes: bytes.slice() });
    },
    receive(to, tick) {
      const isDue = (message: Message) => message.to === to && message.tick <= tick;
      const due = waiting.filter(isDue);
      if (due.length > 0) waiting = waiting.filter((message) => !isDue(message));
      for (const { from } of due) statistics.delivered[from]++;
      return due.map(({ from, bytes }) => ({ from, bytes }));
    },
    exportState() {
      const bytes = new Uint8Array(waiting.reduce((sum, message) => sum + message.bytes.length, 0));
      let at = 0;
      for (const message of waiting) {
        bytes.set(message.bytes, at);
        at += message.bytes.length;
      }
      return {
        messages: statistics.messages.slice(),
        bytes: statistics.bytes.slice(),
        delivered: statistics.delivered.slice(),
        envelopes: Float64Array.from(
          waiting.flatMap(({ from, to, tick, bytes: { length } }) => [from, to, tick, length]),
        ),
        contents: bytes,
      };
    },
    restoreState(state) {
      const { messages, bytes, delivered, envelopes, contents } = state;
      let length = 0;
      for (let i = 3; i < (envelopes?.length ?? 0); i += 4) length += envelopes[i];
      const fits = [messages, bytes, delivered].every((counter) => counter?.length === agents);
      if (!fits || !envelopes || envelopes.length % 4 !== 0 || contents?.length !== length) {
        throw new MagicMaskError(
          "corrupt-file",
          "comm/ideal",
          `the state is not that of an ideal channel between ${agents} agents`,
        );
      }
      statistics.messages.set(messages);
      statistics.bytes.set(bytes);
      statistics.delivered.set(delivered);
      waiting = [];
      for (let i = 0, at = 0; i < envelopes.length; i += 4) {
        const end = at + envelopes[i + 3];
        waiting.push({
          from: envelopes[i],
          to: envelopes[i + 1],
          tick: envelopes[i + 2],
          bytes: Uint8Array.from(contents.subarray(at, end)),
        });
        at = end;
      }
    },
  };
}
