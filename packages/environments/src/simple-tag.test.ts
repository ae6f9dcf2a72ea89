import { describe, expect, it } from "@jest/globals";
import { boxSize, type Environment } from "@magic-mask/core";
import { outside, type SimpleTagOptions, simpleTag } from "./simple-tag.ts";

type Places = readonly (readonly [x: number, y: number])[];

/** The world after a step in which nobody moves: all are at rest, and there are no obstacles. */
function after(places: Places, options: SimpleTagOptions, actions: readonly number[] = []): Environment {
  const world = simpleTag({ numObstacles: 0, ...options });
  const state = new Float64Array(world.snapshotBytes / 8);
  state.set(places.flat());
  world.restore(new Uint8Array(state.buffer), 0);
  world.step(Float32Array.from({ length: places.length }, (_, i) => actions[i] ?? 0));
  return world;
}
/** What the agent sees of itself and of others. */
const seenBy = (world: Environment, agent: number) => {
  const out = new Float32Array(boxSize(world.observationSpaces[agent]));
  world.observe(agent, out, 0);
  return [...out];
};

describe("outside", () => {
  it("is 0 below 0.9, then grows to 1 in a straight line, then as e^(2x − 2) up to 10", () => {
    expect([outside(0), outside(0.89)]).toEqual([0, 0]);
    expect(outside(0.95)).toBeCloseTo(0.5, 12);
    expect(outside(1)).toBe(1);
    expect(outside(1.5)).toBeCloseTo(Math.E, 12);
    // e^(2x − 2) = 10 at x = 1 + ln 10 / 2 = 2.151….
    expect(outside(2.15)).toBeCloseTo(Math.exp(2.3), 12);
    expect([outside(2.16), outside(100)]).toEqual([10, 10]);
  });
});

describe("simpleTag", () => {
  const crowd: Places = [
    [0, 0],
    [0.2, 0],
    [0.5, 0.5],
    [0.1, 0],
    [0.5, 0.4],
  ];
  const two = { numGood: 2, numAdversaries: 3 };

  it("pays every hunter 10 for each pair that touches, and takes 10 from a prey for each hunter at it", () => {
    // agent_0 touches adversaries 0 and 1 (0.1 away), agent_1 adversary 2 (0.1): three pairs.
    expect([...after(crowd, two).rewards]).toEqual([30, 30, 30, -20, -10]);
  });

  it("does not count centres that are exactly 0.125 apart", () => {
    const at = (x: number): Places => [
      [0, 0],
      [x, 0],
    ];
    expect([...after(at(0.125), { numAdversaries: 1 }).rewards]).toEqual([0, 0]);
    expect([...after(at(0.1249), { numAdversaries: 1 }).rewards]).toEqual([10, -10]);
  });

  it("takes from prey, and from no hunter, for leaving, on each axis", () => {
    const places: Places = [
      [4, 4],
      [-0.95, 1.5],
    ];
    const [hunter, prey] = after(places, { numAdversaries: 1 }).rewards;
    expect(hunter).toBe(0);
    expect(prey).toBeCloseTo(-0.5 - Math.E, 12);
  });

  it("shows all others, and the velocities of the prey among them", () => {
    const world = after(crowd, two, [0, 0, 0, 0, 4]);
    expect(world.observationSpaces.map(boxSize)).toEqual([16, 16, 16, 14, 14]);
    // Prey see the one other prey's velocity, hunters both.
    const velocity = seenBy(world, 4).slice(0, 2);
    expect(velocity[1]).toBeGreaterThan(0.1);
    expect(seenBy(world, 3).slice(-2)).toEqual(velocity);
    expect(seenBy(world, 0).slice(-4)).toEqual([...seenBy(world, 3).slice(0, 2), ...velocity]);
    expect(seenBy(world, 0).slice(4, 12)).toEqual([0.2, 0, 0.5, 0.5, 0.1, 0, 0.5, 0.4].map(Math.fround));
  });

  it("has zeros for the velocities of hunters where only the nearest are seen", () => {
    const world = after(crowd, { ...two, numAgentNeighbors: 2 }, [2, 0, 0, 2, 0]);
    // The nearest to adversary_1 are agent_0 and adversary_0, both 0.1 and 0.2 to the left.
    const [x, y] = seenBy(world, 3);
    expect(seenBy(world, 1).slice(4)).toEqual([Math.fround(-0.1), 0, Math.fround(-0.2), 0, x, y, 0, 0]);
  });

  it("slows the prey in the first stages of the curriculum", () => {
    const places: Places = [
      [3, 3],
      [0, 0],
    ];
    const speed = (options: SimpleTagOptions) => seenBy(after(places, { numAdversaries: 1, ...options }, [2, 2]), 1)[0];
    // accel 4 for 0.1 s, times 0.5, 0.75 and 1.
    expect(speed({})).toBeCloseTo(0.4, 6);
    expect([0, 1, 2].map((curriculumStage) => speed({ curriculum: true, curriculumStage }))).toEqual([
      expect.closeTo(0.2, 6),
      expect.closeTo(0.3, 6),
      expect.closeTo(0.4, 6),
    ]);
    // The limit too: 1.3·0.5, after many steps.
    const world = after(places, { numAdversaries: 1, curriculum: true }, [2, 2]);
    for (let t = 0; t < 20; t++) world.step(Float32Array.of(2, 2));
    expect(seenBy(world, 1)[0]).toBeCloseTo(0.65, 6);
    expect(seenBy(world, 0)[0]).toBeCloseTo(1, 6);
  });

  it("terminates when all prey are touched at once, if it is asked to", () => {
    const ends = (places: Places) => after(places, { ...two, terminateOnSuccess: true }).terminated[0];
    expect(ends(crowd)).toBe(1);
    expect(ends([...crowd.slice(0, 4), [0.9, 0.9]])).toBe(0);
    expect(after(crowd, two).terminated[0]).toBe(0);
  });

  it("starts agents within the square from −1 to 1 and obstacles from −0.9 to 0.9", () => {
    const world = simpleTag();
    const bytes = new Uint8Array(world.snapshotBytes);
    const starts = Array.from({ length: 200 }, (_, seed) => {
      world.reset(seed);
      world.snapshot(bytes, 0);
      return [...new Float64Array(bytes.buffer)].map(Math.abs);
    });
    const most = (from: number, to: number) => Math.max(...starts.flatMap((state) => state.slice(from, to)));
    expect(most(0, 8)).toBeGreaterThan(0.99);
    expect(most(0, 8)).toBeLessThanOrEqual(1);
    expect(most(8, 12)).toBeGreaterThan(0.88);
    expect(most(8, 12)).toBeLessThanOrEqual(0.9);
  });
});
