import { describe, expect, it } from "@jest/globals";
import { type EnvironmentSpec, stream } from "@magic-mask/core";
import fc from "fast-check";
import { createRecordBuffer } from "./buffer.ts";
import type { Channel, CreateChannel } from "./channel.ts";
import { ideal, type NetworkOptions, network } from "./index.ts";
import { all } from "./modes.ts";
import { createSharing } from "./sharing.ts";
import { recordOf, refusedOf, signatureOf, world } from "./test-world.ts";

const N = 4;
const team: EnvironmentSpec = {
  ...world,
  agents: ["a", "b", "c", "d"],
  roles: ["walker", "walker", "walker", "walker"],
  observationSpaces: new Array(N).fill(world.observationSpaces[0]),
  actionSpaces: new Array(N).fill(world.actionSpaces[0]),
  commonFeatures: new Array(N).fill(world.commonFeatures![0]),
};

/** Records a tick that an agent can make, as far as its peers know; it makes the first at tick 0. */
const LIMIT = 1;

function setUp(create: CreateChannel) {
  const channel = create({ agents: N, seed: 1 });
  const buffers = team.agents.map(() => createRecordBuffer({ capacity: 1024 }));
  return { channel, buffers, sharing: createSharing({ spec: team, mode: all, channel, buffers, limit: LIMIT }) };
}

/** Everyone queues a record of a new state every five ticks. @param silent who does not, from when to when */
function play(
  { sharing }: ReturnType<typeof setUp>,
  from: number,
  to: number,
  isSilent = (_agent: number, _now: number) => false,
) {
  for (let now = from; now < to; now++) {
    for (let agent = 0; agent < N; agent++) {
      if (now % 5 > 0 || isSilent(agent, now)) continue;
      const random = stream(agent, "state", now);
      const signature = signatureOf(...Array.from({ length: 8 }, () => random.below(255) - 127));
      sharing.queue(recordOf({ agent, step: now, signature, advantage: random.normal(), blinded: true }), now);
    }
    sharing.tick(now);
  }
}

/** Records of each agent that an agent holds. */
const known = ({ buffers }: ReturnType<typeof setUp>, agent: number) => {
  const counts = new Array<number>(N).fill(0);
  const { rows } = buffers[agent];
  for (let row = 0; row < rows.length; row++) counts[rows.agents[row]] += rows.counts[row];
  return counts;
};
const sum = (counts: ArrayLike<number>) => Array.from(counts).reduce((all, count) => all + count, 0);
const withFaults = (faults: NetworkOptions) => setUp(network(ideal, faults));

describe("a network that fails", () => {
  it("is cut and heals: each half goes on by itself, then all is known", () => {
    const run = withFaults({ partition: { groups: [[0, 1]], start: 60, end: 260 } });
    play(run, 0, 255);
    // Sent at 0 and 50: records of ticks 0, 5, …, 50. Its own half's: up to 250.
    expect(known(run, 0)).toEqual([51, 51, 11, 11]);
    expect(known(run, 3)).toEqual([11, 11, 51, 51]);
    play(run, 255, 301);
    // All up to the broadcast at 300.
    for (let agent = 0; agent < N; agent++) expect(known(run, agent)).toEqual([61, 61, 61, 61]);
    expect(refusedOf(run.sharing)).toEqual([0, 0, 0, 0]);
    expect(run.sharing.statistics(1)["comm/delivery_rate"]).toBe(1);
  });

  it("may forget the oldest of a long cut, and holds no more for that", () => {
    // A message of ten records takes 29 + 10 · 31 + 64 = 403 bytes; of each of three senders' 1,000 two fit.
    const small: CreateChannel = ({ agents }) => ideal({ agents, capacity: 3000 });
    const run = setUp(network(small, { partition: { groups: [[0, 1]], start: 60, end: 1001 } }));
    play(run, 0, 1001);
    expect(known(run, 0)[2]).toBe(11);
    const { contents, envelopes } = run.channel.exportState();
    // Two messages on each of eight links across the cut.
    expect([contents.length, envelopes.length / 4]).toEqual([16 * 339, 16]);
    play(run, 1001, 1002);
    // Broadcasts from 100 to 1,000: 19 messages, the last two arrive.
    expect(known(run, 0)[2]).toBe(11 + 20);
    expect(Array.from(run.channel.statistics.dropped.inbox)).toEqual(new Array(N).fill(2 * 17));
  });

  it("brings messages late, twice and out of order: copies are refused, and all else is known in the end", () => {
    const quiet = withFaults({});
    play(quiet, 0, 600);
    const run = withFaults({
      duplicate: { rate: 0.5 },
      delay: { ticks: 60, distribution: "geometric" },
      reorder: { rate: 0.5, ticks: 120 },
    });
    play(run, 0, 600);
    run.sharing.tick(100_000);
    const { refusals } = run.sharing.intake;
    const { repeated } = run.channel.statistics;
    expect(sum(refusals.repeated)).toBe(sum(repeated));
    expect(sum(refusedOf(run.sharing))).toBe(sum(repeated));
    expect(sum(repeated)).toBeGreaterThan(40);
    quiet.sharing.tick(100_000);
    for (let agent = 0; agent < N; agent++) {
      expect(known(run, agent)).toEqual(known(quiet, agent));
      const [rows, same] = [run, quiet].map(({ buffers }) => buffers[agent].rows);
      const states = ({ signatures, length }: typeof rows) =>
        Array.from({ length }, (_, row) => signatures.slice(28 * row, 28 * row + 28).join()).sort();
      expect(states(rows)).toEqual(states(same));
    }
  });

  it("knows less, the more is lost", () => {
    const heard = [0, 0.1, 0.5, 0.9, 1].map((rate) => {
      const run = withFaults({ loss: { rate } });
      play(run, 0, 1000);
      return known(run, 0).reduce((sum, count) => sum + count) - known(run, 0)[0];
    });
    expect(heard[0]).toBe(3 * 191);
    expect(heard[4]).toBe(0);
    for (let i = 1; i < heard.length; i++) expect(heard[i]).toBeLessThan(heard[i - 1]);
  });
});

describe("peers that fail", () => {
  it("fall silent, or come late: nobody waits", () => {
    const run = setUp(ideal);
    // Agent 3 says nothing from 100 to 400, agent 2 nothing before 300.
    play(run, 0, 501, (agent, now) => (agent === 3 && now >= 100 && now < 400) || (agent === 2 && now < 300));
    // 0 … 500 is 101 records; 20 and 21 of agent 3's, 41 of agent 2's.
    for (let agent = 0; agent < N; agent++) expect(known(run, agent)).toEqual([101, 101, 41, 41]);
  });

  it("have clocks that run ahead or behind: what is not yet is refused and counted, what is old is taken", () => {
    const run = setUp(ideal);
    // Agent 1 runs 1,000 ticks ahead, agent 2 500 behind; the others know nothing of it.
    const skewed: Channel[] = [0, 1, 2, 3].map((agent) => {
      const offset = [0, 1000, -500, 0][agent];
      return { ...run.channel, send: (from, to, bytes, tick) => run.channel.send(from, to, bytes, tick + offset) };
    });
    const others = [1, 2].map((agent) => {
      const buffers = team.agents.map(() => createRecordBuffer({ capacity: 1024 }));
      return createSharing({ spec: team, mode: all, channel: { ...skewed[agent], receive: () => [] }, buffers });
    });
    for (let now = 500; now < 800; now++) {
      [1, 2].forEach((agent, i) => {
        const step = now + [1000, -500][i];
        if (now % 5 === 0) others[i].queue(recordOf({ agent, step, signature: signatureOf(now - 600) }), now);
        others[i].tick(now);
      });
      run.sharing.tick(now);
    }
    // Nothing of agent 1's arrives before its own time; agent 2's is all there.
    expect(known(run, 0)[1]).toBe(0);
    expect(known(run, 0)[2]).toBeGreaterThan(40);
    // At the time that agent 1 thinks it is, its records are welcome.
    expect(refusedOf(run.sharing)[0]).toBe(0);
    run.sharing.tick(2000);
    expect(known(run, 0)[1]).toBeGreaterThan(40);
    // A message that claims to be from the future of whom it reaches is refused.
    const eager = setUp(ideal);
    others[0].queue(recordOf({ agent: 1, step: 5000 }), 800);
    const bytes = run.channel;
    others[0].tick(850);
    const [late] = bytes.receive(0, 1850);
    eager.channel.send(late.from, 0, late.bytes, 10);
    eager.sharing.tick(10);
    expect(eager.sharing.intake.refusals.early[0]).toBe(1);
  });
});

describe("any faults at all", () => {
  const faults: fc.Arbitrary<NetworkOptions> = fc.record(
    {
      bandwidth: fc.record({ bytes: fc.integer({ min: 1, max: 20_000 }) }),
      duplicate: fc.record({ rate: fc.double({ min: 0, max: 1, noNaN: true }) }),
      loss: fc.record({ rate: fc.double({ min: 0, max: 1, noNaN: true }) }),
      delay: fc.record({
        ticks: fc.integer({ min: 0, max: 400 }),
        distribution: fc.constantFrom("constant" as const, "geometric" as const),
      }),
      reorder: fc.record({ rate: fc.double({ min: 0, max: 1, noNaN: true }), ticks: fc.integer({ min: 1, max: 300 }) }),
      partition: fc.constant({ groups: [[0, 1]], start: 60, end: 190 }),
    },
    { requiredKeys: [] },
  );

  it("leave an agent with its own records and some of its peers', the same every time, from any saved state", () => {
    fc.assert(
      fc.property(faults, (chosen) => {
        const whole = withFaults(chosen);
        play(whole, 0, 240);
        const first = withFaults(chosen);
        play(first, 0, 117);
        const second = withFaults(chosen);
        const pieces = ({ sharing, channel, buffers }: typeof first) => [sharing, channel, ...buffers];
        pieces(second).forEach((piece, i) => {
          piece.restoreState(pieces(first)[i].exportState());
        });
        play(second, 117, 240);
        const told = (run: typeof first) => pieces(run).map((piece) => Object.entries(piece.exportState()).join("\n"));
        expect(told(second)).toEqual(told(whole));
        for (let agent = 0; agent < N; agent++) {
          const counts = known(whole, agent);
          expect(counts[agent]).toBe(48);
          for (const count of counts) expect(count).toBeLessThanOrEqual(48);
        }
        expect(refusedOf(whole.sharing)).toEqual(Array.from(whole.sharing.intake.refusals.repeated));
      }),
      { numRuns: 15 },
    );
  });
});
