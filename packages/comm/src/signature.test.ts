import { describe, expect, it } from "@jest/globals";
import { box, discrete, type EnvironmentSpec, multiDiscrete, stream } from "@magic-mask/core";
import fc from "fast-check";
import { createFeatures, createSignature } from "./signature.ts";
import { world } from "./test-world.ts";

const write = (
  spec: EnvironmentSpec,
  agent: number,
  observation: number[],
  policy: number[],
  value: number,
  valueScale = 1,
) => {
  const signature = createSignature(spec, { seed: 5, valueScale });
  const out = new Int8Array(signature.length).fill(99);
  const logs = Float32Array.from(policy, (p) => (p === 0 ? -1e9 : Math.log(p)));
  signature.write(agent, Float32Array.from(observation), 0, logs, 0, value, out, 0);
  return out;
};
const eight = (...values: number[]) => Array.from({ length: 8 }, (_, i) => values[i] ?? 0);
const uniform = [1 / 3, 1 / 3, 1 / 3];

describe("signature", () => {
  it("tells the policy's entropy and two largest probabilities, and the value", () => {
    // H = −.6 ln .6 − 2·.2 ln .2 = .9503; / ln 3 = .8650; · 127 = 109.9 → 110. .6 · 127 = 76.2 → 76; .2 · 127 = 25.4 → 25.
    // V = 3, scale 1: 3/4 · 127 = 95.25 → 95.
    expect(Array.from(write(world, 0, eight(), [0.2, 0.6, 0.2], 3).subarray(0, 4))).toEqual([110, 76, 25, 95]);
    // Certain: H = 0, largest 1, second 0. V = −3 at scale 3: −½ · 127 = −63.5, rounded up to −63.
    expect(Array.from(write(world, 0, eight(), [0, 1, 0], -3, 3).subarray(0, 4))).toEqual([0, 127, 0, -63]);
    expect(write(world, 0, eight(), uniform, 0)[0]).toBe(127);
  });

  it("tells what every action's probability is, to an eighth, where there are few", () => {
    // After 4 + 4 entries: .2 · 127 = 25.4, 1.4 steps of 18 → 18; .6 → 4.2 steps → 72. L = 4 + 4 + 3, in fours.
    expect(Array.from(write(world, 0, eight(), [0.2, 0.6, 0.2], 0).subarray(8))).toEqual([18, 72, 18, 0]);
    expect(write(world, 0, eight(), [0, 1, 0], 0)[9]).toBe(126);
    const many = { ...world, actionSpaces: [discrete(9), discrete(3), discrete(3)] };
    expect(write(many, 1, eight(), [0.2, 0.6, 0.2], 0).length).toBe(8);
    // Who has fewer actions leaves the rest at 0.
    const unlike = { ...world, actionSpaces: [discrete(5), discrete(3), discrete(3)] };
    expect(Array.from(write(unlike, 1, eight(), [0.2, 0.6, 0.2], 0).subarray(8))).toEqual([18, 72, 18, 0, 0, 0, 0, 0]);
  });

  it("projects the common features: G x / √F, quantised by 127/3 in steps of 18", () => {
    // G is drawn row by row from one stream; d = 5 − 1 = 4 rows of F = 5.
    const random = stream(5, "comm/signature");
    const G = Array.from({ length: 4 }, () => Array.from({ length: 5 }, () => random.normal()));
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: -1, max: 1, noNaN: true }), { minLength: 8, maxLength: 8 }),
        (observation) => {
          const sigma = write(world, 0, observation, uniform, 0);
          G.forEach((row, k) => {
            const z = row.reduce((sum, g, f) => sum + g * observation[f], 0) / Math.sqrt(5);
            // Half a step is 9 · 3/127 = .213; 127 itself is a whole one away from 126.
            expect(Math.abs((sigma[4 + k] * 3) / 127 - Math.max(-3, Math.min(3, z)))).toBeLessThanOrEqual(
              27 / 127 + 1e-6,
            );
            expect(Math.abs(sigma[4 + k]) % 18).toBe(0);
          });
        },
      ),
    );
  });

  it("is the same for every agent that sees the same, and differs between runs", () => {
    // The chaser has the five common features at 7, 6, 5, 4, 3.
    const mine = write(world, 0, eight(0.1, -0.9, 0.5, 1, 0.3, 0.7, 0.7, 0.7), [0.2, 0.3, 0.5], 1);
    const theirs = write(world, 2, eight(-0.4, -0.4, -0.4, 0.3, 1, 0.5, -0.9, 0.1), [0.2, 0.3, 0.5], 1);
    expect(theirs).toEqual(mine);
    const other = new Int8Array(12);
    const run = createSignature(world, { seed: 6 });
    run.write(
      0,
      Float32Array.from(eight(0.1, -0.9, 0.5, 1, 0.3)),
      0,
      Float32Array.from([0.2, 0.3, 0.5], Math.log),
      0,
      1,
      other,
      0,
    );
    expect(other.subarray(4, 8)).not.toEqual(mine.subarray(4, 8));
  });

  it("brings bounded features to [−1, 1] first", () => {
    // Bounds 0 … 10 and −1 … 1: 7.5 and .5 are the same place, 5 is 0.
    const wide = { ...world, observationSpaces: world.observationSpaces.map(() => box([8], 0, 10)) };
    const scaled = eight(0.5, -0.5, 1, 0, -1, 0, 0, 0);
    const raw = scaled.map((x) => 5 + 5 * x);
    expect(write(wide, 0, raw, uniform, 0)).toEqual(write(world, 0, scaled, uniform, 0));
    // Where agents declare different bounds, the widest serve for all.
    const mixed = { ...world, observationSpaces: [box([8], 2, 10), box([8], 0, 5), box([8], 1, 9)] };
    expect(write(mixed, 0, raw, uniform, 0)).toEqual(write(wide, 0, raw, uniform, 0));
    const open = {
      ...world,
      observationSpaces: world.observationSpaces.map(() => box([8], Number.NEGATIVE_INFINITY, 1)),
    };
    expect(write(open, 0, scaled, uniform, 0)).toEqual(write(world, 0, scaled, uniform, 0));
  });

  it("always has fewer dimensions than features, so that different states share a signature", () => {
    const withFeatures = (F: number | null) => ({
      ...world,
      observationSpaces: world.observationSpaces.map(() => box([40], -1, 1)),
      commonFeatures: F === null ? null : world.agents.map(() => Array.from({ length: F }, (_, f) => f)),
    });
    const dimensions = [null, 0, 1, 2, 5, 12, 13, 40].map(
      (F) => createSignature(withFeatures(F), { seed: 1 }).dimensions,
    );
    expect(dimensions).toEqual([0, 0, 0, 1, 4, 11, 12, 21]);
    for (const F of [null, 0, 1]) {
      const zeros = write(withFeatures(F), 0, new Array(40).fill(1), uniform, 0);
      // ⅓ · 127 = 42.3, 2.4 steps → 36.
      expect(Array.from(zeros.subarray(4))).toEqual([36, 36, 36, 0]);
    }
    // F = 2, d = 1: x = (g₂, −g₁)/c lies in the null space of (g₁, g₂).
    const random = stream(5, "comm/signature");
    const [g1, g2] = [random.normal(), random.normal()];
    const c = Math.max(Math.abs(g1), Math.abs(g2));
    const hidden = [g2 / c, -g1 / c, ...new Array(38).fill(0)];
    expect(write(withFeatures(2), 0, hidden, uniform, 0)).toEqual(
      write(withFeatures(2), 0, new Array(40).fill(0), uniform, 0),
    );
  });

  it("clamps, and writes nowhere else", () => {
    const open = {
      ...world,
      observationSpaces: world.observationSpaces.map(() => box([8], Number.NEGATIVE_INFINITY, 1)),
    };
    const far = write(open, 0, eight(1e6, 1e6, -1e6, 1e6, 1e6), uniform, 1e30);
    expect(far[3]).toBe(127);
    for (const x of far.subarray(4, 8)) expect(Math.abs(x)).toBe(126);
    const out = new Int8Array(16).fill(99);
    const log = Float32Array.from(uniform, Math.log);
    createSignature(world, { seed: 5 }).write(0, new Float32Array(8), 0, log, 0, 0, out, 2);
    expect([out[0], out[1], out[14], out[15]]).toEqual([99, 99, 99, 99]);
  });

  it("reads its rows at their offsets", () => {
    const observations = Float32Array.from([...eight(9), ...eight(0.1, 0.2, 0.3)]);
    const policy = Float32Array.from([...uniform, 0.2, 0.3, 0.5], Math.log);
    const out = new Int8Array(12);
    createSignature(world, { seed: 5 }).write(0, observations, 8, policy, 3, 2, out, 0);
    expect(out).toEqual(write(world, 0, eight(0.1, 0.2, 0.3), [0.2, 0.3, 0.5], 2));
  });

  it("refuses what it cannot tell", () => {
    expect(() => write(world, 0, eight(Number.NaN), uniform, 0)).toThrow("not finite");
    expect(() => write(world, 0, eight(), uniform, Number.NaN)).toThrow("not finite");
    expect(() => write(world, 0, eight(), uniform, Number.POSITIVE_INFINITY)).toThrow("not finite");
    expect(() => write(world, 0, eight(), [Number.NaN, 0.5, 0.5], 0)).toThrow("not finite");
    expect(() => createSignature(world, { seed: 1, valueScale: 0 })).toThrow(
      "valueScale must be finite and > 0, got 0",
    );
    const moving = { ...world, actionSpaces: [discrete(3), discrete(3), multiDiscrete(2, 2)] };
    expect(() => createSignature(moving, { seed: 1 })).toThrow(
      "needs discrete actions or candidates, got multi-discrete",
    );
  });
});

describe("features", () => {
  const tell = (spec: EnvironmentSpec, agent: number, observation: number[], policy: number[]) => {
    const features = createFeatures(spec);
    const out = new Int8Array(features.length + 2).fill(99);
    const logs = Float32Array.from(policy, (p) => (p === 0 ? -1e9 : Math.log(p)));
    features.write(agent, Float32Array.from(observation), 0, logs, 0, 3, out, 1);
    expect([out[0], out.at(-1)]).toEqual([99, 99]);
    return Array.from(out.subarray(1, -1));
  };

  it("are the head of a signature, the common features and every action's probability", () => {
    // 4 + 5 features + 3 actions = 12 entries; 32 are more than any signature has. .2 · 127 = 25.4, .6 · 127 = 76.2; −.5 · 127 = −63.5, rounded up.
    const told = tell(world, 0, eight(1, -0.5, 0, 0.25, 2), [0.2, 0.6, 0.2]);
    expect(told).toEqual([110, 76, 25, 95, 127, -63, 0, 32, 127, 25, 76, 25, ...new Array(20).fill(0)]);
    // The chaser sees the same things at 7, 6, 5, 4, 3.
    expect(tell(world, 2, [0, 0, 0, 2, 0.25, 0, -0.5, 1], [0.2, 0.6, 0.2])).toEqual(told);
    expect(createFeatures(world).dimensions).toBe(5);
  });

  it("are whole observations where nothing is common, brought from their bounds", () => {
    const apart = {
      ...world,
      commonFeatures: null,
      observationSpaces: [box([2], 0, 10), box([2], 0, 10), box([1], 0, 10)],
    };
    // 7.5 → ½ → 63.5 → 64; 0 → −1.
    expect(tell(apart, 0, [7.5, 0], [1, 0, 0]).slice(4)).toEqual([64, -127, 127, 0, 0, ...new Array(23).fill(0)]);
    expect(tell(apart, 2, [5], [1, 0, 0]).slice(4)).toEqual([0, 0, 127, 0, 0, ...new Array(23).fill(0)]);
    const open = { ...apart, observationSpaces: [box([1], 0, Number.POSITIVE_INFINITY)], agents: ["a"], roles: ["a"] };
    // 3 / (1 + 3) · 127 = 95.25.
    expect(tell({ ...open, actionSpaces: [discrete(3)] }, 0, [3], [1, 0, 0])[4]).toBe(95);
  });

  it("refuse what a record has no room for, and what is no number", () => {
    const wide = {
      ...world,
      commonFeatures: null,
      observationSpaces: world.observationSpaces.map(() => box([106], 0, 1)),
    };
    // 4 + 106 + 3 = 113 → 116 > 112.
    expect(() => createFeatures(wide)).toThrow("takes 116 bytes, and a record has room for 112");
    expect(() => tell(world, 0, eight(Number.NaN), uniform)).toThrow("is not finite");
    expect(() => createFeatures(world, { valueScale: 0 })).toThrow("valueScale must be finite and > 0, got 0");
  });
});
