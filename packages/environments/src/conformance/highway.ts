import type { Environment } from "@magic-mask/core";
import type { RecordedTest } from "../conformance.ts";
import { areApart, collidePair, type Meeting, meet } from "../highway/collisions.ts";
import { command, steer } from "../highway/control.ts";
import { accelerationBehind, desiredGap, frontOf, isWorthwhile, rearOf } from "../highway/idm.ts";
import { hold } from "../highway/kinematics.ts";
import { observeFrom } from "../highway/observation.ts";
import { rewardOf, rightness, swiftness } from "../highway/reward.ts";
import {
  closestLane,
  createRoad,
  IDM,
  isOnRoad,
  isReachable,
  LANE_WIDTH,
  META,
  NO_LANE,
  PEDALS,
  type Road,
  turned,
} from "../highway/road.ts";
import { firstTimer, spawn } from "../highway/spawn.ts";
import { advance, highway, highwayFast } from "../highway.ts";
import { numpyGenerator } from "./numpy.ts";
import { same } from "./same.ts";

/** How far numbers may be apart, in units of the larger one or of 1: engines differ in the last digit of sines and powers. */
const TOLERANCE = 1e-9;

/** A car as recorded before the first step. */
interface RecordedCar {
  readonly type: "IDM" | "MDP" | "Vehicle";
  readonly x: number;
  readonly y: number;
  readonly heading: number;
  readonly speed: number;
  readonly lane: number;
  readonly checkCollisions: boolean;
  readonly crashed: boolean;
  readonly targetLane?: number;
  readonly targetSpeed?: number;
  readonly speedIndex?: number;
  readonly targetSpeeds?: readonly number[];
  readonly timer?: number;
  readonly delta?: number;
  readonly enableLaneChange?: boolean;
}

/** One step of the simulation. */
interface Substep {
  /** [cars × 4] x, y, heading, speed. */
  readonly s: readonly number[];
  /** [cars × 2] steering and acceleration. */
  readonly u: readonly number[];
  /** One character a car: lanes, target lanes ("-" for none), crashed. */
  readonly l: string;
  readonly t: string;
  readonly c: string;
  /** By car: the push that is to come. */
  readonly i?: Readonly<Record<string, readonly number[]>>;
}

/** One decision of every agent, and what came of it. */
interface Decision {
  readonly a: readonly (number | readonly number[])[];
  readonly avail: readonly (readonly number[])[] | null;
  readonly sub: readonly Substep[];
  readonly timers: readonly number[];
  readonly speedIndex: readonly number[];
  readonly tv: readonly number[] | null;
  readonly r: number;
  readonly agents: readonly (readonly [number, Readonly<Record<string, number>>])[];
  readonly te: number;
  readonly tr: number;
  /** [N][25] */
  readonly o: readonly (readonly number[])[];
}

interface Scene {
  readonly name: string;
  readonly env: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly lanes: number;
  readonly simulationFrequency: number;
  readonly policyFrequency: number;
  /** [N] */
  readonly controlled: readonly number[];
  readonly init: readonly RecordedCar[];
  readonly o0: Decision["o"];
  readonly steps: readonly Decision[];
}

/**
 * One recorded scene: every step of the simulation on the road itself, and every decision through the world, paid by the first
 * agent as highway-env does, and paid one by one. Each begins where the recording was, so that last digits do not add up.
 */
export function highwayScene(recorded: unknown, index: number): RecordedTest {
  const name = (recorded as Partial<Scene> | null)?.name;
  return {
    name: `scene ${index} (${name ?? "without a name"})`,
    run() {
      const scene = readScene(recorded);
      const { controlled, init, steps, config } = scene;
      const options = optionsOf(scene);
      const road = createRoad(init.length, options.lanes, options.targetSpeeds);
      init.forEach((car, i) => {
        setCar(road, i, car);
      });
      const lanes = init.map((_, car) => closestLane(road, car));
      same(
        "lanes at the start",
        lanes,
        init.map(({ lane }) => lane),
      );
      sameViews("observation at the start", controlled, scene.o0, (car, out) => observeFrom(road, car, out, 0));

      const fast = scene.env === "highway-fast-v0";
      const make = fast ? highwayFast : highway;
      const [payingFirst, payingEach] = [make({ ...options, firstCarOnly: true }), make(options)];
      const duration = (config.duration as number | undefined) ?? (fast ? 30 : 40);
      let time = 0;
      steps.forEach((step, t) => {
        const at = (column: string) => `step ${t}, ${column}`;
        const before = snapshotOf(road, time);
        // highway-env may be stepped on when the time is up; these worlds are over then.
        const isOver = time >= duration;
        time += 1 / options.policyFrequency;
        playDecision(road, scene, step, at);
        same(at("truncated"), Number(time >= duration), step.tr);
        if (isOver) return;
        const { te, r, agents } = step;
        playThrough(payingFirst, before, scene, step, (column) => at(`${column}, with the first car only`));
        close(
          at("reward of the world"),
          payingFirst.rewards,
          controlled.map(() => r),
        );
        same(
          at("end of the world"),
          [...payingFirst.terminated],
          controlled.map(() => te),
        );
        playThrough(payingEach, before, scene, step, (column) => at(`${column}, one by one`));
        const ends = agents.map(([, { collision_reward, on_road_reward }]) =>
          Number(collision_reward === 1 || (options.offroadTerminal && on_road_reward === 0)),
        );
        close(
          at("rewards of the agents"),
          payingEach.rewards,
          agents.map(([reward]) => reward),
        );
        same(at("ends of the agents"), [...payingEach.terminated], ends);
      });
    },
  };
}

/** Plays one decision on `road`, a step of the simulation at a time, and leaves the road as it was recorded. */
function playDecision(road: Road, scene: Scene, step: Decision, at: (column: string) => string): void {
  const { controlled, simulationFrequency, policyFrequency } = scene;
  const metas = controlled.filter((car) => road.kind[car] === META);
  if (step.avail)
    same(
      at("available actions"),
      metas.map((car) => available(road, car)),
      step.avail,
    );
  step.a.forEach((action, agent) => {
    const car = controlled[agent];
    if (typeof action === "number") command(road, car, action);
    else hold(road, car, action[0], action[1]);
  });
  same(at("number of substeps"), Math.floor(simulationFrequency / policyFrequency), step.sub.length);
  step.sub.forEach((sub, k) => {
    advance(road, 1 / simulationFrequency);
    compareRoad((column) => at(`substep ${k}, ${column}`), road, sub);
    sub.s.forEach((value, i) => {
      [road.x, road.y, road.heading, road.speed][i % 4][i >> 2] = value;
    });
    for (const [car, [x, y]] of Object.entries(sub.i ?? {})) {
      road.pushX[Number(car)] = x;
      road.pushY[Number(car)] = y;
    }
    for (let car = 0; car < road.cars; car++) turned(road, car);
  });
  const timed = scene.init.flatMap((_, car) => (road.kind[car] === IDM ? car : []));
  close(
    at("timers"),
    timed.map((car) => road.timer[car]),
    step.timers,
  );
  timed.forEach((car, k) => {
    road.timer[car] = step.timers[k];
  });
  same(
    at("speed indices"),
    metas.map((car) => road.speedIndex[car]),
    step.speedIndex,
  );
  close(
    at("target speeds"),
    metas.map((car) => road.targetSpeed[car]),
    step.tv ?? [],
  );
  same(at("number of agents"), controlled.length, step.agents.length);
  controlled.forEach((car, agent) => {
    const [reward, terms] = step.agents[agent];
    const ours = [
      rewardOf(road, car),
      road.crashed[car],
      rightness(road, car),
      swiftness(road, car),
      isOnRoad(road, car),
    ];
    const names = ["collision_reward", "right_lane_reward", "high_speed_reward", "on_road_reward"];
    close(at(`reward of agent ${agent}`), ours.map(Number), [reward, ...names.map((name) => terms[name])]);
  });
  sameViews(at("observation"), controlled, step.o, (car, out) => observeFrom(road, car, out, 0));
}

/** Plays one decision through a world that starts at `before`, and compares all but who is paid and who ends. */
function playThrough(
  world: Environment,
  before: Uint8Array,
  { init, controlled }: Scene,
  step: Decision,
  at: (column: string) => string,
): void {
  const bytes = new Uint8Array(world.snapshotBytes);
  bytes.set(before);
  world.restore(bytes, 0);
  // The recorded actions are float64, and a step only reads them.
  world.step(Float64Array.from(step.a.flat()) as unknown as Float32Array);
  world.snapshot(bytes, 0);
  const after = createRoad(init.length, 1, []);
  after.bytes.set(bytes.subarray(0, after.bytes.length));
  compareRoad(at, after, step.sub[step.sub.length - 1]);
  same(
    at("truncated"),
    [...world.truncated],
    controlled.map(() => step.tr),
  );
  sameViews(at("observation"), controlled, step.o, (_, out, agent) => world.observe(agent, out, 0));
}

/** The road and the clock of a world's snapshot; behind them stands who has ended, here nobody. */
function snapshotOf(road: Road, time: number): Uint8Array {
  const bytes = new Uint8Array(road.bytes.length + 8);
  bytes.set(road.bytes);
  bytes.set(new Uint8Array(Float64Array.of(time).buffer), road.bytes.length);
  return bytes;
}

/** highway-env's list of available actions, in its order; other actions are taken as well. */
function available(road: Road, car: number): number[] {
  const lane = road.lane[car];
  const index = road.speedIndex[car];
  return [
    1,
    ...(lane > 0 && isReachable(road, car, lane - 1) ? [0] : []),
    ...(lane < road.lanes - 1 && isReachable(road, car, lane + 1) ? [2] : []),
    ...(index < road.targetSpeeds.length - 1 ? [3] : []),
    ...(index > 0 ? [4] : []),
  ];
}

function compareRoad(at: (column: string) => string, road: Road, { s, u, l, t, c, i = {} }: Substep): void {
  const cars = Array.from({ length: road.cars }, (_, car) => car);
  close(
    at("places"),
    cars.flatMap((car) => [road.x[car], road.y[car], road.heading[car], road.speed[car]]),
    s,
  );
  close(
    at("commands"),
    cars.flatMap((car) => [road.steering[car], road.acceleration[car]]),
    u,
  );
  same(at("lanes"), [...road.lane].join(""), l);
  same(at("target lanes"), Array.from(road.targetLane, (lane) => (lane === NO_LANE ? "-" : lane)).join(""), t);
  same(at("crashed"), road.crashed.join(""), c);
  const struck = cars.filter((car) => road.struck[car]);
  same(at("cars about to be pushed"), struck.map(String), Object.keys(i));
  close(
    at("pushes"),
    struck.flatMap((car) => [road.pushX[car], road.pushY[car]]),
    Object.values(i).flat(),
  );
}

/** @throws where a list differs from the recorded one in length, or by more than the tolerance */
function close(what: string, ours: ArrayLike<number>, recorded: ArrayLike<number>): void {
  same(`${what}, length`, ours.length, recorded.length);
  for (let i = 0; i < recorded.length; i++) {
    const distance = Math.abs(ours[i] - recorded[i]);
    if (!(distance <= TOLERANCE * Math.max(1, Math.abs(recorded[i]))))
      same(`${what}, entry ${i}`, ours[i], recorded[i]);
  }
}

/** Compares what each agent sees, as float32, within one unit in the last place. */
function sameViews(
  what: string,
  controlled: readonly number[],
  recorded: Decision["o"],
  observe: (car: number, out: Float32Array, agent: number) => void,
): void {
  same(`${what}, agents`, controlled.length, recorded.length);
  controlled.forEach((car, agent) => {
    const ours = new Float32Array(25);
    observe(car, ours, agent);
    const theirs = Float32Array.from(recorded[agent]);
    same(`${what} of agent ${agent}, length`, ours.length, theirs.length);
    theirs.forEach((value, i) => {
      const units = Math.abs(place(ours[i]) - place(value));
      // Where a difference of large numbers is shown, their last digits are many units.
      if (!(units <= 1 || Math.abs(ours[i] - value) < 1e-12))
        same(`${what} of agent ${agent}, entry ${i}`, ours[i], value);
    });
  });
}

const float = new Float32Array(1);
const word = new Int32Array(float.buffer);

/** The place of a float32 among all, so that neighbours are 1 apart. */
function place(value: number): number {
  float[0] = value;
  return word[0] < 0 ? -(word[0] & 0x7fffffff) : word[0];
}

function setCar(road: Road, car: number, recorded: RecordedCar): void {
  const { type, x, y, heading, speed, lane, checkCollisions, crashed, enableLaneChange } = recorded;
  const { targetLane = NO_LANE, targetSpeed = 0, speedIndex = 0, timer = 0, delta = 0 } = recorded;
  road.x[car] = x;
  road.y[car] = y;
  road.heading[car] = heading;
  road.speed[car] = speed;
  road.targetSpeed[car] = targetSpeed;
  road.delta[car] = delta;
  road.timer[car] = timer;
  road.kind[car] = type === "IDM" ? IDM : type === "MDP" ? META : PEDALS;
  road.lane[car] = lane;
  road.targetLane[car] = targetLane;
  road.speedIndex[car] = speedIndex;
  road.crashed[car] = Number(crashed);
  road.checks[car] = Number(checkCollisions);
  road.changesLanes[car] = Number(enableLaneChange ?? false);
  turned(road, car);
}

/** The options of the world that a scene is played in. */
function optionsOf({ lanes, simulationFrequency, policyFrequency, controlled, init, config }: Scene) {
  return {
    agents: controlled.length,
    others: init.length - controlled.length,
    lanes,
    simulationFrequency,
    policyFrequency,
    ...(config.duration === undefined ? {} : { duration: config.duration as number }),
    offroadTerminal: config.offroad_terminal === true,
    action: init[controlled[0]].type === "Vehicle" ? ("continuous" as const) : ("discrete" as const),
    targetSpeeds: init.find(({ targetSpeeds }) => targetSpeeds)?.targetSpeeds ?? [20, 25, 30],
  };
}

function readScene(recorded: unknown): Scene {
  const scene = recorded as Scene | null;
  for (const column of ["init", "steps", "controlled", "o0"] as const) {
    if (!Array.isArray(scene?.[column]) || scene[column].length === 0)
      throw new Error(`the recording has no ${column}`);
  }
  if (!scene || scene.steps.some(({ a }) => a?.length !== scene.controlled.length)) {
    throw new Error("every step must have one action for each controlled car");
  }
  return { ...scene, config: scene.config ?? {} };
}

type State = readonly number[];

/** Cars at recorded places: x, y, heading, speed and, where it is known, target speed and δ. */
function roadOf(states: readonly State[], lanes = 4): Road {
  const road = createRoad(states.length, lanes, [20, 25, 30]);
  states.forEach(([x, y, heading, speed, targetSpeed = 0, delta = 0], car) => {
    setCar(road, car, {
      ...{ type: "IDM", x, y, heading, speed, targetSpeed, delta },
      ...{ lane: 0, checkCollisions: true, crashed: false },
    });
    road.lane[car] = closestLane(road, car);
  });
  return road;
}

/** Two cars that may collide. */
export function highwayCollision(recorded: unknown, index: number): RecordedTest {
  return {
    name: `collision ${index}`,
    run() {
      const [a, b, dt, apart, now, soon, translation, crashedA, crashedB, push] = recorded as [
        ...[State, State, number, number, number, number, State | null],
        ...[number, number, State | null],
      ];
      const road = roadOf([a, b]);
      const meeting: Meeting = { now: false, soon: false, x: 0, y: 0 };
      meet(road, 0, 1, dt, meeting);
      same("circles apart", Number(areApart(road, 0, 1, dt)), apart);
      same("overlap now and soon", [Number(meeting.now), Number(meeting.soon)], [now, soon]);
      close("translation", meeting.soon ? [meeting.x, meeting.y] : [], translation ?? []);
      collidePair(road, 0, 1, dt);
      same("crashed", [...road.crashed], [crashedA, crashedB]);
      same("about to be pushed", [...road.struck], push ? [1, 1] : [0, 0]);
      if (push) close("pushes", [...road.pushX, ...road.pushY], [push[0], -push[0], push[1], -push[1]]);
    },
  };
}

/** A car that steers towards a lane. */
export function highwaySteering(recorded: unknown, index: number): RecordedTest {
  return {
    name: `steering ${index}`,
    run() {
      const [car, lane, angle] = recorded as [State, number, number];
      close("steering", [steer(roadOf([car]), 0, lane)], [angle]);
    },
  };
}

/** Accelerations by the Intelligent Driver Model. */
export function highwayAcceleration(recorded: unknown, index: number): RecordedTest {
  return {
    name: `acceleration ${index}`,
    run() {
      const [car, front, free, behind, gap] = recorded as [State, State, number, number, number];
      const road = roadOf([car, front]);
      close("accelerations", [accelerationBehind(road, 0, -1, 0), accelerationBehind(road, 0, 1, 0)], [free, behind]);
      close("desired gap", [desiredGap(road, 0, 1)], [gap]);
    },
  };
}

/** A car that thinks of changing lanes. */
export function highwayLaneChange(recorded: unknown, index: number): RecordedTest {
  return {
    name: `lane change ${index}`,
    run() {
      const [cars, lane, sides, neighbours, timers] = recorded as [
        ...[readonly State[], number, Readonly<Record<string, State>>, State, State],
      ];
      const road = roadOf(cars);
      const around = (of: number) => [frontOf(road, 0, of), rearOf(road, 0, of)];
      same("lane", road.lane[0], lane);
      same("neighbours in its lane", around(lane), neighbours);
      for (const [key, expected] of Object.entries(sides)) {
        const side = Number(key);
        same(`lane ${side}`, [Number(isWorthwhile(road, 0, side)), ...around(side)], expected);
      }
      close(
        "timers",
        cars.map((_, car) => firstTimer(road, car)),
        timers,
      );
    },
  };
}

/**
 * One start of `highway-v0`, from the draws that NumPy makes of its seed.
 *
 * @param oracle names the settings, such as `lanes_count=4`
 */
export function highwayStart(oracle: string, seed: unknown, recorded: unknown, index: number): RecordedTest {
  return {
    name: `start ${index}`,
    run() {
      const cars = recorded as readonly State[];
      const setting = (name: string, otherwise: number) => Number(oracle.match(`${name}=(\\d+)`)?.[1] ?? otherwise);
      const agents = setting("controlled_vehicles", 1);
      const others = setting("vehicles_count", 50);
      const road = createRoad(agents + others, setting("lanes_count", 4), [20, 25, 30]);
      const traffic = { agents, others, kind: META, agentSpacing: 2, otherSpacing: 1, checkOthers: true };
      spawn(road, traffic, numpyGenerator(Number(seed) + index));
      same("number of cars", road.cars, cars.length);
      cars.forEach(([x, lane, speed, delta], car) => {
        same(`car ${car}, lane`, [road.lane[car], road.y[car]], [lane, LANE_WIDTH * lane]);
        // Recorded with four and with five digits.
        const distances = [(road.x[car] - x) / 10, road.speed[car] - speed, road.delta[car] - delta];
        if (!distances.every((distance) => Math.abs(distance) < 6e-6)) {
          same(`car ${car}`, [road.x[car], road.speed[car], road.delta[car]], [x, speed, delta]);
        }
      });
    },
  };
}
