import { describe, expect, it } from "@jest/globals";
import { boxSize, type Environment } from "@magic-mask/core";
import fc from "fast-check";
import { penetration } from "./particle-world.ts";
import { simpleSpread } from "./simple-spread.ts";
import { simpleTag } from "./simple-tag.ts";

type Places = readonly (readonly [x: number, y: number])[];

/** Puts a world into a state that it may be stepped from. */
function place(world: Environment, entities: Places, velocities: Places = [], played = 0): Environment {
  const state = new Float64Array(world.snapshotBytes / 8);
  state.set(entities.flat());
  state.set(velocities.flat(), 2 * entities.length);
  state[state.length - 1] = played;
  world.restore(new Uint8Array(state.buffer), 0);
  return world;
}

const stateOf = (world: Environment) => {
  const bytes = new Uint8Array(world.snapshotBytes);
  world.snapshot(bytes, 0);
  return new Float64Array(bytes.buffer);
};
const positionsOf = (world: Environment) => [...stateOf(world).subarray(0, 2 * world.agents.length)];
const velocitiesOf = (world: Environment) => [...stateOf(world).subarray(-3 - 2 * world.agents.length, -3)];
const seenBy = (world: Environment, agent: number) => {
  const out = new Float32Array(boxSize(world.observationSpaces[agent]));
  world.observe(agent, out, 0);
  return [...out];
};
const far: Places = [
  [5, 5],
  [-5, 5],
  [5, -5],
];
/** The places of agents, with landmarks far away. */
const away = (agents: Places): Places => [...agents, ...far.slice(0, agents.length)];

describe("penetration", () => {
  it("is ln 2 / 1000 where two just touch, the overlap deep inside, and e^(−gap/k)/1000 far outside", () => {
    expect(penetration(0)).toBeCloseTo(Math.LN2 / 1000, 18);
    // 0.001·ln(1 + e¹⁰⁰) = 0.1 + 0.001·ln(1 + e⁻¹⁰⁰) = 0.1.
    expect(penetration(-0.1)).toBeCloseTo(0.1, 15);
    // ln(1 + x) ≈ x: e⁻⁵⁰ / 1000.
    expect(penetration(0.05) / (Math.exp(-50) / 1000)).toBeCloseTo(1, 12);
    expect(penetration(0.746)).toBe(0);
  });
});

describe("one step", () => {
  it("moves by the velocity before it, then damps, then pushes", () => {
    // p = 0.2 + 0.1·1; v = 0.75·1 + 0.1·5 to the right; in y nothing pushes: 0.75·(−2).
    const world = place(simpleSpread({ N: 1 }), away([[0.2, 0]]), [[1, -2]]);
    world.step(Float32Array.of(2));
    expect(positionsOf(world)).toEqual([expect.closeTo(0.3, 12), expect.closeTo(-0.2, 12)]);
    expect(velocitiesOf(world)).toEqual([expect.closeTo(1.25, 12), expect.closeTo(-1.5, 12)]);
  });

  it.each([
    [0, 0, 0],
    [1, -0.5, 0],
    [2, 0.5, 0],
    [3, 0, -0.5],
    [4, 0, 0.5],
  ])("action %d pushes to (%d, %d)", (action, x, y) => {
    const world = place(simpleSpread({ N: 1 }), away([[0, 0]]));
    world.step(Float32Array.of(action));
    expect(velocitiesOf(world)).toEqual([x, y]);
  });

  it("pushes apart those that overlap, each with what the other gets", () => {
    // 0.2 apart with radii 0.15: sunk in by 0.1, F = 100·0.1 = 10 along x, v = 0.1·10 = 1.
    const places = away([
      [0, 0],
      [0.2, 0],
    ]);
    const world = place(simpleSpread({ N: 2 }), places);
    world.step(Float32Array.of(0, 0));
    expect(velocitiesOf(world)).toEqual([expect.closeTo(-1, 9), 0, expect.closeTo(1, 9), 0]);
    // Not yet moved: the push shows one step later.
    expect(positionsOf(world)).toEqual([0, 0, 0.2, 0]);
    world.step(Float32Array.of(0, 0));
    expect(positionsOf(world)).toEqual([expect.closeTo(-0.1, 9), 0, expect.closeTo(0.3, 9), 0]);
  });

  it("bumps into solid landmarks, which stay, and not into others", () => {
    // A prey 0.2 from the centre of an obstacle: radii 0.05 + 0.2, sunk in by 0.05, F = 5, v = 0.5.
    const tag = place(simpleTag({ numAdversaries: 1, numObstacles: 1 }), [
      [9, 9],
      [0.2, 0],
      [0, 0],
    ]);
    tag.step(Float32Array.of(0, 0));
    expect(velocitiesOf(tag)).toEqual([0, 0, expect.closeTo(0.5, 9), 0]);
    expect([...stateOf(tag)].slice(4, 6)).toEqual([0, 0]);
    const spread = place(simpleSpread({ N: 1 }), [
      [0, 0],
      [0.01, 0],
    ]);
    spread.step(Float32Array.of(0));
    expect(velocitiesOf(spread)).toEqual([0, 0]);
  });

  it("shortens velocities beyond the limit and keeps their direction", () => {
    // Hunters: 0.75·(1.2, 1.6) = (0.9, 1.2), 1.5 long, to 1: (0.6, 0.8). Prey: 0.75·(0, 2) = 1.5 to 1.3.
    const world = place(
      simpleTag({ numAdversaries: 1, numObstacles: 0 }),
      [
        [0, 0],
        [3, 3],
      ],
      [
        [1.2, 1.6],
        [0, 2],
      ],
    );
    world.step(Float32Array.of(0, 0));
    expect(velocitiesOf(world)).toEqual([expect.closeTo(0.6, 12), expect.closeTo(0.8, 12), 0, expect.closeTo(1.3, 12)]);
  });

  it("makes NaN of centres that coincide", () => {
    const world = place(
      simpleSpread({ N: 2 }),
      away([
        [0.1, 0.1],
        [0.1, 0.1],
      ]),
    );
    world.step(Float32Array.of(0, 0));
    expect(velocitiesOf(world)).toEqual(Array(4).fill(Number.NaN));
  });

  it("moves the centre of all by what they push, however they bump into each other", () => {
    const real = fc.integer({ min: -300, max: 300 }).map((x) => x / 1000);
    const three = fc.array(fc.tuple(real, real), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(three, three, (places, velocities) => {
        fc.pre(new Set(places.map(String)).size === 3);
        const world = place(simpleSpread(), away(places), velocities);
        world.step(Float32Array.of(0, 2, 4));
        const after = velocitiesOf(world);
        const sum = (k: number) => after[k] + after[k + 2] + after[k + 4];
        const before = (k: number) => velocities.reduce((total, v) => total + v[k], 0);
        expect(sum(0)).toBeCloseTo(0.75 * before(0) + 0.5, 9);
        expect(sum(1)).toBeCloseTo(0.75 * before(1) + 0.5, 9);
      }),
      { numRuns: 50 },
    );
  });
});

describe("continuous actions", () => {
  const make = () => place(simpleSpread({ N: 1, continuousActions: true }), away([[0, 0]]));

  it("push by differences in float32, the first number unused", () => {
    const world = make();
    world.step(Float32Array.of(1, 0.1, 0.7, 0.9, 0.3));
    const [a, b] = [Math.fround(0.7) - Math.fround(0.1), Math.fround(0.3) - Math.fround(0.9)].map(Math.fround);
    expect(velocitiesOf(world)).toEqual([a * 5 * 0.1, b * 5 * 0.1]);
  });

  it("count as the nearest bound outside [0, 1] and are illegal where they are not finite", () => {
    const world = make();
    world.step(Float32Array.of(9, -3, 4, 1.5, 0.5));
    expect(velocitiesOf(world)).toEqual([0.5, -0.25]);
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      for (let k = 0; k < 5; k++) {
        const action = new Float32Array(5);
        action[k] = bad;
        expect(() => world.step(action)).toThrow(expect.objectContaining({ code: "illegal-action" }));
      }
    }
    expect(velocitiesOf(world)).toEqual([0.5, -0.25]);
  });

  it("that are all or nothing play what discrete ones play", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(4), { minLength: 30, maxLength: 30 }), fc.nat(99), (choices, seed) => {
        const [discrete, continuous] = [simpleTag(), simpleTag({ continuousActions: true })];
        discrete.reset(seed);
        continuous.reset(seed);
        for (let t = 0; t < 7; t++) {
          const chosen = choices.slice(4 * t, 4 * t + 4);
          discrete.step(Float32Array.from(chosen));
          continuous.step(Float32Array.from(chosen.flatMap((choice) => [0, 1, 2, 3, 4].map((k) => +(k === choice)))));
        }
        expect([...stateOf(continuous)]).toEqual([...stateOf(discrete)]);
      }),
      { numRuns: 20 },
    );
  });
});

describe("what is seen", () => {
  const three: Places = [
    [0, 0],
    [1, 0.5],
    [-0.5, 0],
    [0.25, 0],
    [2, 2],
    [0, -1],
  ];
  const moving: Places = [
    [0.125, 0],
    [0, 0.25],
    [0.5, 0.5],
  ];

  it("is velocity, position, landmarks, others and their silence", () => {
    const world = place(simpleSpread(), three, moving);
    const [landmarks, others, silence] = [
      [0.25, 0, 2, 2, 0, -1],
      [1, 0.5, -0.5, 0],
      [0, 0, 0, 0],
    ];
    expect(seenBy(world, 0)).toEqual([0.125, 0, 0, 0, ...landmarks, ...others, ...silence]);
    expect(seenBy(world, 1)).toEqual([
      0, 0.25, 1, 0.5, -0.75, -0.5, 1, 1.5, -1, -1.5, -1, -0.5, -1.5, -0.5, 0, 0, 0, 0,
    ]);
  });

  it("is the nearest only, the nearest first, with zeros for those that there are not", () => {
    const nearest = place(simpleSpread({ numAgentNeighbors: 1, numLandmarkNeighbors: 2 }), three, moving);
    expect(seenBy(nearest, 0)).toEqual([0.125, 0, 0, 0, 0.25, 0, 0, -1, -0.5, 0, 0, 0]);
    const more = place(simpleSpread({ numAgentNeighbors: 3, numLandmarkNeighbors: 4 }), three, moving);
    const [landmarks, others] = [
      [0.25, 0, 0, -1, 2, 2, 0, 0],
      [-0.5, 0, 1, 0.5, 0, 0],
    ];
    expect(seenBy(more, 0)).toEqual([0.125, 0, 0, 0, ...landmarks, ...others, 0, 0, 0, 0, 0, 0]);
  });

  it("changes its order as agents move", () => {
    const world = simpleSpread({ numAgentNeighbors: 1, numLandmarkNeighbors: 1 });
    expect(seenBy(place(world, three), 0).slice(4, 8)).toEqual([0.25, 0, -0.5, 0]);
    const moved = [three[0], [0.25, 0], three[2], [3, 0], three[4], [0.5, 0]] as Places;
    expect(seenBy(place(world, moved), 0).slice(4, 8)).toEqual([0.5, 0, 0.25, 0]);
  });

  it("is the first of those that are as near", () => {
    const world = simpleSpread({ N: 2, numLandmarkNeighbors: 1 });
    const places: Places = [
      [0, 0],
      [3, 3],
      [0, 0.5],
      [0.5, 0],
    ];
    expect(seenBy(place(world, places), 0).slice(4, 6)).toEqual([0, 0.5]);
  });
});

describe("the end", () => {
  it("comes by the clock after maxCycles steps, even if the task is done just then", () => {
    const done = away([[0, 0]]);
    const world = place(simpleSpread({ N: 1, maxCycles: 3 }), done, [], 1);
    world.step(Float32Array.of(0));
    expect([...world.acting, ...world.truncated]).toEqual([1, 0]);
    world.step(Float32Array.of(0));
    expect([...world.acting, ...world.truncated, ...world.terminated]).toEqual([0, 1, 0]);
  });
});

describe("common features", () => {
  it("are all of it where all are alike or only the nearest are seen, else what stands before the list of others", () => {
    const lengths = (world: Environment) => world.commonFeatures?.map((row) => row.length);
    expect(lengths(simpleSpread())).toEqual([18, 18, 18]);
    expect(lengths(simpleTag())).toEqual([8, 8, 8, 8]);
    // 4 + 2·2 landmarks + 2·2 others + 2·2 velocities.
    expect(lengths(simpleTag({ numAgentNeighbors: 2 }))).toEqual([16, 16, 16, 16]);
  });
});
