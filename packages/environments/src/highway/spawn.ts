import type { Stream } from "@magic-mask/core";
import { aimAt, nearestSpeed } from "./control.ts";
import { closestLane, IDM, LANE_WIDTH, NO_LANE, PEDALS, type Road, SPEED_LIMIT, turned } from "./road.ts";

/** Who is set on the road, and how densely. */
export interface Traffic {
  readonly agents: number;
  readonly others: number;
  /** `META` or `PEDALS`. */
  readonly kind: number;
  /** Distances in front of agents' cars and of the others, in units of what is usual. */
  readonly agentSpacing: number;
  readonly otherSpacing: number;
  /** Whether pairs of others collide. */
  readonly checkOthers: boolean;
}

/** Metres per second. */
const AGENT_SPEED = 25;

/**
 * Sets all cars on the road, each in front of all before it: an agent's, then its share of the others, shares as equal as can
 * be and larger ones first. A car starts in the middle of a random lane at
 *
 *   x = max x + spacing·(12 + v)·e^(−lanes/8)·U(0.9, 1.1)
 *
 * the first as if max x were 3 of these distances. Agents drive 25 m/s, others U(21, 24), which they would keep, with δ from U(3.5, 4.5).
 */
export function spawn(road: Road, traffic: Traffic, random: Pick<Stream, "below" | "uniform">): void {
  const { agents, others, kind, agentSpacing, otherSpacing, checkOthers } = traffic;
  road.bytes.fill(0);
  const uniform = (low: number, high: number) => low + (high - low) * random.uniform();
  let furthest = 0;
  let car = 0;
  const place = (spacing: number, ownSpeed?: number) => {
    road.y[car] = LANE_WIDTH * random.below(road.lanes);
    const speed = ownSpeed ?? uniform(0.7 * SPEED_LIMIT, 0.8 * SPEED_LIMIT);
    const distance = spacing * (12 + speed) * Math.exp((-5 / 40) * road.lanes);
    if (car === 0) furthest = 3 * distance;
    furthest += distance * uniform(0.9, 1.1);
    road.x[car] = furthest;
    road.speed[car] = speed;
    turned(road, car);
    road.lane[car] = closestLane(road, car);
    road.targetLane[car] = road.lane[car];
  };
  for (let agent = 0; agent < agents; agent++) {
    place(agentSpacing, AGENT_SPEED);
    road.kind[car] = kind;
    road.checks[car] = 1;
    if (kind === PEDALS) road.targetLane[car] = NO_LANE;
    else aimAt(road, car, nearestSpeed(road, AGENT_SPEED));
    car++;
    const share = Math.floor(others / agents) + (agent < others % agents ? 1 : 0);
    for (let k = 0; k < share; k++) {
      place(otherSpacing);
      road.kind[car] = IDM;
      road.checks[car] = checkOthers ? 1 : 0;
      road.changesLanes[car] = 1;
      road.targetSpeed[car] = road.speed[car];
      road.timer[car] = firstTimer(road, car);
      road.delta[car] = uniform(3.5, 4.5);
      car++;
    }
  }
}

/** Seconds on the clock of a car that follows the Intelligent Driver Model when it starts: by its place, so that not all think at once. */
export function firstTimer({ x, y }: Road, car: number): number {
  const rest = ((x[car] + y[car]) * Math.PI) % 1;
  return rest < 0 ? rest + 1 : rest;
}
