import { CAR_LENGTH, CAR_WIDTH, type Road } from "./road.ts";

// By name: test runners that sandbox modules find a global some hundred times more slowly.
const { abs, sqrt } = Math;
const { POSITIVE_INFINITY, NEGATIVE_INFINITY } = Number;

const DIAGONAL = sqrt(CAR_LENGTH * CAR_LENGTH + CAR_WIDTH * CAR_WIDTH);

/** How two cars meet. */
export interface Meeting {
  /** They overlap. */
  now: boolean;
  /** They overlap, or will in the next step. */
  soon: boolean;
  /** Metres by which the first would have to be moved to come free, if `soon`. */
  x: number;
  y: number;
}

/** Finds all collisions after a step, pairs in the order of the cars. */
export function collide(road: Road, dt: number): void {
  const { checks, cars } = road;
  for (let a = 0; a < cars; a++) {
    for (let b = a + 1; b < cars; b++) {
      if (checks[a] || checks[b]) collidePair(road, a, b, dt);
    }
  }
}

const meeting: Meeting = { now: false, soon: false, x: 0, y: 0 };

/** Two cars that overlap are crashed. Two that are about to are pushed apart, in the next step; a later push replaces an earlier. */
export function collidePair(road: Road, a: number, b: number, dt: number): void {
  if (areApart(road, a, b, dt)) return;
  meet(road, a, b, dt, meeting);
  if (meeting.soon) {
    road.pushX[a] = meeting.x / 2;
    road.pushY[a] = meeting.y / 2;
    road.pushX[b] = -meeting.x / 2;
    road.pushY[b] = -meeting.y / 2;
    road.struck[a] = 1;
    road.struck[b] = 1;
  }
  if (meeting.now) {
    road.crashed[a] = 1;
    road.crashed[b] = 1;
  }
}

/** Whether the circles around the two cars do not touch, even if the first goes on for a step: if it drives backwards, they are smaller. */
export function areApart({ x, y, speed }: Road, a: number, b: number, dt: number): boolean {
  const reach = DIAGONAL + speed[a] * dt;
  const along = x[b] - x[a];
  // Far most often, and told without a root.
  if (along > reach || -along > reach) return true;
  const across = y[b] - y[a];
  return sqrt(along * along + across * across) > reach;
}

/** [8] x and y of the corners, in order around the car. */
const first = new Float64Array(8);
const second = new Float64Array(8);

/**
 * Separating axes for two rectangles that move by their velocities for `dt` (codeproject 15573): the axis of the smallest
 * overlap after it, of equals the first, gives the way out. Cars with one and the same centre go against that axis.
 */
export function meet(road: Road, a: number, b: number, dt: number, into: Meeting): void {
  const { speed, cos, sin } = road;
  writeCorners(road, a, first);
  writeCorners(road, b, second);
  const alongX = (first[0] + first[2] + first[4] + first[6]) / 4 - (second[0] + second[2] + second[4] + second[6]) / 4;
  const alongY = (first[1] + first[3] + first[5] + first[7]) / 4 - (second[1] + second[3] + second[5] + second[7]) / 4;
  const goesX = speed[a] * cos[a] * dt - speed[b] * cos[b] * dt;
  const goesY = speed[a] * sin[a] * dt - speed[b] * sin[b] * dt;
  let least = POSITIVE_INFINITY;
  into.now = true;
  into.soon = true;
  into.x = 0;
  into.y = 0;
  for (let of = 0; of < 2; of++) {
    const corners = of === 0 ? first : second;
    for (let k = 0; k < 8; k += 2) {
      const next = (k + 2) % 8;
      const left = -corners[next + 1] + corners[k + 1];
      const right = corners[next] - corners[k];
      const norm = sqrt(left * left + right * right);
      const axisX = left / norm;
      const axisY = right / norm;
      let minA = POSITIVE_INFINITY;
      let maxA = NEGATIVE_INFINITY;
      let minB = minA;
      let maxB = maxA;
      for (let corner = 0; corner < 8; corner += 2) {
        const placeA = first[corner] * axisX + first[corner + 1] * axisY;
        const placeB = second[corner] * axisX + second[corner + 1] * axisY;
        if (placeA < minA) minA = placeA;
        if (placeA > maxA) maxA = placeA;
        if (placeB < minB) minB = placeB;
        if (placeB > maxB) maxB = placeB;
      }
      if (gap(minA, maxA, minB, maxB) > 0) into.now = false;
      const goes = axisX * goesX + axisY * goesY;
      if (goes < 0) minA += goes;
      else maxA += goes;
      const then = gap(minA, maxA, minB, maxB);
      if (then > 0) into.soon = false;
      if (!into.now && !into.soon) return;
      if (abs(then) < least) {
        least = abs(then);
        const away = alongX * axisX + alongY * axisY > 0;
        into.x = away ? axisX : -axisX;
        into.y = away ? axisY : -axisY;
      }
    }
  }
  into.x *= least;
  into.y *= least;
}

/** Metres between two intervals; negative where they overlap. */
const gap = (minA: number, maxA: number, minB: number, maxB: number) => (minA < minB ? minB - maxA : minA - maxB);

function writeCorners({ x, y, cos, sin }: Road, car: number, corners: Float64Array): void {
  for (let k = 0; k < 4; k++) {
    const forward = k < 2 ? -CAR_LENGTH / 2 : CAR_LENGTH / 2;
    const right = k === 0 || k === 3 ? -CAR_WIDTH / 2 : CAR_WIDTH / 2;
    corners[2 * k] = cos[car] * forward - sin[car] * right + x[car];
    corners[2 * k + 1] = sin[car] * forward + cos[car] * right + y[car];
  }
}
