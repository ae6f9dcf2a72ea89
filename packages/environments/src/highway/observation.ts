import { CAR_LENGTH, clip, LANE_WIDTH, type Road } from "./road.ts";

// By name: test runners that sandbox modules find a global some hundred times more slowly.
const { abs, sqrt } = Math;

/** Cars in an observation, the observer first, and numbers of each. */
export const SEEN = 5;
export const FEATURES = 5;
/** Metres within which cars are seen, and metres behind; metres and metres per second that are shown as 1. */
const SIGHT = 200;
const BEHIND = 2 * CAR_LENGTH;
const FULL_SPEED = 80;

const nearest = new Int32Array(SEEN - 1);
const distances = new Float64Array(SEEN - 1);

/**
 * Writes what is seen from `car`: 5 rows of presence, x, y, vx and vy. The first is the car itself, by its place on the road; the
 * others are the nearest cars along the road that are less than 200 m away and not 10 m behind or more, relative to it, of
 * equals the first in order; rows without a car are 0. Metres along are divided by 200, across by the width of the road, speeds
 * by 80 m/s, and all is clipped to [−1, 1].
 */
export function observeFrom(road: Road, car: number, out: Float32Array, offset: number): void {
  const { x, y, speed, cos, sin } = road;
  const count = findNearest(road, car);
  const width = LANE_WIDTH * road.lanes;
  const vx = speed[car] * cos[car];
  const vy = speed[car] * sin[car];
  writeRow(out, offset, width, x[car], y[car], vx, vy);
  for (let k = 0; k < count; k++) {
    const other = nearest[k];
    writeRow(
      out,
      offset + FEATURES * (k + 1),
      width,
      x[other] - x[car],
      y[other] - y[car],
      speed[other] * cos[other] - vx,
      speed[other] * sin[other] - vy,
    );
  }
  for (let i = FEATURES * (count + 1); i < FEATURES * SEEN; i++) out[offset + i] = 0;
}

/** Fills `nearest`. @returns how many there are */
function findNearest({ x, y, cars }: Road, car: number): number {
  let count = 0;
  for (let other = 0; other < cars; other++) {
    const along = x[other] - x[car];
    const across = y[other] - y[car];
    if (!(along > -BEHIND) || other === car || !(sqrt(along * along + across * across) < SIGHT)) continue;
    const distance = abs(along);
    let place = count;
    while (place > 0 && distance < distances[place - 1]) place--;
    if (place === SEEN - 1) continue;
    if (count < SEEN - 1) count++;
    for (let k = count - 1; k > place; k--) {
      nearest[k] = nearest[k - 1];
      distances[k] = distances[k - 1];
    }
    nearest[place] = other;
    distances[place] = distance;
  }
  return count;
}

function writeRow(out: Float32Array, at: number, width: number, x: number, y: number, vx: number, vy: number): void {
  out[at] = 1;
  out[at + 1] = scaled(x, SIGHT);
  out[at + 2] = scaled(y, width);
  out[at + 3] = scaled(vx, FULL_SPEED);
  out[at + 4] = scaled(vy, FULL_SPEED);
}

/** [−full, full] mapped to [−1, 1], in the order of operations that makes the last digit highway-env's. */
const scaled = (value: number, full: number) => clip(-1 + ((value + full) * 2) / (2 * full), -1, 1);
