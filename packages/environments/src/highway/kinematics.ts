import { CAR_LENGTH, clip, closestLane, type Road, turned } from "./road.ts";

// By name: test runners that sandbox modules find a global some hundred times more slowly.
const { atan, cos, max, min, PI, sin, tan } = Math;

/** Metres per second, forwards and backwards, beyond which a car brakes. */
const MAX_SPEED = 40;

/**
 * Moves one car by `dt` seconds, as a bicycle with its centre between the axles (Polack et al. 2017):
 *
 *   β = atan(tan(steering)/2),  ṗ = v·(cos(h+β), sin(h+β)),  ḣ = v·sin β/2.5,  v̇ = acceleration
 *
 * all by the values from before. A crashed car goes straight on and brakes with its speed a second. A push that a collision
 * left behind is carried out, and only then is the car crashed.
 */
export function move(road: Road, car: number, dt: number): void {
  const { x, y, heading, speed, steering, acceleration } = road;
  const v = speed[car];
  road.timer[car] += dt;
  if (road.crashed[car]) {
    steering[car] = 0;
    acceleration[car] = -v;
  }
  if (v > MAX_SPEED) acceleration[car] = min(acceleration[car], MAX_SPEED - v);
  else if (v < -MAX_SPEED) acceleration[car] = max(acceleration[car], -MAX_SPEED - v);

  if (steering[car] === 0) {
    // What the general case comes to, without its sines.
    x[car] += v * road.cos[car] * dt;
    y[car] += v * road.sin[car] * dt;
  } else {
    const slip = atan(0.5 * tan(steering[car]));
    x[car] += v * cos(heading[car] + slip) * dt;
    y[car] += v * sin(heading[car] + slip) * dt;
    heading[car] += ((v * sin(slip)) / (CAR_LENGTH / 2)) * dt;
    turned(road, car);
  }
  if (road.struck[car]) {
    x[car] += road.pushX[car];
    y[car] += road.pushY[car];
    road.crashed[car] = 1;
    road.struck[car] = 0;
  }
  speed[car] += acceleration[car] * dt;
  road.lane[car] = closestLane(road, car);
}

/** Holds pedal and wheel: −1 … 1 are −5 … 5 m/s² and −π/4 … π/4 rad; what is beyond is clipped. */
export function hold(road: Road, car: number, pedal: number, wheel: number): void {
  road.acceleration[car] = -5 + ((clip(pedal, -1, 1) + 1) * 10) / 2;
  road.steering[car] = -PI / 4 + ((clip(wheel, -1, 1) + 1) * (PI / 2)) / 2;
}
