import { describe, expect, it } from "@jest/globals";
import { stream } from "@magic-mask/core";
import { createRecordBuffer, type RecordBuffer } from "./buffer.ts";
import { recordOf, world } from "./test-world.ts";
import { createTrust } from "./trust.ts";

/** y = .5·σ₃/127 + d_a + noise of standard deviation 1, d = (−.5, 0, .5): a signal of a fifth of the variance. */
const D = [-0.5, 0, 0.5];

type Tell = (y: number) => number;

/** A memory of agent 0: `own` records of its own, and of each peer as many as it tells, changed by what it makes of the truth. */
function memoryOf(seed: number, own: number, peers: Record<number, [count: number, tell: Tell]>, offset = 0) {
  const random = stream(seed, "test");
  const buffer = createRecordBuffer({ similarity: 1 });
  const hear = (agent: number, count: number, tell: Tell) => {
    for (let i = 0; i < count; i++) {
      const signature = Int8Array.from({ length: 28 }, () => random.below(255) - 127);
      const action = random.below(3);
      const y = offset + (0.5 * signature[3]) / 127 + D[action] + random.normal();
      insert(buffer, { agent, episode: Math.floor(i / 10), signature, action, advantage: tell(y) });
    }
  };
  hear(0, own, truth);
  for (const [agent, [count, tell]] of Object.entries(peers)) hear(Number(agent), count, tell);
  const trust = createTrust({ spec: world, agent: 0, buffer, random: stream(seed) });
  trust.refresh(0);
  return Object.assign(trust, { hear });
}

const insert = (buffer: RecordBuffer, record: Parameters<typeof recordOf>[0] & { agent: number }) =>
  buffer.insert(
    recordOf({
      role: record.agent === 2 ? 1 : 0,
      logProb: Math.log(1 / 3),
      perturbationLogProb: Math.log(1 / 3),
      blindProbability: 0.1,
      ...record,
    }),
  );

const truth = (y: number) => y;
const lie = (y: number) => -y;

describe("trust", () => {
  it("falls to nothing for who says the opposite, and stays for who says the truth", () => {
    for (const seed of [1, 2, 3]) {
      const { weights, evidence } = memoryOf(seed, 2000, { 1: [1000, lie], 2: [1000, truth] });
      expect(weights[0]).toBe(1);
      expect(weights[1]).toBe(0);
      expect(weights[2]).toBeGreaterThan(0.95);
      expect(Number.isNaN(evidence[0])).toBe(true);
      expect(evidence[1]).toBeLessThan(-5);
      expect(evidence[2]).toBeGreaterThan(5);
    }
  });

  it("falls for who exaggerates wildly, whatever it says", () => {
    const random = stream(5);
    const { weights } = memoryOf(4, 2000, { 1: [1000, () => (random.below(2) ? 100 : -100)], 2: [1000, truth] });
    expect(weights[1]).toBe(0);
    expect(weights[2]).toBeGreaterThan(0.95);
  });

  it("does not mind on what scale a friend speaks", () => {
    for (const factor of [0.3, 3]) {
      expect(memoryOf(4, 2000, { 1: [1000, (y) => factor * y], 2: [1000, truth] }).weights[1]).toBeGreaterThan(0.95);
    }
  });

  it("leaves a friend of whom little is known what it has: no evidence is none against it", () => {
    let sum = 0;
    for (let seed = 10; seed < 30; seed++) sum += memoryOf(seed, 200, { 1: [40, truth] }).weights[1];
    expect(sum / 20).toBeGreaterThan(0.9);
  });

  it("is surer the more the agent has seen itself", () => {
    const doubts = [100, 400, 1600].map((own) => memoryOf(6, own, { 1: [1000, lie] }).evidence[1]);
    expect(doubts[1]).toBeLessThan(doubts[0]);
    expect(doubts[2]).toBeLessThan(doubts[1]);
  });

  it("hears nobody more than the agent itself", () => {
    // Equal records: 500 of its own are as heavy as 500 of the peer's 2,000.
    expect(memoryOf(7, 500, { 1: [2000, truth] }).weights[1]).toBeCloseTo(0.25, 2);
  });

  it("hears no peer more than twice as much as the middle one", () => {
    // Of 300 and 2,000 records the lesser is in the middle: 600 of the 2,000 count, though the agent has as many of its own.
    const { weights } = memoryOf(7, 2000, { 1: [2000, truth], 2: [300, truth] });
    expect([weights[1], weights[2]]).toEqual([expect.closeTo(0.3, 2), expect.closeTo(1, 2)]);
  });

  it("says nothing before it has seen eight episodes, or heard of a peer", () => {
    const { weights, evidence } = memoryOf(8, 70, { 1: [500, lie] });
    expect(Array.from(evidence)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    // 70 of its own against 500: what remains is the limit to its own weight.
    expect(weights[1]).toBeCloseTo(0.14, 2);
    expect(Array.from(memoryOf(8, 500, {}).weights)).toEqual([1, 1, 1]);
  });

  it("knows at once who is heard for the first time, and who grows loud", () => {
    const trust = memoryOf(9, 2000, { 1: [1000, truth] });
    expect(Number.isNaN(trust.evidence[2])).toBe(true);
    trust.hear(2, 1000, lie);
    trust.update(0);
    expect([trust.weights[2], trust.weights[1] > 0.9]).toEqual([0, true]);
    // Thirty wild ones among a thousand: mean y² is 3·10⁶, of the others 1.
    trust.hear(1, 30, () => 1e4);
    trust.update(0);
    expect(trust.weights[1]).toBe(0);
  });

  it("looks again at whom it knows at every eighth call, or when there is half as much again to look at", () => {
    const trust = memoryOf(9, 2000, { 1: [1000, truth] });
    const looks = (count: number) =>
      Array.from({ length: count }, () => {
        const before = trust.evidence[1];
        trust.update(0);
        return trust.evidence[1] !== before;
      });
    trust.hear(1, 400, lie);
    expect(looks(8)).toEqual([false, false, false, false, false, false, false, true]);
    // 1,400 and 800 are more than half as much again.
    trust.hear(1, 800, lie);
    expect(looks(1)).toEqual([true]);
    trust.hear(1, 100, lie);
    const before = trust.evidence[1];
    trust.refresh(0);
    expect(trust.evidence[1]).not.toBe(before);
  });

  it("is not taken in by who tells the agent its own outcomes", () => {
    // Noise, and the same once more: what foretells an episode's outcomes is learned from other episodes.
    const random = stream(11);
    const buffer = createRecordBuffer({ similarity: 1 });
    for (let i = 0; i < 400; i++) {
      const signature = Int8Array.from({ length: 28 }, () => random.below(255) - 127);
      const record = { episode: Math.floor(i / 10), signature, action: random.below(3), advantage: random.normal() };
      insert(buffer, { agent: 0, ...record });
      insert(buffer, { agent: 1, ...record });
    }
    const { evidence, refresh } = createTrust({ spec: world, agent: 0, buffer, random: stream(11) });
    refresh(0);
    expect(Math.abs(evidence[1])).toBeLessThan(2.5);
  });

  it("tells what varies from what is always so", () => {
    // An offset ten times the signal: a penalty that lets the mean pass for a signal finds none.
    expect(memoryOf(12, 2000, { 1: [1000, truth] }, 5).evidence[1]).toBeGreaterThan(5);
  });

  it("goes on from a saved state", () => {
    const trust = memoryOf(1, 2000, { 1: [1000, lie] });
    const copy = createTrust({ spec: world, agent: 0, buffer: createRecordBuffer(), random: stream(1) });
    copy.restoreState(trust.exportState());
    expect(copy.exportState()).toEqual(trust.exportState());
    expect(() => copy.restoreState({})).toThrow("not that of trust in 3 agents");
  });
});
