import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { encodeMessages } from "./codec.ts";
import { createIntake } from "./intake.ts";
import type { CriticalRecord } from "./record.ts";
import { recordOf, world } from "./test-world.ts";

const messageOf = (...records: Partial<CriticalRecord>[]) => encodeMessages(records.map(recordOf))[0];
const at = (to: number, from: number) => 3 * to + from;

describe("intake", () => {
  it("says why it refuses, and whose message it was", () => {
    const intake = createIntake({ spec: world, signatureLength: 28 });
    const good = messageOf({ agent: 1, step: 10 });
    const open = (bytes: Uint8Array, from = 1) => intake.open(0, { from, bytes }, 20).length;
    expect(open(good.subarray(0, 40))).toBe(0);
    // In the name of agent 1 by agent 2; one's own; one that is yet to be made.
    expect(open(good, 2)).toBe(0);
    expect(open(messageOf({ agent: 0 }), 0)).toBe(0);
    expect(open(messageOf({ agent: 1, step: 21 }))).toBe(0);
    expect(open(good)).toBe(1);
    expect(open(good)).toBe(0);
    expect(Object.fromEntries(Object.entries(intake.refusals).map(([name, [count]]) => [name, count]))).toEqual({
      corrupt: 1,
      forged: 2,
      early: 1,
      repeated: 1,
      flooded: 0,
    });
    expect(intake.taken[at(0, 1)]).toBe(1);
    expect([0, 1, 2].map((from) => intake.refused[at(0, from)])).toEqual([1, 3, 1]);
    // Another recipient has not heard it yet.
    expect(intake.open(2, { from: 1, bytes: good }, 20).length).toBe(1);
  });

  it("takes from one sender no more than it can have made by its own clock, and as much from others", () => {
    const intake = createIntake({ spec: world, signatureLength: 28, limit: 3 });
    const send = (from: number, episode: number, step: number) =>
      intake.open(0, { from, bytes: messageOf({ agent: from, role: from === 2 ? 1 : 0, episode, step }) }, 100).length;
    // By tick 0 it has made 3 records, by tick 2 it has made 9, whenever these come.
    expect([0, 1, 2, 3, 4].map((episode) => send(1, episode, 0))).toEqual([1, 1, 1, 0, 0]);
    expect(send(2, 0, 0)).toBe(1);
    expect(send(1, 5, 2)).toBe(1);
    expect([6, 7, 8, 9, 10, 11].map((episode) => send(1, episode, 1))).toEqual([1, 1, 1, 1, 1, 0]);
    expect(intake.refusals.flooded[0]).toBe(3);
    expect(intake.taken[at(0, 1)]).toBe(9);
  });

  it("takes all that an honest sender makes at the limit, however late and in what order it comes", () => {
    // Two copies: two records a tick, told of after every three ticks.
    const messages = Array.from({ length: 20 }, (_, k) =>
      messageOf(...[0, 0, 1, 1, 2, 2].map((t, i) => ({ agent: 1, step: 3 * k + t, episode: i % 2 }))),
    );
    const arrivals = fc.shuffledSubarray(messages, { minLength: 20 });
    fc.assert(
      fc.property(arrivals, arrivals, (first, again) => {
        const intake = createIntake({ spec: world, signatureLength: 28, limit: 2 });
        const open = (bytes: Uint8Array) => intake.open(0, { from: 1, bytes }, 1e6).length;
        expect(first.map(open)).toEqual(new Array(20).fill(6));
        expect(again.map(open)).toEqual(new Array(20).fill(0));
        expect([intake.refusals.repeated[0], intake.refusals.flooded[0]]).toEqual([20, 0]);
      }),
    );
  });

  it("cuts advantages to what returns can differ by", () => {
    const spec = { ...world, returnRange: [-1, 2] as const };
    const bytes = messageOf({ agent: 1, advantage: 800 }, { agent: 1, advantage: -800 }, { agent: 1, advantage: 2 });
    const read = (of: typeof spec | typeof world) =>
      createIntake({ spec: of, signatureLength: 28 }).open(0, { from: 1, bytes }, 5);
    expect(read(spec).map(({ advantage }) => Number(advantage.toFixed(1)))).toEqual([3, -3, 2]);
    expect(read(world).map(({ advantage }) => Math.round(advantage))).toEqual([800, -800, 2]);
  });

  it("throws at nothing that arrives", () => {
    const intake = createIntake({ spec: world, signatureLength: 28, limit: 5 });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(2), fc.nat(2), (bytes, to, from) => {
        expect(intake.open(to, { from, bytes }, 5)).toEqual([]);
      }),
    );
    expect(intake.refused.reduce((sum, count) => sum + count)).toBe(100);
  });

  it("goes on from a saved state", () => {
    const intake = createIntake({ spec: world, signatureLength: 28, limit: 2 });
    const [first, second, third] = [0, 1, 2].map((episode) => messageOf({ agent: 1, episode }));
    intake.open(0, { from: 1, bytes: first }, 0);
    const copy = createIntake({ spec: world, signatureLength: 28, limit: 2 });
    copy.restoreState(intake.exportState());
    expect([first, second, third].map((bytes) => copy.open(0, { from: 1, bytes }, 0).length)).toEqual([0, 1, 0]);
    expect([copy.refusals.repeated[0], copy.refusals.flooded[0]]).toEqual([1, 1]);
    expect(() => copy.restoreState({})).toThrow("not that of an intake of 3 agents");
    expect(() => createIntake({ spec: world, signatureLength: 28, limit: 0 })).toThrow("limit must be");
  });
});
