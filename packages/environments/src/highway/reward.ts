import { clip, isOnRoad, PEDALS, type Road } from "./road.ts";

/** 0 … 1 from left to right: the lane that the car is bound for; its own where it has no such aim. */
export const rightness = ({ kind, lane, targetLane, lanes }: Road, car: number): number =>
  (kind[car] === PEDALS ? lane[car] : targetLane[car]) / Math.max(lanes - 1, 1);

/** 0 … 1 from 20 to 30 m/s along the road. */
export const swiftness = ({ speed, cos }: Road, car: number): number => clip((speed[car] * cos[car] - 20) / 10, 0, 1);

/**
 * What a car earns where it has come to, 0 … 1, and 0 off the road:
 *
 *   (−crashed + 0.1·rightness + 0.4·swiftness + 1) / 1.5
 */
export function rewardOf(road: Road, car: number): number {
  if (!isOnRoad(road, car)) return 0;
  return (-road.crashed[car] + 0.1 * rightness(road, car) + 0.4 * swiftness(road, car) + 1) / 1.5;
}
