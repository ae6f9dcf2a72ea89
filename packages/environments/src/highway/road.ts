// By name: test runners that sandbox modules find a global some hundred times more slowly.
const { abs, cos, max, min, PI, sin } = Math;
const { POSITIVE_INFINITY } = Number;

/** Metres between the centres of two lanes. */
export const LANE_WIDTH = 4;
/** Metres of road; behind its end the lanes go on as if they were there. */
const ROAD_LENGTH = 10_000;
/** Metres per second. */
export const SPEED_LIMIT = 30;
/** Metres. */
export const CAR_LENGTH = 5;
export const CAR_WIDTH = 2;

/** What drives a car: the Intelligent Driver Model, meta actions, or pedal and wheel themselves. */
export const IDM = 0;
export const META = 1;
export const PEDALS = 2;
/** The target lane of a car that has none. */
export const NO_LANE = 255;

/**
 * A straight road and the cars on it, as highway-env 1.12.1 keeps them: x forward, y downwards, lane l along y = 4·l, headings
 * from x towards y. The order of the cars counts: it breaks ties, and later cars already see what earlier ones have decided.
 *
 * Each array has one entry a car. `bytes` covers all of them, except the last two, which follow from the rest: see `turned`.
 */
export interface Road {
  readonly lanes: number;
  /** [≥ 2] the speeds that cars with meta actions choose from, evenly spaced, ascending. */
  readonly targetSpeeds: readonly number[];
  readonly cars: number;
  readonly bytes: Uint8Array;

  /** Metres. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** Radians. */
  readonly heading: Float64Array;
  /** Metres per second, negative backwards. */
  readonly speed: Float64Array;
  /** The commands in force: radians, and metres per second². */
  readonly steering: Float64Array;
  readonly acceleration: Float64Array;
  /** Metres by which a collision will push the car in the next step, where `struck`. */
  readonly pushX: Float64Array;
  readonly pushY: Float64Array;
  /** 0 for `PEDALS`. */
  readonly targetSpeed: Float64Array;
  /** IDM: the exponent δ of the free road. */
  readonly delta: Float64Array;
  /** IDM: seconds since the last thought of changing lanes. */
  readonly timer: Float64Array;

  readonly kind: Uint8Array;
  readonly lane: Uint8Array;
  /** `NO_LANE` for `PEDALS`. */
  readonly targetLane: Uint8Array;
  /** META: index of the target speed. */
  readonly speedIndex: Uint8Array;
  readonly crashed: Uint8Array;
  readonly struck: Uint8Array;
  /** A pair of cars of which neither checks for collisions drives through each other. */
  readonly checks: Uint8Array;
  /** IDM: whether it ever changes lanes. */
  readonly changesLanes: Uint8Array;

  /** Cosine and sine of the heading. */
  readonly cos: Float64Array;
  readonly sin: Float64Array;
}

const FLOATS = 11;
const FLAGS = 8;

/** An empty stretch of memory for `cars` cars. */
export function createRoad(cars: number, lanes: number, targetSpeeds: readonly number[]): Road {
  const buffer = new ArrayBuffer(cars * (8 * FLOATS + FLAGS));
  let used = 0;
  const floats = () => new Float64Array(buffer, 8 * cars * used++, cars);
  const flags = () => new Uint8Array(buffer, 8 * cars * FLOATS + cars * (used++ - FLOATS), cars);
  return {
    lanes,
    targetSpeeds,
    cars,
    bytes: new Uint8Array(buffer),
    x: floats(),
    y: floats(),
    heading: floats(),
    speed: floats(),
    steering: floats(),
    acceleration: floats(),
    pushX: floats(),
    pushY: floats(),
    targetSpeed: floats(),
    delta: floats(),
    timer: floats(),
    kind: flags(),
    lane: flags(),
    targetLane: flags(),
    speedIndex: flags(),
    crashed: flags(),
    struck: flags(),
    checks: flags(),
    changesLanes: flags(),
    cos: new Float64Array(cars),
    sin: new Float64Array(cars),
  };
}

/** To be called whenever the heading of `car` was written. */
export function turned(road: Road, car: number): void {
  road.cos[car] = cos(road.heading[car]);
  road.sin[car] = sin(road.heading[car]);
}

/** Metres that the car is to the right of the middle of `lane`. */
export const lateral = (road: Road, car: number, lane: number): number => road.y[car] - LANE_WIDTH * lane;

/** The lane that is nearest by metres across, metres beyond an end of the road, and radians of heading; of equals the left one. */
export function closestLane(road: Road, car: number): number {
  const x = road.x[car];
  const beyond = max(x - ROAD_LENGTH, 0);
  const before = max(-x, 0);
  const angle = abs(wrap(road.heading[car]));
  let closest = 0;
  let least = POSITIVE_INFINITY;
  for (let lane = 0; lane < road.lanes; lane++) {
    const distance = abs(lateral(road, car, lane)) + beyond + before + angle;
    if (distance < least) {
      least = distance;
      closest = lane;
    }
  }
  return closest;
}

/** Whether the car may change to `lane` from where it is. */
export const isReachable = (road: Road, car: number, lane: number): boolean =>
  abs(lateral(road, car, lane)) <= 2 * LANE_WIDTH && road.x[car] >= 0 && road.x[car] < ROAD_LENGTH + CAR_LENGTH;

/** Whether the centre of the car is on `lane`, or within `margin` metres of it. */
export const isOnLane = (road: Road, car: number, lane: number, margin: number): boolean =>
  abs(lateral(road, car, lane)) <= LANE_WIDTH / 2 + margin &&
  road.x[car] >= -CAR_LENGTH &&
  road.x[car] < ROAD_LENGTH + CAR_LENGTH;

/** Whether the centre of the car is on the road. */
export const isOnRoad = (road: Road, car: number): boolean => isOnLane(road, car, road.lane[car], 0);

/** An angle brought into [−π, π). */
export function wrap(angle: number): number {
  const turn = 2 * PI;
  const ahead = angle + PI;
  // Most are in there, and need no division.
  if (ahead >= 0 && ahead < turn) return ahead - PI;
  const rest = ahead % turn;
  return (rest < 0 ? rest + turn : rest) - PI;
}

/** `value`, kept away from 0 by 0.01 so that it can be divided by. */
export const notZero = (value: number): number => (abs(value) > 0.01 ? value : value >= 0 ? 0.01 : -0.01);

export const clip = (value: number, low: number, high: number): number => min(max(value, low), high);
