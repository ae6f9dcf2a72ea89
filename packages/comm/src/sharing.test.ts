import { describe, expect, it } from "@jest/globals";
import { box, discrete, type EnvironmentSpec, stream } from "@magic-mask/core";
import { createRecordBuffer } from "./buffer.ts";
import type { Channel } from "./channel.ts";
import { ideal } from "./channels/ideal.ts";
import { encodeMessages, HEADER_BYTES, RECORD_BYTES } from "./codec.ts";
import { modes } from "./index.ts";
import { all, type Mode, none, perturbed } from "./modes.ts";
import type { CriticalRecord } from "./record.ts";
import { createSharing } from "./sharing.ts";
import { recordOf, refusedOf, signatureOf, world } from "./test-world.ts";

const pair: EnvironmentSpec = {
  ...world,
  agents: ["left", "right"],
  roles: ["walker", "walker"],
  observationSpaces: world.observationSpaces.slice(0, 2),
  actionSpaces: world.actionSpaces.slice(0, 2),
  commonFeatures: world.commonFeatures!.slice(0, 2),
};

/** An ideal channel that writes down what is sent. */
function tapped(agents: number) {
  const sends: { from: number; to: number; bytes: Uint8Array; tick: number }[] = [];
  const inner = ideal({ agents });
  const channel: Channel = {
    ...inner,
    send(from, to, bytes, tick) {
      sends.push({ from, to, bytes, tick });
      inner.send(from, to, bytes, tick);
    },
  };
  return { channel, sends };
}

function setUp(spec: EnvironmentSpec, mode: Mode, channel = ideal({ agents: spec.agents.length })) {
  const buffers = spec.agents.map(() => createRecordBuffer({ capacity: 256 }));
  return { buffers, channel, sharing: createSharing({ spec, mode, channel, buffers }) };
}

/** Senders of the rows of a buffer. */
const senders = ({ rows }: { rows: { agents: Uint8Array; length: number } }) =>
  Array.from(rows.agents.subarray(0, rows.length));

/** A record unlike any with another number. */
const numbered = (number: number, fields: Partial<CriticalRecord> = {}) =>
  recordOf({ signature: signatureOf((number % 12) * 20 - 120, 0, 0, Math.floor(number / 12) * 20 - 120), ...fields });

describe("sharing", () => {
  it("lets what is queued at tick 49 leave at 50, and what comes after 50 at 100", () => {
    const { channel, sends } = tapped(2);
    const { sharing, buffers } = setUp(pair, all, channel);
    for (let now = 0; now <= 120; now++) {
      if (now === 49) sharing.queue(numbered(0, { step: 40 }), now);
      if (now === 50) sharing.queue(numbered(1, { step: 41 }), now);
      sharing.tick(now);
      if (now === 49) expect(senders(buffers[1])).toEqual([]);
      if (now === 50) expect(senders(buffers[1])).toEqual([0, 0]);
      if (now === 50) sharing.queue(numbered(2, { step: 42 }), now);
      if (now === 99) expect(senders(buffers[1])).toEqual([0, 0]);
      if (now === 100) expect(senders(buffers[1])).toEqual([0, 0, 0]);
    }
    expect(sends.map(({ from, to, tick }) => [from, to, tick])).toEqual([
      [0, 1, 50],
      [0, 1, 100],
    ]);
    // (50 − 40) + (50 − 41) + (100 − 42) = 77 ticks over 3 records.
    expect(sharing.statistics(1)["comm/age"]).toBeCloseTo(77 / 3, 12);
  });

  it("sends the same at the same ticks however often it is called", () => {
    const run = (ticks: number[]) => {
      const { channel, sends } = tapped(2);
      const { sharing } = setUp(pair, all, channel);
      const queue = [7, 49, 50, 51, 101, 160].map((tick, number) => ({ tick, record: numbered(number) }));
      for (const now of ticks) {
        while (queue.length > 0 && queue[0].tick <= now) {
          const next = queue.shift()!;
          sharing.queue(next.record, next.tick);
        }
        sharing.tick(now);
      }
      return sends;
    };
    const everyTick = run(Array.from({ length: 210 }, (_, now) => now));
    // At 50: 7, 49, 50; at 100: 51; at 150: 101; at 200: 160.
    expect(everyTick.map(({ tick, bytes }) => [tick, (bytes.length - HEADER_BYTES) / RECORD_BYTES])).toEqual([
      [50, 3],
      [100, 1],
      [150, 1],
      [200, 1],
    ]);
    expect(run([32, 64, 96, 128, 160, 209])).toEqual(everyTick);
    expect(run([209])).toEqual(everyTick);
  });

  it("sends at each broadcast what was queued by then, in whatever order that came", () => {
    const { channel, sends } = tapped(2);
    const { sharing, buffers } = setUp(pair, all, channel);
    [120, 10, 60, 50, 130, 51].forEach((tick, number) => {
      sharing.queue(numbered(number, { step: tick }), tick);
    });
    sharing.tick(149);
    // At 50: 10 and 50; at 100: 60 and 51; 120 and 130 wait.
    expect(sends.map(({ tick, bytes }) => [tick, (bytes.length - HEADER_BYTES) / RECORD_BYTES])).toEqual([
      [50, 2],
      [100, 2],
    ]);
    expect(Array.from(buffers[1].rows.steps.subarray(0, 4))).toEqual([10, 50, 60, 51]);
    expect(sharing.now).toBe(149);
    sharing.tick(150);
    expect(sends).toHaveLength(3);
  });

  it("shares in each mode what the mode says, and keeps everything of one's own in all of them", () => {
    const records = [
      numbered(0, { rank: 0.95, blinded: false }),
      numbered(1, { rank: 0.95, blinded: true }),
      numbered(2, { rank: 0.9, blinded: false }),
      numbered(3, { rank: 0.5, blinded: true }),
      numbered(4, { rank: 0.89, blinded: false }),
    ];
    const expected: Record<string, number> = { none: 0, marked: 3, perturbed: 2, all: 5, features: 2, model: 0 };
    expect(Object.keys(modes)).toEqual(Object.keys(expected));
    const own = Object.entries(modes).map(([name, mode]) => {
      expect(mode.name).toBe(name);
      const { sharing, buffers, channel } = setUp(pair, mode);
      for (const record of records) sharing.queue(record, 10);
      sharing.tick(50);
      expect(sharing.counters.shared).toEqual(Float64Array.of(expected[name], 0));
      expect(buffers[1].rows.length).toBe(expected[name]);
      const bytes = expected[name] === 0 ? 0 : 29 + 31 * expected[name];
      expect(channel.statistics.bytes).toEqual(Float64Array.of(bytes, 0));
      return buffers[0].exportState();
    });
    for (const state of own) expect(state).toEqual(own[0]);
    expect(own[0].ages.length).toBe(5);
  });

  it("is silent under none", () => {
    const { channel, sends } = tapped(3);
    const { sharing } = setUp(world, none, channel);
    for (let now = 0; now < 200; now++) {
      sharing.queue(numbered(now % 100, { blinded: true, rank: 1, step: now }), now);
      sharing.tick(now);
    }
    expect(sends).toEqual([]);
    expect(sharing.statistics(200)).toEqual({
      "comm/bytes_per_1000_steps": 0,
      "comm/messages_per_1000_steps": 0,
      "comm/delivery_rate": Number.NaN,
      "comm/age": Number.NaN,
      "comm/refused": 0,
      "comm/repeated": 0,
      "comm/flooded": 0,
      "comm/redundancy": 0,
    });
  });

  it("counts exactly the bytes of the messages that were sent", () => {
    const { channel, sends } = tapped(3);
    const { sharing, buffers } = setUp(world, perturbed, channel);
    const random = stream(1, "test");
    for (let now = 0; now < 500; now++) {
      for (let agent = 0; agent < 3; agent++) {
        const role = agent === 2 ? 1 : 0;
        const blinded = random.uniform() < 0.3;
        sharing.queue(
          numbered(random.below(144), { agent, role, blinded, step: now, advantage: random.normal() }),
          now,
        );
      }
      sharing.tick(now);
    }
    for (let agent = 0; agent < 3; agent++) {
      const mine = sends.filter(({ from }) => from === agent);
      const bytes = mine.reduce((sum, message) => sum + message.bytes.length, 0);
      expect(channel.statistics.bytes[agent]).toBe(bytes);
      expect(channel.statistics.messages[agent]).toBe(mine.length);
      // Each message goes to both peers: a header each, and 31 bytes for every record.
      expect(bytes).toBe(mine.length * 29 + 2 * 31 * sharing.counters.shared[agent]);
    }
    const total = channel.statistics.bytes.reduce((sum, bytes) => sum + bytes);
    const statistics = sharing.statistics(500);
    expect(statistics["comm/bytes_per_1000_steps"]).toBeCloseTo((1000 * total) / 3 / 500, 9);
    // 9 broadcasts (50 … 450) by 3 agents to 2 peers: 18 per agent in 500 steps.
    expect(statistics["comm/messages_per_1000_steps"]).toBe(36);
    expect(statistics["comm/delivery_rate"]).toBe(1);
    expect(new Set(senders(buffers[0]))).toEqual(new Set([0, 1, 2]));
  });

  it("tells nothing but what the channel carries", () => {
    const deaf: Channel = { ...ideal({ agents: 2 }), receive: () => [] };
    const { sharing, buffers } = setUp(pair, all, deaf);
    sharing.queue(numbered(0), 10);
    sharing.tick(1000);
    expect(senders(buffers[0])).toEqual([0]);
    expect(senders(buffers[1])).toEqual([]);
    expect(sharing.statistics(1)["comm/delivery_rate"]).toBe(0);
  });

  it("keeps no tie to the caller's record", () => {
    const { sharing, buffers } = setUp(pair, all);
    const record = numbered(0, { advantage: 2, action: 1 });
    sharing.queue(record, 10);
    record.advantage = 7;
    record.signature.fill(99);
    sharing.tick(50);
    for (const { rows } of buffers) {
      expect([rows.means[0], rows.actions[0]]).toEqual([2, 1]);
      expect(rows.signatures.slice(0, 28)).toEqual(numbered(0).signature);
    }
  });

  it("refuses and counts what is damaged or out of place", () => {
    const { sharing, buffers, channel } = setUp(world, all);
    const [good] = encodeMessages([numbered(0, { agent: 1, step: 10 }), numbered(1, { agent: 1, step: 10 })]);
    const damaged = good.slice();
    damaged[40] ^= 4;
    const [own] = encodeMessages([numbered(0, { step: 10 })]);
    const [future] = encodeMessages([numbered(0, { agent: 1, step: 10 }), numbered(0, { agent: 1, step: 21 })]);
    for (const bytes of [damaged, good.subarray(0, 50), new Uint8Array(0), own, future]) channel.send(1, 0, bytes, 20);
    // Agent 2 speaks for agent 1.
    channel.send(2, 0, good, 20);
    sharing.tick(20);
    expect(refusedOf(sharing)).toEqual([6, 0, 0]);
    expect(buffers[0].rows.length).toBe(0);
    channel.send(1, 0, good, 20);
    sharing.tick(21);
    expect(refusedOf(sharing)).toEqual([6, 0, 0]);
    expect(sharing.counters.received).toEqual(Float64Array.of(2, 0, 0));
    expect(sharing.statistics(1)["comm/refused"]).toBeCloseTo(6 / 3, 12);
  });

  it("plays the part of the agents that live here, by a clock of their own", () => {
    const { channel, sends } = tapped(3);
    const here = createRecordBuffer({ capacity: 256 });
    const options = { spec: world, mode: all, channel, buffers: [undefined, here, undefined] };
    const sharing = createSharing({ ...options, lead: 100 });
    sharing.queue(numbered(0, { agent: 1, step: 10 }), 10);
    expect(() => sharing.queue(numbered(0, { agent: 0 }), 10)).toThrow("test_v0 has no agent 0 of role 0 here");
    // A peer whose clock is 95 ticks ahead, and one that is too far ahead.
    const messages = [105, 161].map((step) => encodeMessages([numbered(1, { step, advantage: 2 })])[0]);
    for (const bytes of messages) channel.send(0, 1, bytes, 5);
    channel.send(1, 2, messages[0], 5);
    sends.length = 0;
    sharing.tick(10);
    sharing.tick(60);
    expect(sends.map(({ from, to, tick }) => [from, to, tick])).toEqual([
      [1, 0, 50],
      [1, 2, 50],
    ]);
    expect(refusedOf(sharing)).toEqual([0, 1, 0]);
    expect(senders(here)).toEqual([1, 0]);
    // What came from ahead was made just now: it weighs 1 at tick 10, and no more later.
    expect(Array.from(here.rows.steps.subarray(0, 2))).toEqual([10, 10]);
    expect(here.weight(1, 10)).toBe(1);
    expect(sharing.counters.lateness[1]).toBe(0);
    // Agent 2 lives elsewhere: what is for it stays where it is.
    expect(channel.receive(2, 60).length).toBe(2);
    expect(() => createSharing({ ...options, lead: -1 })).toThrow("lead must be ≥ 0, got -1");
  });

  it("pairs up only agents whose records compare", () => {
    const unlike = { ...world, actionSpaces: [discrete(3), discrete(3), discrete(4)] };
    const blind = {
      ...world,
      commonFeatures: null,
      observationSpaces: [box([8], -1, 1), box([8], -1, 1), box([2], -1, 1)],
    };
    for (const spec of [unlike, blind]) {
      const { channel, sends } = tapped(3);
      const { sharing, buffers } = setUp(spec, all, channel);
      for (const [agent, role] of [0, 0, 1].entries()) sharing.queue(numbered(agent, { agent, role }), 10);
      const [stray] = encodeMessages([numbered(2, { agent: 2, role: 1 })]);
      channel.send(2, 0, stray, 10);
      sharing.tick(50);
      expect(sends.slice(1).map(({ from, to }) => [from, to])).toEqual([
        [0, 1],
        [1, 0],
      ]);
      expect(senders(buffers[0])).toEqual([0, 1]);
      expect(refusedOf(sharing)).toEqual([1, 0, 0]);
    }
  });

  it("samples perturbations that a peer had made unnecessary, one in each interval", () => {
    const { sharing } = setUp(pair, all);
    sharing.queue(numbered(0, { agent: 0, blinded: true }), 40);
    sharing.tick(50);
    // Its own record does not make the next one redundant.
    sharing.queue(numbered(0, { agent: 0, blinded: true }), 60);
    sharing.queue(numbered(0, { agent: 0, blinded: true }), 60);
    sharing.tick(100);
    expect(sharing.counters.sampled).toEqual(Float64Array.of(2, 0));
    expect(sharing.counters.redundant).toEqual(Float64Array.of(0, 0));
    // Agent 1 has heard of that state three times. Unblinded records do not count; the first blinded one does.
    sharing.queue(numbered(0, { agent: 1, blinded: false }), 100);
    sharing.queue(numbered(0, { agent: 1, blinded: true }), 100);
    sharing.queue(numbered(0, { agent: 1, blinded: true }), 100);
    expect(sharing.counters.sampled).toEqual(Float64Array.of(2, 1));
    expect(sharing.counters.redundant).toEqual(Float64Array.of(0, 1));
    expect(sharing.statistics(1)["comm/redundancy"]).toBeCloseTo(1 / 3, 12);
  });

  it("goes on from a saved state as if nothing had happened", () => {
    const random = stream(2, "test");
    const events = Array.from({ length: 300 }, (_, now) =>
      [0, 1, 2].map((agent) => {
        const fields = {
          agent,
          role: agent === 2 ? 1 : 0,
          step: now,
          policyVersion: now >> 5,
          advantage: random.normal(),
        };
        return numbered(random.below(144), {
          ...fields,
          blinded: random.below(2) === 1,
          logProb: -random.uniform(),
          rank: random.uniform(),
        });
      }),
    );
    const play = (run: ReturnType<typeof setUp>, from: number, to: number) => {
      for (let now = from; now < to; now++) {
        for (const record of events[now]) run.sharing.queue(record, now);
        run.sharing.tick(now);
      }
    };
    const stateOf = (run: ReturnType<typeof setUp>) =>
      [run.sharing, run.channel, ...run.buffers].map((piece) => piece.exportState());
    const whole = setUp(world, perturbed);
    play(whole, 0, 300);
    const first = setUp(world, perturbed);
    play(first, 0, 133);
    const second = setUp(world, perturbed);
    const saved = stateOf(first);
    expect(saved[0].numbers.length).toBeGreaterThan(0);
    [second.sharing, second.channel, ...second.buffers].forEach((piece, i) => {
      piece.restoreState(saved[i]);
    });
    expect(() => second.sharing.tick(132)).toThrow("tick 132 is past");
    play(second, 133, 300);
    expect(stateOf(second)).toEqual(stateOf(whole));
    expect(second.sharing.statistics(300)).toEqual(whole.sharing.statistics(300));
  });

  it("refuses what does not belong", () => {
    const { sharing, buffers, channel } = setUp(pair, all);
    expect(() => sharing.queue(numbered(0, { agent: 2 }), 0)).toThrow("test_v0 has no agent 2 of role 0");
    expect(() => sharing.queue(numbered(0, { role: 1 }), 0)).toThrow("no agent 0 of role 1");
    expect(() => sharing.queue(numbered(0, { rank: 2 }), 0)).toThrow("rank must be in [0, 1], got 2");
    sharing.tick(10);
    expect(() => sharing.tick(10)).toThrow("tick 10 is past, got tick 10");
    expect(() => sharing.queue(numbered(0), 9)).toThrow("tick 10 is past, got a record at tick 9");
    expect(() => createSharing({ spec: pair, mode: all, channel, buffers, every: 0 })).toThrow(
      "every must be a whole number ≥ 1",
    );
    expect(() => createSharing({ spec: pair, mode: all, channel, buffers, every: 1.5 })).toThrow(
      "every must be a whole number",
    );
    expect(() => createSharing({ spec: world, mode: all, channel, buffers })).toThrow(
      "one buffer for each of 3 agents, got 2",
    );
    expect(() => sharing.restoreState({})).toThrow("not that of sharing between 2 agents");
    expect(() => sharing.restoreState({ ...sharing.exportState(), numbers: new Float64Array(5) })).toThrow(
      "not that of sharing",
    );
  });
});
