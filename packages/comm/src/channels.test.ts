import { describe, expect, it } from "@jest/globals";
import { isMagicMaskError } from "@magic-mask/core";
import fc from "fast-check";
import type { Channel, CreateChannel, Delivery } from "./channel.ts";
import { bandwidth, delay, duplicate, ideal, loss, type NetworkOptions, network, partition, reorder } from "./index.ts";
import { channelLaws } from "./testing/index.ts";

/** Each fault by itself; a new one is to be added here. */
const faults = {
  bandwidth: { bytes: 400 },
  duplicate: { rate: 0.3 },
  loss: { rate: 0.4 },
  delay: { ticks: 7, distribution: "geometric" },
  reorder: { rate: 0.5, ticks: 9 },
  partition: { groups: [[0, 1]], start: 8, end: 30 },
} as const satisfies Required<NetworkOptions>;

const alone = Object.keys(faults).map((name) => [name, network(ideal, { [name]: faults[name as never] })] as const);
const subjects: [string, CreateChannel][] = [["ideal", ideal], ...alone.map(([...pair]) => pair)];

describe.each([...subjects, ["with all faults", network(ideal, faults)] as const])("channel %s", (_, create) => {
  it.each(channelLaws.map((law) => [law.name, law] as const))("%s", (_name, law) => law.run(create));
});

/** Builds of channels in any order of any layers with any settings. */
const layers: fc.Arbitrary<[string, (behind: CreateChannel) => CreateChannel][]> = fc
  .tuple(
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.integer({ min: 1, max: 60 }),
    fc.integer({ min: 1, max: 5000 }),
    fc.constantFrom("constant" as const, "geometric" as const),
    fc.shuffledSubarray(["bandwidth", "duplicate", "loss", "delay", "reorder", "partition"]),
  )
  .map(([rate, ticks, bytes, distribution, names]) => {
    const builds: Record<string, (behind: CreateChannel) => CreateChannel> = {
      bandwidth: (behind) => bandwidth(behind, { bytes }),
      duplicate: (behind) => duplicate(behind, { rate }),
      loss: (behind) => loss(behind, { rate: rate / 2 }),
      delay: (behind) => delay(behind, { ticks, distribution }),
      reorder: (behind) => reorder(behind, { rate, ticks }),
      partition: (behind) => partition(behind, { groups: [[0], [1]], start: ticks, end: 2 * ticks }),
    };
    return names.map((name) => [name, builds[name]]);
  });

/** The law about bounds fills memory; once for each layer is enough. */
const quickLaws = channelLaws.filter(({ name }) => !name.includes("no more"));

describe("any layers in any order", () => {
  it("obey the laws", () => {
    fc.assert(
      fc.property(layers, (chosen) => {
        const create = chosen.reduce<CreateChannel>((behind, [, build]) => build(behind), ideal);
        for (const law of quickLaws) law.run(create);
      }),
      { numRuns: 40 },
    );
  });
});

const byte = (x: number) => Uint8Array.of(x);
/** What arrives at agent 1, by tick: [tick, first byte]. */
const arrivals = (channel: Channel, until: number) =>
  Array.from({ length: until + 1 }, (_, tick) =>
    channel.receive(1, tick).map(({ bytes }) => [tick, bytes[0]] as const),
  ).flat();

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

  it("lets a sender's oldest give way to its newest, and nobody else's", () => {
    // Each of two senders may fill 300 bytes; a message of one byte takes 65: four fit.
    const channel = ideal({ agents: 3, capacity: 600 });
    channel.send(2, 1, byte(99), 0);
    for (let i = 0; i < 10; i++) channel.send(0, 1, byte(i), 0);
    expect(channel.receive(1, 0).map(({ bytes }) => bytes[0])).toEqual([99, 6, 7, 8, 9]);
    expect(channel.statistics.dropped.inbox).toEqual(Float64Array.of(6, 0, 0));
    // What was fetched makes room.
    channel.send(0, 1, byte(10), 1);
    expect(channel.receive(1, 1)).toHaveLength(1);
    expect(() => ideal({ agents: 3, capacity: 0 })).toThrow("capacity must be ≥ 1, got 0");
  });

  it("refuses a state that is not its own", () => {
    const channel = ideal({ agents: 3 });
    channel.send(0, 1, Uint8Array.of(1, 2), 5);
    const state = channel.exportState();
    for (const damage of [
      { messages: new Float64Array(2) },
      { contents: new Uint8Array(1) },
      { envelopes: new Float64Array(3) },
      { envelopes: Float64Array.of(3, 1, 5, 2) },
      { envelopes: Float64Array.of(0, 0.5, 5, 2) },
      { envelopes: Float64Array.of(0, 1, Number.NaN, 2) },
      { envelopes: Float64Array.of(0, 1, 5, -2) },
    ]) {
      expect(() => ideal({ agents: 3 }).restoreState({ ...state, ...damage })).toThrow("not that of an ideal channel");
    }
    expect(() => ideal({ agents: 3 }).restoreState({})).toThrow("not that of an ideal channel");
  });
});

describe("loss", () => {
  it("loses its share, on each link by itself", () => {
    const deliveredOf = (links: [number, number][]) => {
      const channel = loss(ideal, { rate: 0.3 })({ agents: 3, seed: 1 });
      for (let i = 0; i < 4000; i++) for (const [from, to] of links) channel.send(from, to, byte(i % 256), i);
      return channel;
    };
    const channel = deliveredOf([[0, 1]]);
    const heard = channel.receive(1, 4000).map(({ bytes }) => bytes[0]);
    // 1,200 of 4,000 in the mean, standard deviation √(4000 · .3 · .7) = 29.
    expect(Math.abs(channel.statistics.dropped.loss[0] - 1200)).toBeLessThan(4 * 29);
    expect(heard.length + channel.statistics.dropped.loss[0]).toBe(4000);
    // Others' messages change nothing.
    const busy = deliveredOf([
      [0, 1],
      [0, 2],
      [2, 0],
    ]);
    expect(busy.receive(1, 4000).map(({ bytes }) => bytes[0])).toEqual(heard);
  });

  it("has chance of its own on every link, and beside other faults", () => {
    // 400 messages on each of two links; every repetition and every loss is an even coin.
    const channel = duplicate(loss(ideal, { rate: 0.5 }), { rate: 0.5 })({ agents: 3, seed: 2 });
    const { repeated, dropped } = channel.statistics;
    const fates = Array.from({ length: 400 }, (_, i) =>
      [1, 2].map((to) => {
        const [copies, losses] = [repeated[0], dropped.loss[0]];
        channel.send(0, to, byte(0), i);
        return { isTwice: repeated[0] > copies, isLost: dropped.loss[0] > losses };
      }),
    );
    // Links: 200 in the mean, standard deviation 10. Faults: of 400 some 200 are repeated; of their two copies one or more is lost with ¾.
    const alike = fates.filter(([one, other]) => one.isTwice === other.isTwice).length;
    expect(Math.abs(alike - 200)).toBeLessThan(50);
    const both = fates.filter(([one]) => one.isTwice && one.isLost).length;
    expect(Math.abs(both - 150)).toBeLessThan(45);
    const single = fates.filter(([one]) => !one.isTwice && one.isLost).length;
    expect(Math.abs(single - 100)).toBeLessThan(45);
  });

  it("draws the same whatever stands behind it", () => {
    const lostOf = (behind: CreateChannel) => {
      const channel = loss(behind, { rate: 0.5 })({ agents: 2, seed: 3 });
      return Array.from({ length: 200 }, (_, i) => {
        const before = channel.statistics.dropped.loss[0];
        channel.send(0, 1, byte(0), i);
        return channel.statistics.dropped.loss[0] - before;
      });
    };
    const noisy = duplicate(reorder(delay(ideal, { ticks: 5, distribution: "geometric" }), { rate: 0.5, ticks: 3 }), {
      rate: 0.5,
    });
    expect(lostOf(noisy)).toEqual(lostOf(ideal));
  });

  it("knows its bounds", () => {
    expect(() => loss(ideal, { rate: 1.5 })).toThrow("rate must be in [0, 1], got 1.5");
    const twice = loss(loss(ideal, { rate: 0.1 }), { rate: 0.1 });
    expect(() => twice({ agents: 2, seed: 1 })).toThrow("there is a loss in this channel already");
    const nothing = loss(ideal, { rate: 1 })({ agents: 2, seed: 1 });
    nothing.send(0, 1, byte(0), 0);
    expect(nothing.receive(1, 9)).toEqual([]);
  });
});

describe("delay", () => {
  it("of one length keeps the order", () => {
    const channel = delay(ideal, { ticks: 3.9 })({ agents: 2, seed: 1 });
    for (const tick of [0, 1, 4]) channel.send(0, 1, byte(tick), tick);
    expect(arrivals(channel, 9)).toEqual([
      [3, 0],
      [4, 1],
      [7, 4],
    ]);
  });

  it("drawn from a geometric distribution has its mean and its tail", () => {
    const channel = delay(ideal, { ticks: 4, distribution: "geometric" })({ agents: 2, seed: 2 });
    const count = 8000;
    for (let i = 0; i < count; i++) channel.send(0, 1, byte(0), 0);
    const late = arrivals(channel, 400).map(([tick]) => tick);
    expect(late).toHaveLength(count);
    // Mean 4; variance m(1 + m) = 20, so the mean of 8,000 errs by .05. P(d ≥ 5) = (4/5)⁵ = .328, give or take .005.
    expect(Math.abs(late.reduce((sum, d) => sum + d, 0) / count - 4)).toBeLessThan(0.2);
    expect(Math.abs(late.filter((d) => d >= 5).length / count - 0.328)).toBeLessThan(0.02);
    const none = delay(ideal, { ticks: 0, distribution: "geometric" })({ agents: 2, seed: 2 });
    none.send(0, 1, byte(0), 6);
    expect(arrivals(none, 9)).toEqual([[6, 0]]);
  });

  it("knows its bounds", () => {
    expect(() => delay(ideal, { ticks: -1 })).toThrow("ticks must be in [0, 1000000000], got -1");
    expect(() => delay(ideal, { ticks: 1, distribution: "normal" as never })).toThrow(
      'distribution must be constant or geometric, got "normal"',
    );
  });
});

describe("reorder", () => {
  it("lets later messages overtake those it holds back, and no others", () => {
    const channel = reorder(ideal, { rate: 0.25, ticks: 5 })({ agents: 2, seed: 1 });
    for (let tick = 0; tick < 200; tick++) channel.send(0, 1, byte(tick), tick);
    const late = arrivals(channel, 210).map(([tick, sent]) => tick - sent);
    expect(late).toHaveLength(200);
    const held = late.filter((d) => d > 0);
    // 50 in the mean, standard deviation 6; held back by 1 … 5 ticks, each length of them.
    expect(Math.abs(held.length - 50)).toBeLessThan(25);
    expect([...new Set(held)].sort()).toEqual([1, 2, 3, 4, 5]);
    expect(() => reorder(ideal, { rate: 0.1, ticks: 0 })).toThrow("ticks must be a whole number");
  });
});

describe("duplicate", () => {
  it("repeats its share, each copy with chances of its own behind it", () => {
    const behind = delay(ideal, { ticks: 20, distribution: "geometric" });
    const channel = duplicate(behind, { rate: 0.5 })({ agents: 2, seed: 1 });
    for (let i = 0; i < 200; i++) channel.send(0, 1, byte(i), 0);
    const heard = arrivals(channel, 1000);
    const copies = channel.statistics.repeated[0];
    expect(Math.abs(copies - 100)).toBeLessThan(30);
    expect(heard).toHaveLength(200 + copies);
    expect(channel.statistics.messages[0]).toBe(200);
    const ticks = new Map<number, Set<number>>();
    for (const [tick, sent] of heard) ticks.set(sent, (ticks.get(sent) ?? new Set()).add(tick));
    expect([...ticks.values()].filter(({ size }) => size === 2).length).toBeGreaterThan(copies / 2);
  });
});

describe("bandwidth", () => {
  const sized = (length: number, mark: number) => new Uint8Array(length).fill(mark);

  it("lets bytes through as they come in, the oldest first, and a burst after a silence", () => {
    // 100 bytes per 1,000 ticks: one message of 50 every 500 ticks, and two at once from a bucket that has filled by tick 2,000.
    const channel = bandwidth(ideal, { bytes: 100 })({ agents: 2, seed: 1 });
    for (let mark = 1; mark <= 2; mark++) channel.send(0, 1, sized(50, mark), 0);
    for (let mark = 3; mark <= 4; mark++) channel.send(0, 1, sized(50, mark), 2100);
    expect(arrivals(channel, 2200)).toEqual([
      [500, 1],
      [1000, 2],
      [2100, 3],
      [2100, 4],
    ]);
  });

  it("drops the oldest of what waits for news", () => {
    const channel = bandwidth(ideal, { bytes: 100 })({ agents: 2, seed: 1 });
    // 100 bytes may wait: the last two.
    for (let mark = 1; mark <= 6; mark++) channel.send(0, 1, sized(50, mark), 0);
    expect(arrivals(channel, 1100).map(([, mark]) => mark)).toEqual([5, 6]);
    expect(channel.statistics.dropped.bandwidth).toEqual(Float64Array.of(4, 0));
  });

  it("owes what a message larger than the bucket takes too much", () => {
    const channel = bandwidth(ideal, { bytes: 100 })({ agents: 2, seed: 1 });
    // 250 bytes leave on the 100 of a full bucket; the 150 owed and the next one's 100 have come in after 2,500 ticks more.
    channel.send(0, 1, sized(250, 1), 0);
    channel.send(0, 1, sized(250, 2), 1000);
    expect(arrivals(channel, 3600)).toEqual([
      [1000, 1],
      [3500, 2],
    ]);
  });

  it("counts the bytes of one sender to all its peers, and none of the others'", () => {
    const channel = bandwidth(ideal, { bytes: 100 })({ agents: 3, seed: 1 });
    channel.send(0, 2, sized(60, 1), 0);
    channel.send(2, 1, sized(60, 3), 0);
    channel.send(0, 1, sized(60, 2), 600);
    // 60 bytes have come in after 600 ticks; agent 0's go to agent 2, and 60 more take as long again.
    expect(arrivals(channel, 1300)).toEqual([
      [600, 3],
      [1200, 2],
    ]);
  });

  it("does the same however often one looks", () => {
    const play = (looks: number[]) => {
      const channel = bandwidth(ideal, { bytes: 333 })({ agents: 2, seed: 1 });
      const heard: number[] = [];
      for (let tick = 0; tick <= 3000; tick++) {
        if (tick % 70 === 0) channel.send(0, 1, sized(20 + (tick % 90), (tick / 70) % 256), tick);
        if (looks.includes(tick)) for (const { bytes } of channel.receive(1, tick)) heard.push(bytes[0]);
      }
      return [heard, channel.statistics.dropped.bandwidth];
    };
    const often = Array.from({ length: 301 }, (_, i) => 10 * i);
    expect(play([3000])).toEqual(play(often));
  });

  it("keeps its rate in the long run", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2000 }),
        fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 30, maxLength: 60 }),
        (bytes, lengths) => {
          const channel = bandwidth(ideal, { bytes })({ agents: 2, seed: 1 });
          lengths.forEach((length, i) => {
            channel.send(0, 1, new Uint8Array(length), 20 * i);
          });
          const now = 20 * lengths.length;
          const through = channel.receive(1, now).reduce((sum, message) => sum + message.bytes.length, 0);
          // The bucket, what came in, and the debt of one message.
          expect(through).toBeLessThanOrEqual(bytes + (bytes * now) / 1000 + 300);
        },
      ),
    );
  });

  it("refuses no rate and a foreign state", () => {
    expect(() => bandwidth(ideal, { bytes: 0 })).toThrow("bytes must be in");
    const create = bandwidth(ideal, { bytes: 100 });
    const state = create({ agents: 2, seed: 1 }).exportState();
    for (const damage of [
      { "bandwidth/tokens": new Float64Array(1) },
      { "bandwidth/envelopes": new Float64Array(3) },
    ]) {
      expect(() => create({ agents: 2, seed: 1 }).restoreState({ ...state, ...damage })).toThrow(
        "not that of a channel with bandwidth between 2 agents",
      );
    }
  });
});

describe("partition", () => {
  const cut = partition(ideal, { groups: [[0], [1, 2]], start: 10, end: 20 });

  it("holds what would cross until it heals, and nothing else", () => {
    const channel = cut({ agents: 4, seed: 1 });
    for (const tick of [9, 10, 19, 20]) channel.send(0, 1, byte(tick), tick);
    channel.send(2, 1, byte(99), 15);
    // Agent 3 is in no group, so apart from both.
    channel.send(3, 1, byte(3), 15);
    expect(arrivals(channel, 30)).toEqual([
      [9, 9],
      [15, 99],
      [20, 10],
      [20, 19],
      [20, 20],
      [20, 3],
    ]);
  });

  it("holds what was under way when it began", () => {
    const channel = network(ideal, { delay: { ticks: 5 }, partition: { groups: [[0]], start: 10, end: 20 } })({
      agents: 2,
      seed: 1,
    });
    for (const tick of [4, 5, 14, 15]) channel.send(0, 1, byte(tick), tick);
    expect(arrivals(channel, 30)).toEqual([
      [9, 4],
      [20, 5],
      [20, 14],
      [20, 15],
    ]);
  });

  it("knows its agents and its times", () => {
    expect(() => cut({ agents: 2, seed: 1 })).toThrow("groups must name agents 0 … 1, each once, got [[0],[1,2]]");
    const twice = partition(ideal, { groups: [[0, 1], [1]], start: 0, end: 1 });
    expect(() => twice({ agents: 2, seed: 1 })).toThrow("each once");
    expect(() => partition(ideal, { groups: [], start: 5, end: 4 })).toThrow("end must be a whole number ≥ 5, got 4");
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
  const broken: Record<string, [CreateChannel, string]> = {
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
    "one that loses in silence": [
      planted((channel) => ({ receive: (to, tick) => channel.receive(to, tick).slice(1) })),
      "loses and repeats nothing without counting it",
    ],
    "one that keeps everything": [
      ({ agents }) => ideal({ agents, capacity: Number.POSITIVE_INFINITY }),
      "holds so many bytes, and no more, when nobody listens",
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

  it.each(Object.entries(broken))("catch %s", (_, [create, name]) => {
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
    expect(new Set(Object.values(broken).map(([, name]) => name))).toEqual(
      new Set(channelLaws.map(({ name }) => name)),
    );
  });
});
