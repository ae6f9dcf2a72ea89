import {
  box,
  checkCount,
  checkRange,
  discrete,
  type Environment,
  MagicMaskError,
  type Stream,
  stream,
} from "@magic-mask/core";
import { readSnapshot, requireEpisode } from "./checks.ts";
import { refuseUnknown } from "./options.ts";
import { agentColours, colours, shape, svgDocument, words } from "./svg.ts";

// By name: test runners that sandbox modules find a global some hundred times more slowly.
const { max, min, sqrt } = Math;

export interface PongWallsOptions {
  /** N, 2 to 64. */
  readonly agents?: number;
  /** Points after which the episode is terminated, ≥ 1. */
  readonly points?: number;
  /** Ticks after which the episode is truncated, ≥ 1. */
  readonly maxTicks?: number;
  /** What speeds of the ball are multiplied by, ½ to 2. */
  readonly speed?: number;
}

const SOURCE = "environments/pong-walls";
const FEATURES = 9;
/** Half of a paddle, half walls. */
const PADDLE = 0.3;
/** How far a paddle's middle gets from that of its wall, half walls: it ends where the wall does. */
const REACH = 1 - PADDLE;
/** Half walls that a paddle moves in a tick. */
const PADDLE_STEP = 1 / 16;
/** Of the ball, apothems a tick: at the serve, what a paddle multiplies it by, and at most. */
const SERVE_SPEED = 1 / 40;
const FASTER = 1.05;
const FASTEST = 1 / 16;
/** Tangent of the angle at which the ball leaves a paddle that it met with its end: 60° from straight ahead. */
const DEFLECTION = sqrt(3);
/** The share of a wall that serves are aimed at. */
const AIMED = 0.9;
/** Walls that a ball can meet in one tick; in a corner it might meet any number. */
const MOST_MEETINGS = 8;

/** Positions in the state. */
const X = 0;
const Y = 1;
const VX = 2;
const VY = 3;
/** −1 before `reset`. */
const TICKS = 4;
const POINTS = 5;
/** The wall whose agent lost the last step's point; −1 where nobody did. */
const LOST = 6;
const RANDOM = 7;
/** [N] the middle of each paddle, half walls from that of its wall. */
const PADDLES = RANDOM + 4;

/**
 * Pong between N walls, to see what becomes of anything as agents are added: a world of this workspace, with no original.
 *
 * The field is a regular polygon around the origin, a square for N = 2, with a pair of walls that nobody keeps and every ball
 * bounces off, and N walls for N ≥ 3. The distance from the middle to a wall, the apothem, is 1, so that flights take as long for
 * any N; walls and paddles shrink together, so that a keeper's task in half walls stays the same.
 *
 * Agents: `keeper_0` … `keeper_{N−1}`, counterclockwise, the first on the right; all act together.
 * Action: 0 stay, 1 left, 2 right, as one sees it who looks at the middle: right is counterclockwise. A paddle is .3 of its wall
 *   long and moves by 1/32 of it in a tick.
 * Ball: 1/40 a tick at the serve, 5 % faster with every paddle up to 1/16, both times `speed`. It leaves a paddle by where that was
 *   hit, straight at the middle and 60° to the side at the ends, whatever it came at.
 * Observation: [9], each in [−1, 1], in the agent's own frame: "along" is to its right, "toward" is to its wall; R is the distance
 *   of a corner.
 *     0 ball along / R; 1 ball toward / R; 2 its speed along, 3 toward, × 16 / `speed`
 *     4 own paddle, 5 that of the next agent on the left, 6 on the right, half walls, positive to their owners' right
 *     7 ball along / (4 half walls), clipped: the near side of 0, for many agents; 8 half a wall / √3
 *   With two agents both neighbours are the other one.
 * Reward: when the ball passes the paddle of a wall, −1 to its agent and 1/(N − 1) to each other.
 * Chance: a serve goes from the middle to a uniform place within nine tenths of a uniform agent's wall.
 * Ends: terminated after `points` points; truncated after `maxTicks` ticks.
 *
 * @throws invalid-option, unknown-key
 */
export function pongWalls({
  agents: N = 4,
  points = 10,
  maxTicks = 2000,
  speed: pace = 1,
  ...unknown
}: PongWallsOptions = {}): Environment {
  refuseUnknown(SOURCE, unknown);
  checkCount(SOURCE, "agents", N, 2, 64);
  checkCount(SOURCE, "points", points);
  checkCount(SOURCE, "maxTicks", maxTicks);
  checkRange(SOURCE, "speed", pace, 0.5, 2);
  const fastest = pace * FASTEST;

  const walls = N === 2 ? 4 : N;
  /** Walls from one agent to the next. */
  const apart = walls / N;
  const half = Math.tan(Math.PI / walls);
  const corner = Math.hypot(1, half);
  /** [walls] directions outward; a wall's own direction, along, is a quarter turn further: (−sin, cos). */
  const cos = Float64Array.from({ length: walls }, (_, wall) => Math.cos((2 * Math.PI * wall) / walls));
  const sin = Float64Array.from({ length: walls }, (_, wall) => Math.sin((2 * Math.PI * wall) / walls));
  const names = Array.from({ length: N }, (_, i) => `keeper_${i}`);
  const space = box([FEATURES], -1, 1);
  const actionSpace = discrete(3, ["stay", "left", "right"]);
  const features = Array.from({ length: FEATURES }, (_, i) => i);

  // The whole state; the arrays below follow from it.
  const losses = PADDLES + N;
  const state = new Float64Array(losses + N);
  state[TICKS] = -1;
  const bytes = new Uint8Array(state.buffer);
  const acting = new Uint8Array(N);
  const rewards = new Float64Array(N);
  const terminated = new Uint8Array(N);
  const truncated = new Uint8Array(N);
  const own = stream(0, SOURCE);
  /** Where chance comes from: `own`, or the stream of the last `restore`. */
  let chance: Stream = own;

  const publish = () => {
    const done = state[POINTS] === points ? 1 : 0;
    const late = state[TICKS] === maxTicks ? 1 : 0;
    terminated.fill(done);
    truncated.fill(late);
    acting.fill(state[TICKS] >= 0 && !done && !late ? 1 : 0);
    const lost = state[LOST];
    rewards.fill(lost < 0 ? 0 : 1 / (N - 1));
    if (lost >= 0) rewards[lost] = -1;
  };

  const serve = () => {
    const wall = apart * chance.below(N);
    const along = AIMED * half * (2 * chance.uniform() - 1);
    const speed = (pace * SERVE_SPEED) / sqrt(1 + along * along);
    state[X] = 0;
    state[Y] = 0;
    state[VX] = speed * (cos[wall] - along * sin[wall]);
    state[VY] = speed * (sin[wall] + along * cos[wall]);
  };

  /** Moves the ball by one tick, from wall to wall. @returns the agent that lost a point, or −1 */
  const fly = (): number => {
    let left = 1;
    for (let meeting = 0; meeting < MOST_MEETINGS; meeting++) {
      const toX = state[X] + left * state[VX];
      const toY = state[Y] + left * state[VY];
      let met = -1;
      // No wall is nearer than 1.
      if (toX * toX + toY * toY >= 1) {
        let soonest = left;
        for (let wall = 0; wall < walls; wall++) {
          const approach = cos[wall] * state[VX] + sin[wall] * state[VY];
          if (approach <= 0) continue;
          const time = (1 - cos[wall] * state[X] - sin[wall] * state[Y]) / approach;
          if (time >= soonest) continue;
          soonest = time;
          met = wall;
        }
        if (met >= 0) {
          soonest = max(0, soonest);
          state[X] += soonest * state[VX];
          state[Y] += soonest * state[VY];
          left -= soonest;
        }
      }
      if (met < 0) {
        state[X] = toX;
        state[Y] = toY;
        return -1;
      }
      if (met % apart !== 0) {
        const outward = 2 * (cos[met] * state[VX] + sin[met] * state[VY]);
        state[VX] -= outward * cos[met];
        state[VY] -= outward * sin[met];
        continue;
      }
      const agent = met / apart;
      const along = (cos[met] * state[Y] - sin[met] * state[X]) / half;
      const off = (along - state[PADDLES + agent]) / PADDLE;
      if (off < -1 || off > 1) return agent;
      const before = sqrt(state[VX] * state[VX] + state[VY] * state[VY]);
      const aside = DEFLECTION * off;
      const speed = min(fastest, before * FASTER) / sqrt(1 + aside * aside);
      state[VX] = speed * (-cos[met] - aside * sin[met]);
      state[VY] = speed * (-sin[met] + aside * cos[met]);
    }
    return -1;
  };

  return {
    id: "pong_walls_v0",
    agents: names,
    roles: names.map(() => "keeper"),
    observationSpaces: names.map(() => space),
    actionSpaces: names.map(() => actionSpace),
    turnBased: false,
    zeroSum: true,
    returnRange: [-points, points / (N - 1)],
    commonFeatures: names.map(() => features),
    chance: "steps",
    snapshotBytes: bytes.length,
    acting,
    rewards,
    terminated,
    truncated,

    reset(seed) {
      own.rekey(seed, SOURCE);
      chance = own;
      state.fill(0);
      state[LOST] = -1;
      serve();
      publish();
    },

    observe(agent, out, offset) {
      const wall = apart * agent;
      const along = cos[wall] * state[Y] - sin[wall] * state[X];
      out[offset] = along / corner;
      out[offset + 1] = (cos[wall] * state[X] + sin[wall] * state[Y]) / corner;
      out[offset + 2] = (cos[wall] * state[VY] - sin[wall] * state[VX]) / fastest;
      out[offset + 3] = (cos[wall] * state[VX] + sin[wall] * state[VY]) / fastest;
      out[offset + 4] = state[PADDLES + agent];
      out[offset + 5] = state[PADDLES + ((agent + N - 1) % N)];
      out[offset + 6] = state[PADDLES + ((agent + 1) % N)];
      out[offset + 7] = max(-1, min(1, along / (4 * half)));
      out[offset + 8] = half / DEFLECTION;
    },

    legal(agent, out, offset) {
      out.fill(acting[agent], offset, offset + 3);
      return 3 * acting[agent];
    },

    step(actions) {
      requireEpisode(SOURCE, acting[0] === 1);
      for (let agent = 0; agent < N; agent++) {
        const action = actions[agent];
        if (action !== 0 && action !== 1 && action !== 2) {
          throw new MagicMaskError(
            "illegal-action",
            SOURCE,
            `${names[agent]} may stay (0) or go left (1) or right (2), got ${action}`,
          );
        }
      }
      for (let agent = 0; agent < N; agent++) {
        if (actions[agent] === 0) continue;
        const to = state[PADDLES + agent] + (actions[agent] === 2 ? PADDLE_STEP : -PADDLE_STEP);
        state[PADDLES + agent] = max(-REACH, min(REACH, to));
      }
      state[LOST] = fly();
      state[TICKS]++;
      if (state[LOST] >= 0) {
        state[POINTS]++;
        state[losses + state[LOST]]++;
        serve();
      }
      publish();
    },

    snapshot(out, offset) {
      state.set(chance.exportState(), RANDOM);
      out.set(bytes, offset);
    },

    restore(from, offset, random) {
      readSnapshot(SOURCE, from, offset, bytes);
      chance = random ?? own;
      if (!random) own.restoreState(Array.from(state.subarray(RANDOM, RANDOM + 4)));
      publish();
    },

    render() {
      const [x, y] = [state[X], state[Y]].map((place) => place.toFixed(3));
      const paddles = Array.from(state.subarray(PADDLES, losses), (place) => place.toFixed(2)).join(" ");
      return `tick ${state[TICKS]}: point ${state[POINTS]} of ${points}, ball at ${x}, ${y}; paddles at ${paddles}`;
    },

    svg() {
      const scale = 100;
      const middle = corner * scale + 20;
      /** A place at `distance` from the middle and `along` wall `wall`, half walls. */
      const at = (wall: number, distance: number, along: number) => [
        middle + scale * (distance * cos[wall] - along * half * sin[wall]),
        middle - scale * (distance * sin[wall] + along * half * cos[wall]),
      ];
      const line = (wall: number, distance: number, from: number, to: number, stroke: string, width: number) => {
        const [x1, y1] = at(wall, distance, from);
        const [x2, y2] = at(wall, distance, to);
        return shape("line", { x1, y1, x2, y2, stroke, "stroke-width": width });
      };
      const lost = names.map((_, agent) => {
        const [left, top] = at(apart * agent, 0.85, 0);
        return words(left, top + 4, String(state[losses + agent]), {
          "text-anchor": "middle",
          fill: agentColours[agent % agentColours.length],
        });
      });
      const drawn = Array.from({ length: walls }, (_, wall) => {
        if (wall % apart !== 0) return line(wall, 1, -1, 1, colours.line, 4);
        const agent = wall / apart;
        const place = state[PADDLES + agent];
        const colour = agentColours[agent % agentColours.length];
        return line(wall, 1, -1, 1, colour, 1) + line(wall, 1, place - PADDLE, place + PADDLE, colour, 5);
      });
      const [cx, cy] = [middle + scale * state[X], middle - scale * state[Y]];
      return svgDocument(2 * middle, 2 * middle, [
        ...drawn,
        ...lost,
        shape("circle", { cx, cy, r: 3, fill: colours.ink }),
        words(middle, middle, `${state[POINTS]} of ${points}`, { "text-anchor": "middle", fill: colours.line }),
      ]);
    },
  };
}
