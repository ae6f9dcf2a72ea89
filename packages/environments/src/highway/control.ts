import { CAR_LENGTH, clip, isReachable, lateral, notZero, type Road, wrap } from "./road.ts";

// By name: test runners that sandbox modules find a global some hundred times more slowly.
const { asin, atan, floor, PI, tan } = Math;

/** The meta actions, in order. */
export const META_ACTIONS = ["lane left", "idle", "lane right", "faster", "slower"] as const;
const LANE_LEFT = 0;
const LANE_RIGHT = 2;
const FASTER = 3;
const SLOWER = 4;

/** 1 / seconds in which an error of speed, heading or place across is taken back. */
const SPEED_GAIN = 1 / 0.6;
const HEADING_GAIN = 1 / 0.2;
const LATERAL_GAIN = 1 / 0.6;
/** Radians. */
const MAX_STEERING = PI / 3;
const MAX_HEADING = PI / 4;

/**
 * Sets the targets of a car with meta actions. Speeds change from the one that is nearest to the car's own, so that `faster`
 * may lower a target that is far above it; lanes from the target lane, if the next one is there and near enough.
 */
export function command(road: Road, car: number, action: number): void {
  if (action === FASTER || action === SLOWER) {
    aimAt(road, car, nearestSpeed(road, road.speed[car]) + (action === FASTER ? 1 : -1));
  } else if (action === LANE_LEFT || action === LANE_RIGHT) {
    const lane = clip(road.targetLane[car] + (action === LANE_LEFT ? -1 : 1), 0, road.lanes - 1);
    if (isReachable(road, car, lane)) road.targetLane[car] = lane;
  }
}

/** Makes the target speed of that index, or the nearest there is, the car's. */
export function aimAt({ speedIndex, targetSpeed, targetSpeeds }: Road, car: number, index: number): void {
  speedIndex[car] = clip(index, 0, targetSpeeds.length - 1);
  targetSpeed[car] = targetSpeeds[speedIndex[car]];
}

/** Index of the target speed that is nearest to `speed`; half-way between two the even one. */
export function nearestSpeed({ targetSpeeds }: Road, speed: number): number {
  const last = targetSpeeds.length - 1;
  const place = ((speed - targetSpeeds[0]) / (targetSpeeds[last] - targetSpeeds[0])) * last;
  const below = floor(place);
  const rest = place - below;
  const index = rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below;
  return clip(index, 0, last);
}

/** Sets the commands that bring a car with meta actions to its targets. */
export function pursue(road: Road, car: number): void {
  road.steering[car] = steer(road, car, road.targetLane[car]);
  road.acceleration[car] = SPEED_GAIN * (road.targetSpeed[car] - road.speed[car]);
}

/**
 * Radians at which the car steers towards the middle of `lane`: its place across asks for a speed across, that for a heading,
 * and that for a rate of turning.
 */
export function steer(road: Road, car: number, lane: number): number {
  const across = lateral(road, car, lane);
  const heading = road.heading[car];
  // What the rest comes to: a car in the middle goes straight on.
  if (across === 0 && heading === 0) return 0;
  const speed = notZero(road.speed[car]);
  const wanted = asin(clip((-LATERAL_GAIN * across) / speed, -1, 1));
  const rate = HEADING_GAIN * wrap(clip(wanted, -MAX_HEADING, MAX_HEADING) - heading);
  const slip = asin(clip((CAR_LENGTH / 2 / speed) * rate, -1, 1));
  return clip(atan(2 * tan(slip)), -MAX_STEERING, MAX_STEERING);
}
