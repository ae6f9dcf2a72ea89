import { describe, expect, it } from "@jest/globals";
import { type Environment, isOver, stream } from "@magic-mask/core";
import { randomActions } from "@magic-mask/core/testing";
import { createRoad, type Road } from "./highway/road.ts";
import { type HighwayOptions, highway, highwayFast } from "./highway.ts";

const IDLE = 1;
const SLOWER = 4;

/** The cars of a world, to look at and to change: `put` makes the world go on from them. */
function inside(world: Environment, { agents = 4, others = 20, lanes = 3 }: HighwayOptions) {
  const bytes = new Uint8Array(world.snapshotBytes);
  const road = createRoad(agents + others, lanes, [20, 25, 30]);
  const take = () => {
    world.snapshot(bytes, 0);
    road.bytes.set(bytes.subarray(0, road.bytes.length));
    return road;
  };
  const put = (change: (road: Road) => void) => {
    change(take());
    bytes.set(road.bytes);
    world.restore(bytes, 0);
  };
  return { take, put };
}

const flags = ({ acting, terminated, truncated }: Environment) =>
  [acting, terminated, truncated].map((array) => array.join(""));

/** Two agents' cars in two lanes, side by side, and a third far in front. */
function sideBySide(options: HighwayOptions = {}) {
  const shape = { agents: 3, others: 0, lanes: 3, ...options };
  const world = highwayFast(shape);
  world.reset(0);
  const { take, put } = inside(world, shape);
  put(({ x, y, lane, targetLane }) => {
    x.set([100, 101, 400]);
    y.set([0, 4, 8]);
    lane.set([0, 1, 2]);
    if (options.action !== "continuous") targetLane.set([0, 1, 2]);
  });
  return { world, take, put };
}

describe("highway", () => {
  it("starts everybody in a lane, each in front of all before, agents' cars spread evenly among the others", () => {
    const options = { agents: 3, others: 11 };
    const world = highway(options);
    world.reset(5);
    const road = inside(world, { ...options, lanes: 4 }).take();
    // 11 = 4 + 4 + 3; kind 1 is an agent's car.
    expect(road.kind.join("")).toBe("10000100001000");
    expect([...road.x].every((x, car) => car === 0 || x > road.x[car - 1])).toBe(true);
    expect([...road.y]).toEqual([...road.lane].map((lane) => 4 * lane));
    // The first: 3.9 to 4.1 times 2·(12 + 25)·e^(−1/2) = 44.883 m.
    expect(road.x[0]).toBeGreaterThan(3.9 * 44.883);
    expect(road.x[0]).toBeLessThan(4.1 * 44.884);
    for (let car = 0; car < road.cars; car++) {
      const [low, high] = road.kind[car] === 1 ? [25, 25] : [21, 24];
      expect(road.speed[car]).toBeGreaterThanOrEqual(low);
      expect(road.speed[car]).toBeLessThanOrEqual(high);
      expect(road.targetSpeed[car]).toBe(road.speed[car]);
    }
  });

  it("starts in all lanes and at all speeds alike", () => {
    const world = highwayFast();
    const { take } = inside(world, {});
    const lanes = [0, 0, 0];
    const fractions: number[] = [];
    for (let seed = 0; seed < 300; seed++) {
      world.reset(seed);
      const { kind, lane, speed, delta, cars } = take();
      for (let car = 0; car < cars; car++) {
        lanes[lane[car]]++;
        if (kind[car] === 0) fractions.push((speed[car] - 21) / 3, delta[car] - 3.5);
      }
    }
    // 7200 draws of one in three: 2400 ± 40. 12 000 uniform ones: the mean is 0.5 ± 0.0026.
    for (const count of lanes) expect(Math.abs(count - 2400)).toBeLessThan(160);
    expect(Math.abs(fractions.reduce((sum, x) => sum + x) / fractions.length - 0.5)).toBeLessThan(0.011);
    expect([Math.min(...fractions), Math.max(...fractions)]).toEqual([expect.closeTo(0, 2), expect.closeTo(1, 2)]);
  });

  it("pays for speed and for driving on the right", () => {
    const { world, put } = sideBySide();
    put(({ speed, targetSpeed }) => {
      speed.set([20, 25, 30]);
      targetSpeed.set([20, 25, 30]);
    });
    world.step(Float32Array.of(IDLE, IDLE, IDLE));
    // (0.1·lane/2 + 0.4·(v − 20)/10 + 1) / 1.5
    expect([...world.rewards]).toEqual([1 / 1.5, 1.25 / 1.5, 1].map((reward) => expect.closeTo(reward, 12)));
    expect(flags(world)).toEqual(["111", "000", "000"]);
  });

  it("lets crashed agents go and keeps their cars on the road, until nobody is left", () => {
    const { world, take } = sideBySide();
    // The left car turns right into the other.
    world.step(Float32Array.of(2, IDLE, IDLE));
    expect(flags(world)).toEqual(["001", "110", "000"]);
    expect(world.rewards[0]).toBeLessThan(1 / 3);
    expect(world.rewards[2]).toBeGreaterThan(2 / 3);
    const { speed } = take();
    const before = speed[0];
    world.step(Float32Array.of(9, Number.NaN, IDLE));
    // Each of 5 steps of 0.2 s takes 0.2 of the speed.
    expect(take().speed[0]).toBeCloseTo(before * 0.8 * 0.8 * 0.8 * 0.8 * 0.8, 12);
    expect([...world.rewards.subarray(0, 2)]).toEqual([0, 0]);
    expect(flags(world)).toEqual(["001", "110", "000"]);
    // The last one meets the wreck, put right in front of it.
    const { put } = inside(world, { agents: 3, others: 0 });
    put(({ x, y }) => {
      x[0] = x[2] + 5;
      y[0] = y[2];
    });
    world.step(Float32Array.of(0, 0, IDLE));
    expect(flags(world)).toEqual(["000", "111", "000"]);
    expect(isOver(world)).toBe(true);
  });

  it("pays and ends by the first car alone, if told so", () => {
    const { world, put } = sideBySide({ firstCarOnly: true });
    put(({ x, targetLane }) => {
      x.set([100, 400, 401]);
      targetLane[2] = 1;
    });
    world.step(Float32Array.of(IDLE, 2, IDLE));
    // The others have crashed; the first has not.
    expect(flags(world)).toEqual(["111", "000", "000"]);
    expect([...world.rewards]).toEqual(Array.from({ length: 3 }, () => expect.closeTo(1.2 / 1.5, 12)));
    put(({ crashed }) => {
      crashed[0] = 1;
    });
    world.step(Float32Array.of(IDLE, IDLE, IDLE));
    expect(flags(world)).toEqual(["000", "111", "000"]);
    expect(new Set(world.rewards).size).toBe(1);
  });

  it("is truncated when the time is up, for those who are left; who crashes just then has crashed", () => {
    const { world } = sideBySide({ duration: 2 });
    world.step(Float32Array.of(IDLE, IDLE, IDLE));
    expect(flags(world)).toEqual(["111", "000", "000"]);
    world.step(Float32Array.of(2, IDLE, IDLE));
    expect(flags(world)).toEqual(["000", "110", "111"]);
    expect(() => world.step(new Float32Array(3))).toThrow(expect.objectContaining({ code: "out-of-order" }));
  });

  it("takes several decisions a second", () => {
    const world = highway({ agents: 1, others: 0, policyFrequency: 5, duration: 1 });
    world.reset(0);
    let steps = 0;
    for (; !isOver(world); steps++) world.step(Float32Array.of(IDLE));
    expect(steps).toBe(5);
  });

  it("pays nothing off the road, and ends there only by option", () => {
    for (const [offroadTerminal, acting] of [
      [false, "111"],
      [true, "011"],
    ] as const) {
      const { world } = sideBySide({ action: "continuous", offroadTerminal });
      // To the left from the leftmost lane; beyond 1 is 1.
      world.step(Float32Array.of(0, -0.2, 0, 0, 3, 0));
      expect([world.rewards[0], world.acting.join("")]).toEqual([0, acting]);
      expect(world.rewards[2]).toBeCloseTo(1, 12);
    }
  });

  it("refuses other actions and stays as it was", () => {
    const discrete = sideBySide().world;
    const pedals = sideBySide({ action: "continuous" }).world;
    for (const [world, action] of [
      [discrete, [IDLE, IDLE, 5]],
      [discrete, [-1, IDLE, IDLE]],
      [discrete, [IDLE, 1.5, IDLE]],
      [pedals, [0, 0, 0, Number.NaN, 0, 0]],
      [pedals, [0, 0, 0, 0, Number.POSITIVE_INFINITY, 0]],
    ] as const) {
      const [before, after] = [new Uint8Array(world.snapshotBytes), new Uint8Array(world.snapshotBytes)];
      world.snapshot(before, 0);
      expect(() => world.step(Float32Array.from(action))).toThrow(expect.objectContaining({ code: "illegal-action" }));
      world.snapshot(after, 0);
      expect(after).toEqual(before);
    }
  });

  it("makes others keep out of each other's way, but for those that agents crash into", () => {
    const world = highway({ agents: 1, others: 30, duration: 20 });
    world.reset(3);
    const { take, put } = inside(world, { agents: 1, others: 30, lanes: 4 });
    // The agent's car is out of the way.
    put(({ x }) => {
      x[0] = 9000;
    });
    while (!isOver(world)) world.step(Float32Array.of(SLOWER));
    expect(take().crashed.join("")).toBe("0".repeat(31));
  });

  // highway-env 1.12.1, 60 episodes: return per agent, and share of agents that crash.
  it.each([
    ["random", 8.4, 0.94],
    ["idle", 14.0, 0.8],
    ["slower", 20.9, 0.004],
  ])("earns and crashes as in highway-env: %s agents %d and %d", (name, reward, share) => {
    const world = highwayFast();
    const random = stream(5, "reference");
    const actions = new Float32Array(4).fill(name === "idle" ? IDLE : SLOWER);
    let earned = 0;
    let crashed = 0;
    for (let seed = 0; seed < 60; seed++) {
      world.reset(seed);
      while (!isOver(world)) {
        world.step(name === "random" ? randomActions(world, random) : actions);
        for (const paid of world.rewards) earned += paid;
      }
      for (const bit of world.terminated) crashed += bit;
    }
    expect(Math.abs(earned / 240 - reward)).toBeLessThan(1.5);
    expect(Math.abs(crashed / 240 - share)).toBeLessThan(0.07);
  });

  it("draws the road around every agent", () => {
    const { world } = sideBySide();
    world.step(Float32Array.of(2, IDLE, IDLE));
    const picture = world.svg?.() ?? "";
    // Both cars that crashed are in both their strips, crossed out; the third is alone.
    expect(picture.match(/<polygon/g)).toHaveLength(5);
    expect(picture.match(/<text/g)).toHaveLength(3);
    expect(picture).toContain("agent_1: 12.8 m/s at 123 m, crashed");
    expect(world.render()).toContain("agent_2: x 425.0 m, lane 2, 25.0 → 25 m/s");
  });
});
