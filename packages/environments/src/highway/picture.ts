import { agentColours, colours, shape, svgDocument, words } from "../svg.ts";
import { CAR_LENGTH, CAR_WIDTH, isOnRoad, LANE_WIDTH, type Road } from "./road.ts";

/** Units a metre. */
const SCALE = 6;
/** Metres of road behind and in front of an agent's car. */
const BEHIND = 30;
const AHEAD = 90;
/** Metres beside the road within which cars are still drawn. */
const VERGE = LANE_WIDTH;
const OTHERS = "#b8b8b2";

/**
 * One strip of road for each agent, around its car. Agents have their colours in every strip, other cars are grey, crashed ones
 * crossed out.
 */
export function drawRoad(road: Road, cars: Int32Array, names: readonly string[]): string {
  const { lanes, x, y, speed, crashed } = road;
  const width = SCALE * (BEHIND + AHEAD);
  const strip = SCALE * (LANE_WIDTH * lanes + 2 * VERGE);
  const elements = names.flatMap((name, agent) => {
    const car = cars[agent];
    const top = agent * strip + SCALE * VERGE;
    const left = x[car] - BEHIND;
    const state = crashed[car] ? ", crashed" : isOnRoad(road, car) ? "" : ", off the road";
    const heading = words(4, top - 6, `${name}: ${speed[car].toFixed(1)} m/s at ${x[car].toFixed(0)} m${state}`);
    const lines = Array.from({ length: lanes + 1 }, (_, line) => {
      const at = top + SCALE * LANE_WIDTH * line;
      // Dashes stand on the road, so that they pass by from one picture to the next.
      const dashes = { "stroke-dasharray": `${3 * SCALE} ${5 * SCALE}`, "stroke-dashoffset": SCALE * left };
      return shape("line", {
        ...{ x1: 0, y1: at, x2: width, y2: at, stroke: colours.line, "stroke-width": 2 },
        ...(line === 0 || line === lanes ? {} : dashes),
      });
    });
    const isNear = (other: number) =>
      x[other] > left - CAR_LENGTH &&
      x[other] < left + BEHIND + AHEAD + CAR_LENGTH &&
      y[other] > -LANE_WIDTH / 2 - VERGE &&
      y[other] < LANE_WIDTH * (lanes - 1 / 2) + VERGE;
    const near = Array.from({ length: road.cars }, (_, other) => other).filter(isNear);
    return [heading, ...lines, ...near.flatMap((other) => drawCar(road, other, cars.indexOf(other), left, top))];
  });
  return svgDocument(width, names.length * strip, elements);
}

function drawCar({ x, y, cos, sin, crashed }: Road, car: number, agent: number, left: number, top: number): string[] {
  const at = (forward: number, right: number) => [
    SCALE * (x[car] - left + forward * cos[car] - right * sin[car]),
    top + SCALE * (y[car] + LANE_WIDTH / 2 + forward * sin[car] + right * cos[car]),
  ];
  const [nose, side] = [CAR_LENGTH / 2, CAR_WIDTH / 2];
  const body = [at(-nose, -side), at(-nose, side), at(nose - 1, side), at(nose, 0), at(nose - 1, -side)];
  const points = body.map((corner) => corner.map((v) => v.toFixed(1)).join(",")).join(" ");
  const fill = agent < 0 ? OTHERS : agentColours[agent % agentColours.length];
  const shapes = [shape("polygon", { points, fill, stroke: colours.ink })];
  if (!crashed[car]) return shapes;
  for (const end of [-side, side]) {
    const [x1, y1] = at(-nose, end);
    const [x2, y2] = at(nose - 1, -end);
    shapes.push(shape("line", { x1, y1, x2, y2, stroke: colours.ink, "stroke-width": 2 }));
  }
  return shapes;
}
