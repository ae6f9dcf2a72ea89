import { describe, expect, it } from "@jest/globals";
import { cartPole, push } from "./cart-pole.ts";

const LEFT = new Float32Array([0]);
const RIGHT = new Float32Array([1]);

/** A world put into a state that it may be stepped from: x, ẋ, θ, θ̇ and the steps played. */
function placed(state: readonly number[], options = {}) {
  const world = cartPole(options);
  world.restore(new Uint8Array(Float64Array.of(...state, 0).buffer), 0);
  return world;
}

const stateOf = (world: ReturnType<typeof cartPole>) => {
  const bytes = new Uint8Array(world.snapshotBytes);
  world.snapshot(bytes, 0);
  return [...new Float64Array(bytes.buffer)];
};

describe("push", () => {
  it("accelerates an upright pole at rest by numbers that can be followed by hand", () => {
    // θ = θ̇ = 0: t = 10/1.1; θ̈ = −t / (0.5·(4/3 − 0.1/1.1)) = −14.634146…; ẍ = t + 0.05·14.634146/1.1 = 9.756097…
    const state = new Float64Array(4);
    push(state, 10);
    expect([...state]).toEqual([
      0,
      expect.closeTo(0.02 * 9.756097560976, 12),
      0,
      expect.closeTo(-0.02 * 14.634146341463, 12),
    ]);
  });

  it("moves cart and pole by the velocities from before the step", () => {
    const state = new Float64Array([1, 3, 0.1, -2]);
    push(state, -10);
    expect([state[0], state[2]]).toEqual([expect.closeTo(1.06, 12), expect.closeTo(0.06, 12)]);
  });

  it("lets a leaning pole fall further, the faster the further it leans", () => {
    const fall = (angle: number) => {
      const state = new Float64Array([0, 0, angle, 0]);
      push(state, 0);
      return state[3];
    };
    expect(fall(0.1)).toBeGreaterThan(0);
    expect(fall(0.2)).toBeGreaterThan(fall(0.1));
    expect(fall(-0.1)).toBeCloseTo(-fall(0.1), 12);
  });

  it("is the same in a mirror", () => {
    const [a, b] = [new Float64Array([0.3, -1, 0.05, 0.7]), new Float64Array([-0.3, 1, -0.05, -0.7])];
    push(a, 10);
    push(b, -10);
    expect([...b]).toEqual([...a].map((x) => -x));
  });
});

describe("cartPole", () => {
  it("starts within 0.05 of rest, elsewhere for another seed", () => {
    const world = cartPole();
    const starts = Array.from({ length: 200 }, (_, seed) => {
      world.reset(seed);
      return stateOf(world).slice(0, 4);
    });
    const all = starts.flat();
    expect(Math.min(...all)).toBeGreaterThanOrEqual(-0.05);
    expect(Math.max(...all)).toBeLessThan(0.05);
    expect(Math.min(...all)).toBeLessThan(-0.048);
    expect(Math.max(...all)).toBeGreaterThan(0.048);
    expect(new Set(starts.map(String)).size).toBe(200);
  });

  it("shows the float32 casts of its state", () => {
    const world = placed([0.1, 0.2, -0.03, 1 / 3, 7]);
    const out = new Float32Array(6);
    world.observe(0, out, 1);
    expect([...out]).toEqual([0, ...[0.1, 0.2, -0.03, 1 / 3].map(Math.fround), 0]);
  });

  const angle = (12 * 2 * Math.PI) / 360;
  it.each([
    ["on the right edge", [2.4, 0, 0, 0], 0],
    ["on the left edge", [-2.4, 0, 0, 0], 0],
    ["beyond the right edge", [2.4 + 1e-15, 0, 0, 0], 1],
    ["beyond the left edge", [-2.4 - 1e-15, 0, 0, 0], 1],
    ["at twelve degrees", [0, 0, angle, 0], 0],
    ["at minus twelve degrees", [0, 0, -angle, 0], 0],
    ["beyond twelve degrees", [0, 0, angle + 1e-15, 0], 1],
    ["beyond minus twelve degrees", [0, 0, -angle - 1e-15, 0], 1],
  ])("%s a step ends the episode or not: %j → %d", (_, before, fallen) => {
    // Without velocities positions do not move in one step.
    const world = placed([...before, 3]);
    expect(world.acting[0]).toBe(1);
    world.step(RIGHT);
    expect([...world.terminated, ...world.acting, ...world.rewards]).toEqual([fallen, 1 - fallen, 1]);
  });

  it("pays 1 for the step in which it falls too; Sutton and Barto's reward is −1 there and 0 before", () => {
    const edge = [2.39, 1, 0, 0, 5];
    const inside = [0, 0, 0, 0, 5];
    const rewardsOf = (state: number[], options = {}) => {
      const world = placed(state, options);
      world.step(LEFT);
      return [...world.rewards, ...world.terminated];
    };
    expect([rewardsOf(edge), rewardsOf(inside)]).toEqual([
      [1, 1],
      [1, 0],
    ]);
    const sutton = { suttonBartoReward: true };
    expect([rewardsOf(edge, sutton), rewardsOf(inside, sutton)]).toEqual([
      [-1, 1],
      [0, 0],
    ]);
  });

  it("is truncated after step 500 and not before, terminated as well if it falls just then", () => {
    const flags = (world: ReturnType<typeof cartPole>) => [...world.terminated, ...world.truncated, ...world.acting];
    const world = placed([0, 0, 0, 0, 498]);
    world.step(LEFT);
    expect(flags(world)).toEqual([0, 0, 1]);
    world.step(RIGHT);
    expect(flags(world)).toEqual([0, 1, 0]);
    expect(() => world.step(LEFT)).toThrow(expect.objectContaining({ code: "out-of-order" }));
    const both = placed([2.39, 1, 0, 0, 499]);
    both.step(LEFT);
    expect(flags(both)).toEqual([1, 1, 0]);
  });

  it("refuses other pushes and leaves the cart where it is", () => {
    const world = placed([0.1, 0.2, 0.03, 0.4, 7]);
    for (const action of [-1, 2, 0.5, Number.NaN]) {
      expect(() => world.step(new Float32Array([action]))).toThrow(expect.objectContaining({ code: "illegal-action" }));
    }
    expect(stateOf(world)).toEqual([0.1, 0.2, 0.03, 0.4, 7, 0]);
  });
});
