import { describe, expect, it } from "@jest/globals";
import { isOver, stream } from "@magic-mask/core";
import { randomActions } from "@magic-mask/core/testing";
import fc from "fast-check";
import { type PongWallsOptions, pongWalls } from "./pong-walls.ts";

const [STAY, LEFT, RIGHT] = [0, 1, 2];
/** Positions in the state, as floats: ball x, y, its speed, ticks, points, who lost, chance, paddles, points lost. */
const PADDLES = 11;

function field(options: PongWallsOptions = {}) {
  const world = pongWalls(options);
  const N = world.agents.length;
  const bytes = new Uint8Array(world.snapshotBytes);
  const state = new Float64Array(bytes.buffer);
  world.reset(1);
  return {
    world,
    state,
    put(x: number, y: number, vx: number, vy: number, paddles: readonly number[] = []) {
      world.snapshot(bytes, 0);
      state.set([x, y, vx, vy]);
      state.set(paddles, PADDLES);
      world.restore(bytes, 0);
    },
    play(...actions: number[]) {
      world.step(Float32Array.from({ length: N }, (_, i) => actions[i] ?? STAY));
      world.snapshot(bytes, 0);
    },
    ball: () => [...state.subarray(0, 4)],
    seen(agent: number) {
      const out = new Float32Array(9);
      world.observe(agent, out, 0);
      return [...out];
    },
  };
}

const close = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 6));

describe("pongWalls", () => {
  it("returns a ball straight from a paddle's middle, 5 % faster, within the tick", () => {
    const { put, play, ball, world } = field({ agents: 4 });
    // .01 to the wall at .025 a tick: .4 of the tick there, .6 of it back at .02625.
    put(0.99, 0, 0.025, 0);
    play();
    expect(ball()).toEqual(close([1 - 0.6 * 0.02625, 0, -0.02625, 0]));
    expect([...world.rewards]).toEqual([0, 0, 0, 0]);
  });

  it("returns it 60° to the side from a paddle's end, never faster than 1/16", () => {
    const { put, play, ball } = field({ agents: 4 });
    // Half walls of a square are 1: the paddle around .5 ends at .8, which is the agent's right.
    put(1 - 1e-9, 0.8 - 1e-9, 1 / 16, 0, [0.5]);
    play();
    expect(ball().slice(2)).toEqual(close([-Math.cos(Math.PI / 3) / 16, Math.sin(Math.PI / 3) / 16]));
  });

  it("multiplies speeds at the serve and at most, and shows them alike", () => {
    const { put, play, ball, seen } = field({ agents: 4, speed: 1.5 });
    put(0, 0.99, 0, 0.05, [0, 0.31]);
    play();
    expect(Math.hypot(...ball().slice(2))).toBeCloseTo(1.5 / 40, 12);
    // 5 % more would be above 1.5/16.
    put(1 - 1e-9, 0, 1.5 / 16, 0);
    play();
    expect(ball()[2]).toBeCloseTo(-1.5 / 16, 12);
    expect(seen(0)[3]).toBeCloseTo(-1, 6);
  });

  it("is lost beside the paddle: −1, 1/(N − 1) to each other, and a serve from the middle at 1/40", () => {
    const { put, play, ball, world, state } = field({ agents: 4 });
    put(0, 0.99, 0, 0.05, [0, 0.31]);
    play();
    expect([...world.rewards]).toEqual([1 / 3, -1, 1 / 3, 1 / 3]);
    const [x, y, vx, vy] = ball();
    expect([x, y, Math.hypot(vx, vy)]).toEqual([0, 0, expect.closeTo(1 / 40, 12)]);
    expect(state[5]).toBe(1);
    play();
    expect([...world.rewards]).toEqual([0, 0, 0, 0]);
  });

  it("bounces off the dead walls of two agents as from a mirror", () => {
    const { put, play, ball, world } = field({ agents: 2 });
    put(0.2, 0.99, 0.01, 0.03);
    play();
    expect(ball()).toEqual(close([0.21, 1 - 0.02, 0.01, -0.03]));
    put(0.2, -0.99, 0.01, -0.03);
    play();
    expect(ball()).toEqual(close([0.21, -1 + 0.02, 0.01, 0.03]));
    // Into the left wall, which is the second agent's.
    put(-0.99, 0.9, -0.03, 0);
    play();
    expect([...world.rewards]).toEqual([1, -1]);
  });

  it("meets two walls in one tick in a corner", () => {
    const { put, play, ball } = field({ agents: 2 });
    put(0.99, 0.98, 0.03, 0.03, [0.7]);
    play();
    const [x, y, vx, vy] = ball();
    expect(Math.max(Math.abs(x), Math.abs(y))).toBeLessThan(1);
    expect(vx).toBeLessThan(0);
    expect(vy).toBeLessThan(0);
  });

  it("moves paddles by 1/16 of a half wall, to where they end with the wall", () => {
    const { play, state } = field({ agents: 3 });
    play(RIGHT, LEFT);
    expect([...state.subarray(PADDLES, PADDLES + 3)]).toEqual([1 / 16, -1 / 16, 0]);
    for (let k = 0; k < 20; k++) play(RIGHT, LEFT);
    expect([...state.subarray(PADDLES, PADDLES + 3)]).toEqual(close([0.7, -0.7, 0]));
  });

  it("shows each agent its own side", () => {
    const { put, seen } = field({ agents: 4 });
    put(0.5, 0.25, 1 / 32, 0, [0.1, 0.2, 0.3, 0.4]);
    const R = Math.SQRT2;
    // On the right, its right is up; on top, its right is to the left.
    expect(seen(0)).toEqual(close([0.25 / R, 0.5 / R, 0, 0.5, 0.1, 0.4, 0.2, 0.0625, 1 / Math.sqrt(3)]));
    expect(seen(1)).toEqual(close([-0.5 / R, 0.25 / R, -0.5, 0, 0.2, 0.1, 0.3, -0.125, 1 / Math.sqrt(3)]));
    const two = field({ agents: 2 });
    two.put(0.5, 0.25, 1 / 32, 0, [0.1, 0.2]);
    expect(two.seen(1).slice(0, 7)).toEqual(close([-0.25 / R, -0.5 / R, 0, -0.5, 0.2, 0.1, 0.1]));
  });

  it("is the same seen from any agent, if all is turned", () => {
    const N = 7;
    const turned = (k: number) => {
      const { put, play, seen } = field({ agents: N });
      const angle = (2 * Math.PI * k) / N;
      const [c, s] = [Math.cos(angle), Math.sin(angle)];
      const paddles = new Array<number>(N).fill(0);
      paddles[k] = 0.5;
      put(c * 0.9 - s * 0.2, s * 0.9 + c * 0.2, c * 0.06 - s * 0.01, s * 0.06 + c * 0.01, paddles);
      for (let t = 0; t < 12; t++) play();
      return seen(k);
    };
    for (let k = 1; k < N; k++) expect(turned(k)).toEqual(close(turned(0)));
  });

  it("keeps the ball in the field and the sum at 0, for any number of agents", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 64 }), fc.nat(), (agents, seed) => {
        const { world, seen } = field({ agents, points: 3, maxTicks: 150 });
        const choose = stream(seed, "actions");
        let [furthest, unbalanced] = [0, 0];
        for (world.reset(seed); !isOver(world); ) {
          world.step(randomActions(world, choose));
          unbalanced = Math.max(unbalanced, Math.abs(world.rewards.reduce((sum, reward) => sum + reward)));
          for (let agent = 0; agent < agents; agent++) furthest = Math.max(furthest, seen(agent)[1]);
        }
        expect(unbalanced).toBeLessThan(1e-12);
        // Never further toward a wall than the wall, whose distance is 1 where that of a corner is 1 / cos(π / walls).
        expect(furthest).toBeLessThanOrEqual(Math.cos(Math.PI / (agents === 2 ? 4 : agents)) + 1e-6);
      }),
      { numRuns: 10 },
    );
  });

  it("serves to every agent alike", () => {
    const world = pongWalls({ agents: 5, points: 500, maxTicks: 1e6 });
    const actions = new Float32Array(5);
    const lost = [0, 0, 0, 0, 0];
    for (world.reset(3); !isOver(world); ) {
      world.step(actions);
      const loser = world.rewards.indexOf(-1);
      if (loser >= 0) lost[loser]++;
    }
    // 100 each, give or take 4 standard deviations of √(500 · .2 · .8) ≈ 9.
    for (const count of lost) expect(Math.abs(count - 100)).toBeLessThan(36);
  });

  it("ends after its points, or its ticks", () => {
    const { world, put, play } = field({ agents: 3, points: 1, maxTicks: 2 });
    put(0, 0, 0, 0);
    play();
    expect([...world.acting]).toEqual([1, 1, 1]);
    put(0.99, 0.9, 0.06, 0);
    play();
    expect([...world.terminated, ...world.truncated]).toEqual([1, 1, 1, 1, 1, 1]);
    expect(() => play()).toThrow(expect.objectContaining({ code: "out-of-order" }));
  });
});

it("draws how many points each has lost", () => {
  const world = pongWalls({ agents: 3, points: 6 });
  world.reset(5);
  const lost = [0, 0, 0];
  while (world.acting[0]) {
    // Out of the way of most balls.
    world.step(Float32Array.of(1, 1, 2));
    const loser = world.rewards.indexOf(-1);
    if (loser >= 0) lost[loser]++;
    const shown = [...(world.svg?.() ?? "").matchAll(/>(\d+)<\/text>/g)].map(([, count]) => Number(count));
    expect(shown).toEqual(lost);
  }
  expect(lost.reduce((sum, count) => sum + count)).toBe(6);
});
