import { describe, expect, it } from "@jest/globals";
import type { Environment } from "@magic-mask/core";
import { type SimpleSpreadOptions, simpleSpread } from "./simple-spread.ts";

type Places = readonly (readonly [x: number, y: number])[];

/** Rewards and terminations after a step in which nobody moves: all are at rest. */
function after(places: Places, options: SimpleSpreadOptions): Environment {
  const world = simpleSpread({ N: places.length / 2, ...options });
  const state = new Float64Array(world.snapshotBytes / 8);
  state.set(places.flat());
  world.restore(new Uint8Array(state.buffer), 0);
  world.step(new Float32Array(world.agents.length));
  return world;
}

describe("simpleSpread", () => {
  const apart: Places = [
    [0, 0],
    [1, 0],
    [0, 0.5],
    [1, 0.25],
  ];
  /** 0.25 apart: they touch. Each landmark 1 above its agent. */
  const touching: Places = [
    [0, 0],
    [0.25, 0],
    [0, 1],
    [0.25, 1],
  ];

  it("pays all what the landmarks lack, and each what its own collisions cost", () => {
    // Landmarks 0.5 and 0.25 from their nearest agents: −0.75, of which half counts.
    expect([...after(apart, {}).rewards]).toEqual([-0.375, -0.375]);
    // −2 in all and −1 of their own: 0.75·(−2) + 0.25·(−1) = −1.75.
    expect([...after(touching, { localRatio: 0.25 }).rewards]).toEqual([-1.75, -1.75]);
    expect([...after(touching, { localRatio: 0 }).rewards]).toEqual([-2, -2]);
    expect([...after(touching, { localRatio: 1 }).rewards]).toEqual([-1, -1]);
  });

  it("counts every agent that is touched", () => {
    const row: Places = [
      [0, 0],
      [0.2, 0],
      [0.4, 0],
      [0, 1],
      [0.2, 1],
      [0.4, 1],
    ];
    // Half of −3, and half of −1, −2, −1: the outer ones are 0.4 apart.
    expect([...after(row, {}).rewards]).toEqual([-2, -2.5, -2]);
  });

  it("does not count centres that are exactly 0.3 apart", () => {
    const at = (x: number): Places => [
      [0, 0],
      [x, 0],
      [0, 1],
      [x, 1],
    ];
    expect([...after(at(0.3), { localRatio: 1 }).rewards].map(Math.abs)).toEqual([0, 0]);
    expect([...after(at(0.3 - 1e-12), { localRatio: 1 }).rewards]).toEqual([-1, -1]);
  });

  it("costs nothing to bump in stage 0 of the curriculum", () => {
    const own = (options: SimpleSpreadOptions) => Math.abs(after(touching, { localRatio: 1, ...options }).rewards[0]);
    expect(own({ curriculum: true })).toBe(0);
    expect(own({ curriculum: true, curriculumStage: 1 })).toBe(1);
  });

  it("terminates when every landmark has an agent nearer than 0.1, if it is asked to", () => {
    const near = (gap: number): Places => [
      [0, 0],
      [1, 0],
      [1, gap],
      [0, 0.05],
    ];
    const ends = (gap: number, options: SimpleSpreadOptions) => [...after(near(gap), options).terminated];
    expect(ends(0.09, { terminateOnSuccess: true })).toEqual([1, 1]);
    expect(ends(0.1, { terminateOnSuccess: true })).toEqual([0, 0]);
    expect(ends(0.09, {})).toEqual([0, 0]);
    const last = after(near(0.09), { terminateOnSuccess: true, maxCycles: 1 });
    expect([...last.terminated, ...last.truncated]).toEqual([0, 0, 1, 1]);
  });

  it("starts all within the square from −1 to 1, at rest", () => {
    const world = simpleSpread();
    const bytes = new Uint8Array(world.snapshotBytes);
    const all: number[] = [];
    for (let seed = 0; seed < 100; seed++) {
      world.reset(seed);
      world.snapshot(bytes, 0);
      all.push(...new Float64Array(bytes.buffer).subarray(0, 12));
      expect([...new Float64Array(bytes.buffer).subarray(12)]).toEqual(Array(9).fill(0));
    }
    expect(Math.min(...all)).toBeGreaterThanOrEqual(-1);
    expect(Math.min(...all)).toBeLessThan(-0.98);
    expect(Math.max(...all)).toBeLessThan(1);
    expect(Math.max(...all)).toBeGreaterThan(0.98);
  });
});

it("draws where agents are going inside of its picture", () => {
  const world = simpleSpread();
  world.reset(1);
  // All go left as long as it lasts: from then on at full speed, and far out.
  for (let t = 0; t < 25; t++) {
    if (world.acting[0]) world.step(Float32Array.of(1, 1, 1));
    const ends = [...(world.svg?.() ?? "").matchAll(/ [xy][12]="([^"]+)"/g)].map(([, end]) => Number(end));
    expect(ends).toHaveLength(4 * 3);
    for (const end of ends) expect(end).toBe(Math.min(Math.max(end, 0), 300));
  }
});
