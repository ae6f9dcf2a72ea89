import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { collidePair, type Meeting, meet } from "./collisions.ts";
import { command, nearestSpeed, steer } from "./control.ts";
import { accelerationBehind, decide, desiredGap, frontOf, isWorthwhile, rearOf } from "./idm.ts";
import { hold, move } from "./kinematics.ts";
import { observeFrom } from "./observation.ts";
import { closestLane, createRoad, IDM, isOnRoad, isReachable, META, type Road, turned, wrap } from "./road.ts";

/** A car: x, y, heading, speed. */
type Place = readonly [x: number, y: number, heading?: number, speed?: number];

/** Cars in 3 lanes that all check for collisions, drive by IDM with δ = 4 and would like to go 30. */
function roadWith(...places: Place[]): Road {
  const road = createRoad(places.length, 3, [20, 25, 30]);
  places.forEach(([x, y, heading = 0, speed = 20], car) => {
    road.x[car] = x;
    road.y[car] = y;
    road.heading[car] = heading;
    road.speed[car] = speed;
    road.targetSpeed[car] = 30;
    road.delta[car] = 4;
    road.kind[car] = IDM;
    road.checks[car] = 1;
    road.changesLanes[car] = 1;
    turned(road, car);
    road.lane[car] = closestLane(road, car);
    road.targetLane[car] = road.lane[car];
  });
  return road;
}

const somewhere = fc.tuple(
  fc.double({ min: 0, max: 60, noNaN: true }),
  fc.double({ min: -3, max: 11, noNaN: true }),
  fc.double({ min: -1, max: 1, noNaN: true }),
  fc.double({ min: -5, max: 35, noNaN: true }),
);
const traffic = fc.array(somewhere, { minLength: 2, maxLength: 12 });

describe("move", () => {
  it("turns as a bicycle does", () => {
    // tan β = tan(atan(2))/2 = 1: β = π/4. Turning by 10·sin β/2.5·0.1 = 0.2828…
    const road = roadWith([0, 0, 0, 10]);
    road.steering[0] = Math.atan(2);
    road.acceleration[0] = 3;
    move(road, 0, 0.1);
    const root = Math.SQRT1_2;
    expect([road.x[0], road.y[0], road.heading[0], road.speed[0]]).toEqual(
      [root, root, root * 0.4, 10.3].map((value) => expect.closeTo(value, 12)),
    );
  });

  it("brakes a crashed car by its speed a second, and any above 40 m/s", () => {
    const road = roadWith([0, 0, 0, 20], [50, 0, 0, 44], [99, 0, 0, -44]);
    road.crashed[0] = 1;
    road.acceleration.set([5, 5, 0]);
    for (const car of [0, 1, 2]) move(road, car, 0.5);
    expect([...road.speed]).toEqual([10, 42, -42]);
  });

  it("carries out a push one step later, and then the car has crashed", () => {
    const road = roadWith([10, 4, 0, 0]);
    road.struck[0] = 1;
    road.pushY[0] = -3;
    move(road, 0, 0.1);
    expect([road.y[0], road.lane[0], road.crashed[0], road.struck[0]]).toEqual([1, 0, 1, 0]);
  });
});

describe("closestLane", () => {
  it.each([
    [1.9, 0],
    [2, 0],
    [2.1, 1],
    [-50, 0],
    [50, 2],
  ])("of y = %d is %d", (y, lane) => {
    expect(closestLane(roadWith([5, y]), 0)).toBe(lane);
  });
});

describe("wrap", () => {
  it("brings angles into [−π, π)", () => {
    expect([wrap(0), wrap(Math.PI), wrap(-Math.PI), wrap(7)]).toEqual([
      0,
      -Math.PI,
      -Math.PI,
      expect.closeTo(7 - 2 * Math.PI, 12),
    ]);
  });
});

describe("steer", () => {
  it("keeps straight in the middle, and turns by numbers that can be followed", () => {
    expect(steer(roadWith([0, 4]), 0, 1)).toBe(0);
    // 0.6 m to the right at 20 m/s: across −1 m/s, heading asin(−0.05), 5 times that a second, slip asin(2.5/20·that).
    const slip = Math.asin(0.125 * 5 * Math.asin(-0.05));
    expect(steer(roadWith([0, 4.6]), 0, 1)).toBeCloseTo(Math.atan(2 * Math.tan(slip)), 12);
  });

  it("gives at most π/3, and backs the other way", () => {
    expect(steer(roadWith([0, 0, 0, 0.5]), 0, 2)).toBe(Math.PI / 3);
    expect(steer(roadWith([0, 0.5, 0, 20]), 0, 0)).toBeLessThan(0);
    expect(steer(roadWith([0, 0.5, 0, -20]), 0, 0)).toBeLessThan(0);
  });
});

describe("command", () => {
  it.each([
    [22.4, 0],
    [22.5, 0],
    [22.6, 1],
    [27.5, 2],
    [-9, 0],
    [99, 2],
  ])("%d m/s is nearest to target speed %d", (speed, index) => {
    expect(nearestSpeed(roadWith([0, 0]), speed)).toBe(index);
  });

  it("changes the target speed from the car's own, and the target lane from the target lane", () => {
    const road = roadWith([0, 4, 0, 20]);
    road.kind[0] = META;
    road.speedIndex[0] = 2;
    command(road, 0, 3);
    expect([road.speedIndex[0], road.targetSpeed[0]]).toEqual([1, 25]);
    for (const [action, lane] of [
      [0, 0],
      [0, 0],
      [1, 0],
      [2, 1],
      [2, 2],
      [2, 2],
    ]) {
      command(road, 0, action);
      expect(road.targetLane[0]).toBe(lane);
    }
  });

  it("leaves lanes that are more than 8 m away or lie beyond the ends", () => {
    expect(isReachable(roadWith([0, 0]), 0, 2)).toBe(true);
    expect(isReachable(roadWith([0, -0.1]), 0, 2)).toBe(false);
    expect(isReachable(roadWith([-0.1, 0]), 0, 1)).toBe(false);
    expect(isReachable(roadWith([10_005, 0]), 0, 1)).toBe(false);
  });
});

describe("hold", () => {
  it("maps −1 … 1 to 5 m/s² and an eighth of a turn, and clips", () => {
    const road = roadWith([0, 0], [50, 0]);
    hold(road, 0, 0.5, -0.5);
    hold(road, 1, -7, 7);
    expect([...road.acceleration, ...road.steering]).toEqual([
      2.5,
      -5,
      expect.closeTo(-Math.PI / 8, 15),
      expect.closeTo(Math.PI / 4, 15),
    ]);
  });
});

describe("the Intelligent Driver Model", () => {
  it("accelerates by numbers that can be followed by hand", () => {
    const road = roadWith([0, 0, 0, 15], [50, 0, 0, 10]);
    // 3·(1 − (15/30)⁴) = 2.8125; d⋆ = 10 + 22.5 + 15·5/(2·√15) = 42.182…
    expect(accelerationBehind(road, 0, -1, 0)).toBeCloseTo(2.8125, 12);
    const gap = 32.5 + 75 / (2 * Math.sqrt(15));
    expect(desiredGap(road, 0, 1)).toBeCloseTo(gap, 12);
    expect(accelerationBehind(road, 0, 1, 0)).toBeCloseTo(2.8125 - (3 * gap * gap) / 2500, 12);
    expect(accelerationBehind(road, -1, 0, 0)).toBe(0);
  });

  it("does not divide by nothing, and knows no target above the limit", () => {
    const road = roadWith([0, 0, 0, 30], [0, 0, 0, 0]);
    road.targetSpeed[0] = 36;
    expect(accelerationBehind(road, 0, -1, 0)).toBeCloseTo(0, 12);
    // d = 0 counts as 0.01: d⋆ = 10 + 45 + 900/(2·√15).
    const gap = 55 + 900 / (2 * Math.sqrt(15));
    expect(accelerationBehind(road, 0, 1, 0)).toBeCloseTo(-3 * (100 * gap) * (100 * gap), 2);
  });

  it("counts a car between two lanes in both, of equals in front the later, behind the earlier", () => {
    const road = roadWith([50, 4], [60, 2], [60, 3], [40, 4], [40, 5], [50, 8]);
    expect([frontOf(road, 0, 0), frontOf(road, 0, 1), frontOf(road, 0, 2)]).toEqual([2, 2, 5]);
    expect([rearOf(road, 0, 0), rearOf(road, 0, 1), rearOf(road, 0, 2)]).toEqual([-1, 3, 4]);
  });

  it("counts cars up to a length beyond the ends of the road", () => {
    const ends = roadWith([-9, 0], [-5.1, 0], [-5, 0], [10_004.9, 0], [10_005, 0], [10_006, 0]);
    expect([frontOf(ends, 0, 0), rearOf(ends, 2, 0), rearOf(ends, 5, 0)]).toEqual([2, -1, 3]);
    expect(isOnRoad(ends, 1)).toBe(false);
    expect(isOnRoad(ends, 2)).toBe(true);
  });

  it("finds the nearest cars", () => {
    fc.assert(
      fc.property(traffic, fc.integer({ min: 0, max: 2 }), (places, lane) => {
        const road = roadWith(...places);
        const others = places.map((_, car) => car).filter((car) => car > 0 && Math.abs(road.y[car] - 4 * lane) <= 3);
        const ahead = others.filter((car) => road.x[car] >= road.x[0]).map((car) => road.x[car]);
        const behind = others.filter((car) => road.x[car] < road.x[0]).map((car) => road.x[car]);
        expect(road.x[frontOf(road, 0, lane)]).toBe(ahead.length > 0 ? Math.min(...ahead) : undefined);
        expect(road.x[rearOf(road, 0, lane)]).toBe(behind.length > 0 ? Math.max(...behind) : undefined);
      }),
    );
  });
});

describe("MOBIL", () => {
  it("passes a slow car where there is room, not where somebody comes from behind", () => {
    const free = roadWith([100, 4, 0, 25], [125, 4, 0, 15]);
    expect([isWorthwhile(free, 0, 0), isWorthwhile(free, 0, 2)]).toEqual([true, true]);
    const taken = roadWith([100, 4, 0, 25], [125, 4, 0, 15], [90, 0, 0, 30]);
    expect([isWorthwhile(taken, 0, 0), isWorthwhile(taken, 0, 2)]).toEqual([false, true]);
    const alone = roadWith([100, 4, 0, 25]);
    expect(isWorthwhile(alone, 0, 0)).toBe(false);
  });

  it("thinks of it after more than a second, right wins over left, and only moving cars change", () => {
    const decided = (timer: number, speed: number) => {
      const road = roadWith([100, 4, 0, speed], [125, 4, 0, 0]);
      road.timer[0] = timer;
      decide(road, 0);
      return [road.targetLane[0], road.timer[0]];
    };
    expect(decided(1, 25)).toEqual([1, 1]);
    expect(decided(1.01, 25)).toEqual([2, 0]);
    expect(decided(1.01, 0.9)).toEqual([1, 0]);
  });

  it("gives up a change if somebody in front changes to the same lane from another", () => {
    const targets = (change: (road: Road) => void) => {
      const road = roadWith([100, 0], [110, 8]);
      road.targetLane.set([1, 1]);
      change(road);
      decide(road, 0);
      return road.targetLane[0];
    };
    const set = (name: "x" | "lane" | "targetLane", value: number) => (road: Road) => {
      road[name][1] = value;
    };
    expect(targets(() => {})).toBe(0);
    expect(targets(set("x", 99))).toBe(1);
    expect(targets(set("x", 141))).toBe(1);
    expect(targets(set("lane", 1))).toBe(1);
    expect(targets(set("targetLane", 2))).toBe(1);
  });
});

describe("collisions", () => {
  const meeting: Meeting = { now: false, soon: false, x: 0, y: 0 };

  it("gives the shortest way out, half to each", () => {
    // Both lie 1 m from where they would be free: 2 − 1 across.
    const road = roadWith([100, 0], [101, 1]);
    collidePair(road, 0, 1, 0.2);
    expect([...road.pushX, ...road.pushY, ...road.crashed, ...road.struck].map((x) => x + 0)).toEqual([
      ...[0, 0, -0.5, 0.5],
      ...[1, 1, 1, 1],
    ]);
  });

  it("parts cars with one centre across, the first to the left", () => {
    const road = roadWith([100, 4], [100, 4]);
    collidePair(road, 0, 1, 0.2);
    expect([...road.pushX, ...road.pushY].map((x) => x + 0)).toEqual([0, 0, -1, 1]);
  });

  it("sees what the next step brings, and a later push replaces an earlier", () => {
    // 0.5 m apart; the rear car gains 10 m/s · 0.1 s = 1 m.
    const road = roadWith([100, 0, 0, 30], [105.5, 0, 0, 20], [105.5, 1.5, 0, 20]);
    collidePair(road, 0, 1, 0.1);
    expect([...road.crashed, ...road.struck]).toEqual([0, 0, 0, 1, 1, 0]);
    expect(road.pushX[1]).toBeCloseTo(0.25, 12);
    collidePair(road, 1, 2, 0.1);
    expect([road.pushX[1] + 0, road.pushY[1]]).toEqual([0, -0.25]);
  });

  it("looks only within the circles, which are smaller for a first car that drives backwards", () => {
    const road = roadWith([100, 0, 0, -40], [104.5, 0]);
    meet(road, 0, 1, 0.2, meeting);
    expect(meeting.now).toBe(true);
    collidePair(road, 0, 1, 0.2);
    expect([...road.crashed]).toEqual([0, 0]);
  });

  it("comes free by the way out", () => {
    fc.assert(
      fc.property(somewhere, somewhere, (a, b) => {
        const road = roadWith(a, b);
        meet(road, 0, 1, 0, meeting);
        fc.pre(meeting.now);
        road.x[0] += 1.001 * meeting.x;
        road.y[0] += 1.001 * meeting.y;
        meet(road, 0, 1, 0, meeting);
        expect(meeting.now).toBe(false);
      }),
    );
  });
});

describe("observeFrom", () => {
  it("shows the own car by its place, and the nearest in sight relative to it", () => {
    const road = roadWith([50, 4, 0, 20], [150, 0, 0, 28], [41, 8], [40, 4], [60, 12], [249, 4], [60, 4, 0.5], [58, 0]);
    const out = new Float32Array(27).fill(7);
    observeFrom(road, 0, out, 1);
    expect([...out.subarray(1, 26)]).toEqual(
      [
        ...[1, 50 / 200, 4 / 12, 20 / 80, 0],
        ...[1, 8 / 200, -4 / 12, 0, 0],
        ...[1, -9 / 200, 4 / 12, 0, 0],
        ...[1, 10 / 200, 8 / 12, 0, 0],
        ...[1, 10 / 200, 0, (20 * Math.cos(0.5) - 20) / 80, (20 * Math.sin(0.5)) / 80],
      ].map((value) => expect.closeTo(value, 6)),
    );
    expect([out[0], out[26]]).toEqual([7, 7]);
  });

  it("leaves rows empty, and clips what is far or fast", () => {
    const road = roadWith([300, 4, 0, 20], [499.9, 4], [501, 4]);
    const out = new Float32Array(25).fill(7);
    observeFrom(road, 0, out, 0);
    expect([...out.subarray(0, 10)]).toEqual(
      [1, 1, 4 / 12, 0.25, 0, 1, 199.9 / 200, 0, 0, 0].map((x) => expect.closeTo(x, 6)),
    );
    expect([...out.subarray(10)]).toEqual(new Array(15).fill(0));
  });
});
