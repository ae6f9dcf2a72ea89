import { describe, expect, it } from "@jest/globals";
import { isMagicMaskError } from "@magic-mask/core";
import type { Channel, CreateChannel, Delivery } from "./channel.ts";
import { channels, ideal } from "./index.ts";
import { channelLaws } from "./testing/index.ts";

describe.each(Object.entries(channels))("channel %s", (_, create) => {
  it.each(channelLaws.map((law) => [law.name, law] as const))("%s", (_name, law) => law.run(create));
});

describe("ideal channel", () => {
  it("delivers everything, in order, at once", () => {
    const channel = ideal({ agents: 3 });
    channel.send(0, 1, Uint8Array.of(1), 5);
    channel.send(2, 1, Uint8Array.of(2, 2), 5);
    channel.send(0, 2, Uint8Array.of(3), 5);
    channel.send(0, 1, Uint8Array.of(4), 6);
    expect(channel.receive(1, 5)).toEqual([
      { from: 0, bytes: Uint8Array.of(1) },
      { from: 2, bytes: Uint8Array.of(2, 2) },
    ]);
    expect(channel.receive(1, 6)).toEqual([{ from: 0, bytes: Uint8Array.of(4) }]);
    expect(channel.receive(2, 6)).toEqual([{ from: 0, bytes: Uint8Array.of(3) }]);
    expect(channel.statistics.messages).toEqual(Float64Array.of(3, 0, 1));
    expect(channel.statistics.bytes).toEqual(Float64Array.of(3, 0, 2));
    expect(channel.statistics.delivered).toEqual(Float64Array.of(3, 0, 1));
  });

  it("refuses a state that is not its own", () => {
    const channel = ideal({ agents: 3 });
    channel.send(0, 1, Uint8Array.of(1, 2), 5);
    const state = channel.exportState();
    for (const damage of [
      { messages: new Float64Array(2) },
      { contents: new Uint8Array(1) },
      { envelopes: new Float64Array(3) },
    ]) {
      expect(() => ideal({ agents: 3 }).restoreState({ ...state, ...damage })).toThrow("not that of an ideal channel");
    }
    expect(() => ideal({ agents: 3 }).restoreState({})).toThrow("not that of an ideal channel");
  });
});

describe("channel laws", () => {
  /** A channel with one fault planted. */
  const planted = (change: (channel: Channel, agents: number) => Partial<Channel>): CreateChannel => {
    return ({ agents }) => {
      const channel = ideal({ agents });
      return { ...channel, ...change(channel, agents) };
    };
  };
  let calls = 0;
  const faults: Record<string, [CreateChannel, string]> = {
    "a ghost": [
      planted(() => ({ receive: () => [{ from: 0, bytes: Uint8Array.of(0, 0, 0, 21) }] })),
      "brings nothing that was not sent",
    ],
    "one that tells everybody": [
      planted((channel, agents) => ({
        send: (from, _, bytes, tick) => {
          for (let to = 0; to < agents; to++) channel.send(from, to, bytes, tick);
        },
      })),
      "brings messages as they were sent, to whom they were sent",
    ],
    "one that garbles": [
      planted((channel) => ({
        receive: (to, tick) => {
          const deliveries = channel.receive(to, tick);
          for (const { bytes } of deliveries) bytes[bytes.length - 1] ^= 1;
          return deliveries;
        },
      })),
      "brings messages as they were sent, to whom they were sent",
    ],
    "one that mistakes the sender": [
      planted((channel) => ({
        receive: (to, tick) => channel.receive(to, tick).map(({ bytes }) => ({ from: to, bytes })),
      })),
      "brings messages as they were sent, to whom they were sent",
    ],
    "one that keeps the sender's bytes": [
      planted((channel) => {
        const held: Uint8Array[] = [];
        return {
          send: (from, to, bytes, tick) => {
            held.push(bytes);
            channel.send(from, to, bytes, tick);
          },
          receive: (to, tick) => channel.receive(to, tick).map(({ from }, i) => ({ from, bytes: held[i] })),
        };
      }),
      "keeps no tie to the sender's bytes",
    ],
    "one that knows the future": [
      planted((channel) => ({ receive: (to) => channel.receive(to, Number.POSITIVE_INFINITY) })),
      "brings nothing before it was sent",
    ],
    "one that repeats itself": [
      planted((channel) => {
        const heard: Delivery[][] = [];
        return {
          receive: (to, tick) => {
            heard[to] = [...(heard[to] ?? []), ...channel.receive(to, tick)];
            return heard[to];
          },
        };
      }),
      "hands over an arrival once",
    ],
    "one that counts too little": [
      planted((channel) => ({ statistics: { ...channel.statistics, bytes: new Float64Array(3) } })),
      "counts what it carries, by sender",
    ],
    "one that counts no deliveries": [
      planted((channel) => ({ statistics: { ...channel.statistics, delivered: new Float64Array(3) } })),
      "counts what it carries, by sender",
    ],
    "one with chance of its own": [
      planted((channel) => ({
        send: (from, to, bytes, tick) => {
          if (calls++ % 7 > 0) channel.send(from, to, bytes, tick);
        },
      })),
      "does the same for the same seed",
    ],
    "one that forgets what is under way": [
      planted((channel, agents) => ({
        exportState: () => ({ ...channel.exportState(), envelopes: new Float64Array(0), contents: new Uint8Array(0) }),
        restoreState: (state) => channel.restoreState({ ...ideal({ agents }).exportState(), ...state }),
      })),
      "goes on from a saved state as if nothing had happened",
    ],
  };

  it.each(Object.entries(faults))("catch %s", (_, [create, name]) => {
    const law = channelLaws.find((candidate) => candidate.name === name);
    let caught: unknown;
    try {
      law?.run(create);
    } catch (error) {
      caught = error;
    }
    expect(isMagicMaskError(caught, "law-broken")).toBe(true);
  });

  it("are each broken by some planted fault", () => {
    expect(new Set(Object.values(faults).map(([, name]) => name))).toEqual(
      new Set(channelLaws.map(({ name }) => name)),
    );
  });
});
