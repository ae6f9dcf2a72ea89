import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { pendulum, swing } from "./pendulum.ts";

/** A world put into a state: θ, θ̇ and the steps played. */
function placed(angle: number, speed: number, played = 0) {
  const world = pendulum();
  world.restore(new Uint8Array(Float64Array.of(angle, speed, 0, played).buffer), 0);
  return world;
}
const stateOf = (world: ReturnType<typeof pendulum>) => {
  const bytes = new Uint8Array(world.snapshotBytes);
  world.snapshot(bytes, 0);
  return [...new Float64Array(bytes.buffer)];
};
/** θ and θ̇ after one step, and what it pays. */
function swung(angle: number, speed: number, torque: number, single = false) {
  const state = Float64Array.of(angle, speed);
  const reward = swing(state, torque, single);
  return [...state, reward];
}

describe("swing", () => {
  it("moves by numbers that can be followed by hand", () => {
    // Level, at rest, torque 1: θ̇ = (15·sin(π/2) + 3)·0.05 = 0.9, θ = π/2 + 0.9·0.05; pays −((π/2)² + 0.001).
    const level = Math.PI / 2;
    expect(swung(level, 0, 1)).toEqual([
      expect.closeTo(level + 0.045, 12),
      expect.closeTo(0.9, 12),
      expect.closeTo(-(level * level + 0.001), 12),
    ]);
    // Upright, 2 rad/s, no torque: the angle moves by the velocity after the step, here the same; pays −0.1·2².
    expect(swung(0, 2, 0)).toEqual([expect.closeTo(0.1, 12), 2, expect.closeTo(-0.4, 12)]);
  });

  it("takes a torque beyond 2 for 2, and no speed beyond 8", () => {
    for (const single of [true, false]) {
      expect(swung(1, 0.5, 7, single)).toEqual(swung(1, 0.5, 2, single));
      expect(swung(1, 0.5, -2.5, single)).toEqual(swung(1, 0.5, -2, single));
    }
    // 7.9 + 15·0.05 = 8.65, and as far the other way.
    expect(swung(Math.PI / 2, 7.9, 0)[1]).toBe(8);
    expect(swung(-Math.PI / 2, -7.9, 0)[1]).toBe(-8);
  });

  it("judges the angle without its whole turns, from −π on", () => {
    // Hanging at −π and at π is the same, π² away; a turn and 0.5 more is 0.5, whichever way it was made.
    expect(swung(-Math.PI, 0, 0)[2]).toBeCloseTo(-Math.PI * Math.PI, 12);
    expect(swung(Math.PI, 0, 0)[2]).toBeCloseTo(-Math.PI * Math.PI, 12);
    for (const turns of [-3, -1, 0, 2]) {
      expect(swung(2 * Math.PI * turns + 0.5, 0, 0)[2]).toBeCloseTo(-0.25, 12);
      expect(swung(2 * Math.PI * turns - 0.5, 0, 0)[2]).toBeCloseTo(-0.25, 12);
    }
  });

  it("rounds 3u, u² and 0.001·u² to float32 where the torque is one", () => {
    const u = Math.fround(0.7);
    const [angle, speed, reward] = swung(0, 0, u, true);
    expect(speed).toBe(Math.fround(3 * u) * 0.05);
    expect(angle).toBe(speed * 0.05);
    expect(reward).toBe(-Math.fround(Math.fround(0.001) * Math.fround(u * u)));
    expect(swung(0, 0, u, false)).not.toEqual([angle, speed, reward]);
  });

  it("is the same in a mirror", () => {
    const real = (most: number) => fc.double({ min: -most, max: most, noNaN: true });
    fc.assert(
      fc.property(real(3), real(8), real(3), fc.boolean(), (angle, speed, torque, single) => {
        const [a, b] = [swung(angle, speed, torque, single), swung(-angle, -speed, -torque, single)];
        expect(b[0] + a[0]).toBe(0);
        expect(b[1] + a[1]).toBe(0);
        expect(b[2]).toBeCloseTo(a[2], 12);
      }),
    );
  });
});

describe("pendulum", () => {
  it("starts anywhere, at up to 1 rad/s", () => {
    const world = pendulum();
    const starts = Array.from({ length: 400 }, (_, seed) => {
      world.reset(seed);
      return stateOf(world);
    });
    const [angles, speeds] = [starts.map(([angle]) => angle), starts.map(([, speed]) => speed)];
    expect(Math.min(...angles)).toBeGreaterThanOrEqual(-Math.PI);
    expect(Math.min(...angles)).toBeLessThan(-3);
    expect(Math.max(...angles)).toBeLessThan(Math.PI);
    expect(Math.max(...angles)).toBeGreaterThan(3);
    expect(Math.min(...speeds)).toBeGreaterThanOrEqual(-1);
    expect(Math.min(...speeds)).toBeLessThan(-0.97);
    expect(Math.max(...speeds)).toBeLessThan(1);
    expect(Math.max(...speeds)).toBeGreaterThan(0.97);
    expect(new Set(starts.map(String)).size).toBe(400);
  });

  it("shows cosine, sine and speed in float32", () => {
    const out = new Float32Array(5);
    placed(2, 1 / 3).observe(0, out, 1);
    expect([...out]).toEqual([0, ...[Math.cos(2), Math.sin(2), 1 / 3].map(Math.fround), 0]);
  });

  it("plays by float32 torques, and keeps what the step paid", () => {
    const world = placed(0.3, -1, 7);
    world.step(Float32Array.of(1.3));
    const [angle, speed, reward] = swung(0.3, -1, Math.fround(1.3), true);
    expect(stateOf(world)).toEqual([angle, speed, reward, 8]);
    expect(world.rewards[0]).toBe(reward);
  });

  it("is truncated after step 200 and never terminated", () => {
    const world = placed(0, 0, 198);
    world.step(Float32Array.of(0));
    expect([world.acting[0], world.truncated[0]]).toEqual([1, 0]);
    world.step(Float32Array.of(0));
    expect([world.acting[0], world.truncated[0], world.terminated[0]]).toEqual([0, 1, 0]);
  });

  it("refuses torques that are not finite and takes those beyond 2", () => {
    const world = placed(0.3, -1, 7);
    for (const torque of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      expect(() => world.step(Float32Array.of(torque))).toThrow(expect.objectContaining({ code: "illegal-action" }));
    }
    expect(stateOf(world)).toEqual([0.3, -1, 0, 7]);
    world.step(Float32Array.of(-3));
    expect(stateOf(world).slice(0, 2)).toEqual(swung(0.3, -1, -2, true).slice(0, 2));
  });

  it("draws the rod upright at 0, and to the left where it leans anticlockwise", () => {
    expect(placed(0, 0).svg?.()).toContain('x2="120" y2="20"');
    expect(placed(Math.PI / 2, 0).svg?.()).toContain('x2="30" y2="110"');
  });
});
