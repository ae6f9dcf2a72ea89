import { steer } from "./control.ts";
import { clip, isOnLane, isReachable, notZero, type Road, SPEED_LIMIT } from "./road.ts";

// By name: test runners that sandbox modules find a global some hundred times more slowly.
const { abs, exp, log, max, min, sqrt } = Math;
const { POSITIVE_INFINITY, NEGATIVE_INFINITY } = Number;

/** Metres per second². */
const COMFORTABLE = 3;
const BRAKING = 5;
const MAX_ACCELERATION = 6;
/** Metres from centre to centre, and seconds, that are kept to the car in front. */
const STANDING_GAP = 10;
const TIME_GAP = 1.5;
/** MOBIL: seconds between two thoughts, m/s² to be won, and m/s² that the next car behind may have to brake. */
const PAUSE = 1;
const LEAST_GAIN = 0.2;
const IMPOSED = 2;
/** A car counts in a lane up to so many metres beside it, so that between two lanes it counts in both. */
const MARGIN = 1;
const NOBODY = -1;

/** Decides for one car: where to, then how to steer and how to accelerate. A crashed one decides nothing. */
export function decide(road: Road, car: number): void {
  if (road.crashed[car]) return;
  if (road.changesLanes[car]) chooseLane(road, car);
  const lane = road.lane[car];
  const target = road.targetLane[car];
  road.steering[car] = steer(road, car, target);
  let wanted = accelerationBehind(road, car, frontOf(road, car, lane), car);
  if (lane !== target) wanted = min(wanted, accelerationBehind(road, car, frontOf(road, car, target), car));
  road.acceleration[car] = clip(wanted, -MAX_ACCELERATION, MAX_ACCELERATION);
}

/**
 * The acceleration of the Intelligent Driver Model (Treiber, Hennecke & Helbing 2000):
 *
 *   a = 3·(1 − (max(v, 0)/v₀)^δ) − 3·(d⋆/d)²
 *
 * with the second part only where somebody is in `front`. It may be asked of any car; δ is that of `judge`, who wonders.
 *
 * @param car −1 for nobody, who does not accelerate
 */
export function accelerationBehind(road: Road, car: number, front: number, judge: number): number {
  if (car === NOBODY) return 0;
  const wanted = abs(notZero(clip(road.targetSpeed[car], 0, SPEED_LIMIT)));
  const share = max(road.speed[car], 0) / wanted;
  // A power, by functions that are the same in every engine.
  const free = COMFORTABLE * (1 - exp(road.delta[judge] * log(share)));
  if (front === NOBODY) return free;
  const ratio = desiredGap(road, car, front) / notZero(road.x[front] - road.x[car]);
  return free - COMFORTABLE * (ratio * ratio);
}

/** Metres that `car` would keep to `front`: d⋆ = 10 + 1.5·v + v·Δv/(2√15), Δv along the car's heading. It may be negative. */
export function desiredGap(road: Road, car: number, front: number): number {
  const { speed, cos, sin } = road;
  const v = speed[car];
  const closing =
    (v * cos[car] - speed[front] * cos[front]) * cos[car] + (v * sin[car] - speed[front] * sin[front]) * sin[car];
  return STANDING_GAP + v * TIME_GAP + (v * closing) / (2 * sqrt(COMFORTABLE * BRAKING));
}

/** The nearest car at or before the place of `car` in `lane`; of equals the last in order; −1 for nobody. */
export function frontOf(road: Road, car: number, lane: number): number {
  const { x } = road;
  const own = x[car];
  let nearest = POSITIVE_INFINITY;
  let front = NOBODY;
  for (let other = 0; other < road.cars; other++) {
    const place = x[other];
    if (place < own || place > nearest || other === car || !isOnLane(road, other, lane, MARGIN)) continue;
    nearest = place;
    front = other;
  }
  return front;
}

/** The nearest car behind the place of `car` in `lane`; of equals the first in order; −1 for nobody. */
export function rearOf(road: Road, car: number, lane: number): number {
  const { x } = road;
  const own = x[car];
  let nearest = NEGATIVE_INFINITY;
  let rear = NOBODY;
  for (let other = 0; other < road.cars; other++) {
    const place = x[other];
    if (place >= own || place <= nearest || other === car || !isOnLane(road, other, lane, MARGIN)) continue;
    nearest = place;
    rear = other;
  }
  return rear;
}

/**
 * Sets the target lane. A change under way is given up if somebody else is changing to the same lane in front, nearer than the
 * desired gap; a new one is thought of once a second, left before right, so that right wins.
 */
function chooseLane(road: Road, car: number): void {
  const { lane, targetLane, x } = road;
  const own = lane[car];
  const target = targetLane[car];
  if (own !== target) {
    for (let other = 0; other < road.cars; other++) {
      if (targetLane[other] !== target || lane[other] === target || other === car) continue;
      const distance = x[other] - x[car];
      if (distance > 0 && distance < desiredGap(road, car, other)) {
        targetLane[car] = own;
        return;
      }
    }
    return;
  }
  if (!(road.timer[car] > PAUSE)) return;
  road.timer[car] = 0;
  for (let side = own - 1; side <= own + 1; side += 2) {
    if (side < 0 || side >= road.lanes || !isReachable(road, car, side)) continue;
    if (abs(road.speed[car]) >= 1 && isWorthwhile(road, car, side)) targetLane[car] = side;
  }
}

/**
 * Whether MOBIL (Kesting, Treiber & Helbing 2007) advises the change, without politeness: the next car behind need not brake
 * hard, and the car itself gains.
 */
export function isWorthwhile(road: Road, car: number, side: number): boolean {
  if (accelerationBehind(road, rearOf(road, car, side), car, car) < -IMPOSED) return false;
  const there = accelerationBehind(road, car, frontOf(road, car, side), car);
  const here = accelerationBehind(road, car, frontOf(road, car, road.lane[car]), car);
  return !(there - here < LEAST_GAIN);
}
