import { box, checkCount, discrete, type Environment, MagicMaskError, stream } from "@magic-mask/core";
import { readSnapshot, requireEpisode } from "./checks.ts";
import { checkSwitch } from "./options.ts";
import { agentColours, colours, shape, svgDocument, words } from "./svg.ts";

/** A round agent of mass 1 that pushes itself around. All agents collide. */
export interface Body {
  readonly name: string;
  readonly role: string;
  /** Radius. */
  readonly size: number;
  /** Force of one action. */
  readonly accel: number;
  /** `Infinity` where there is no limit. */
  readonly maxSpeed: number;
  /** What others see of it besides where it is: two numbers that are always 0 (it could speak, and does not), its velocity, or nothing. */
  readonly tells: "silence" | "velocity" | "nothing";
}

/** Options that all particle worlds share. */
export interface ParticleOptions {
  /** Steps after which an episode is truncated, ≥ 1. */
  readonly maxCycles?: number;
  /** Actions are five reals instead of one of five choices. */
  readonly continuousActions?: boolean;
  /** How many other agents each sees, the nearest first, ≥ 1; null for all of them in their order. */
  readonly numAgentNeighbors?: number | null;
  /** How many landmarks each sees, the nearest first, ≥ 1; null for all of them in their order. */
  readonly numLandmarkNeighbors?: number | null;
}

/** What tells one particle world from another. Entities are the bodies, then the landmarks. */
export interface ParticleRules extends Required<ParticleOptions> {
  readonly source: string;
  readonly id: string;
  readonly bodies: readonly Body[];
  readonly landmarks: {
    readonly count: number;
    /** Radius. */
    readonly size: number;
    /** Whether bodies bump into them. */
    readonly solid: boolean;
    /** They start within this distance of the centre, in x and in y. */
    readonly within: number;
  };
  /** Writes the rewards of the state that a step led to. @param positions [E × 2] x and y of every entity */
  pay(positions: Float64Array, rewards: Float64Array): void;
  /** Whether the task is done, which terminates; null where it never is. */
  readonly succeeded: ((positions: Float64Array) => boolean) | null;
}

const LABELS = ["stay", "left", "right", "down", "up"];
/** [5] where each discrete action pushes. */
const PUSH_X = Float64Array.of(0, -1, 1, 0, 0);
const PUSH_Y = Float64Array.of(0, 0, 0, -1, 1);
/** Seconds between two steps. */
const DT = 0.1;
/** What is left of a velocity after one step. */
const KEPT = 1 - 0.25;
const CONTACT_FORCE = 100;
/** Seconds of an agent's flight that its picture shows as a line. */
const AHEAD = 0.3;
/** How softly contact begins; see `penetration`. */
const MARGIN = 0.001;
/** From this gap on e^(−gap / MARGIN) is 0 in float64, and so is the force. */
const OUT_OF_REACH = 746 * MARGIN;

// By name: test runners that sandbox modules find a global some hundred times more slowly.
const { abs, exp, fround, log1p, max, min, sqrt } = Math;

/**
 * How far two bodies have sunk into each other, softly: k·ln(1 + e^(−gap/k)), k = 0.001, which is near −gap where they overlap
 * and near 0, never below, where they do not. Computed as NumPy's `logaddexp(0, −gap / k) * k`.
 *
 * @param gap distance of the centres − sum of the radii
 */
export function penetration(gap: number): number {
  const x = -gap / MARGIN;
  return (x > 0 ? x + log1p(exp(-x)) : log1p(exp(x))) * MARGIN;
}

/** Distance of two entities. */
export function distance(positions: Float64Array, a: number, b: number): number {
  const x = positions[2 * a] - positions[2 * b];
  const y = positions[2 * a + 1] - positions[2 * b + 1];
  return sqrt(x * x + y * y);
}

/**
 * A flat world of round bodies that push themselves and each other, as the multi-agent particle environments have it
 * (Lowe et al. 2017; Mordatch & Abbeel 2018), in the order of mpe2 1.1.1. One step of 0.1 s, for all bodies at once:
 *
 *   1. F = action × accel.
 *   2. Each pair that collides: F ± 100·(p_a − p_b)/|p_a − p_b|·penetration(|p_a − p_b| − r_a − r_b), + on a and − on b; from where
 *      they are before the step. Landmarks stay where they are. Centres that coincide make NaN, as in the original.
 *   3. p ← p + 0.1·v with the velocity from before the step; then v ← 0.75·v + 0.1·F, shortened to maxSpeed where it is longer.
 *   4. Rewards and observations, from the new state.
 *
 * Observation of an agent: its velocity (2), its position (2), the landmarks less its position (2 each), the other agents less its
 *   position (2 each), what each of these tells (2 each; see `Body`). Where only the nearest are seen, the nearest first (equals in
 *   their order), missing ones are zeros, and so are velocities of those who tell none. Float32 casts of float64 numbers.
 * Action: 0 stays, 1 pushes left (−x), 2 right, 3 down (−y), 4 up; or [5] reals: F = (a₂ − a₁, a₄ − a₃) × accel, differences in
 *   float32, a₀ unused. Reals outside [0, 1] count as the nearest bound, as in the original; those that are not finite are illegal.
 * Start: bodies uniform in [−1, 1)², then landmarks, from this workspace's streams; velocities 0. No chance afterwards.
 * Ends: truncated after maxCycles steps; terminated before that where the task is done.
 *
 * Exponentials are the engine's, so that in the last digit episodes may differ from the original's and between engines.
 */
export function particleWorld(rules: ParticleRules): Environment {
  const { source, id, bodies, landmarks, maxCycles, continuousActions, pay, succeeded } = rules;
  const { numAgentNeighbors, numLandmarkNeighbors } = rules;
  const A = bodies.length;
  const E = A + landmarks.count;
  const agents = bodies.map(({ name }) => name);
  const sizes = Float64Array.from({ length: E }, (_, e) => (e < A ? bodies[e].size : landmarks.size));
  const accels = Float64Array.from(bodies, ({ accel }) => accel);
  const maxSpeeds = Float64Array.from(bodies, ({ maxSpeed }) => maxSpeed);
  /** Entities below this one collide. */
  const solid = landmarks.solid ? E : A;

  // The whole state: positions, velocities of the bodies, two numbers that stay 0, and the steps played, −1 before `reset`.
  const SPEED = 2 * E;
  const ZERO = SPEED + 2 * A;
  const PLAYED = ZERO + 2;
  const state = new Float64Array(PLAYED + 1);
  state[PLAYED] = -1;
  const bytes = new Uint8Array(state.buffer);
  const positions = state.subarray(0, SPEED);
  const velocities = state.subarray(SPEED, ZERO);
  const forces = new Float64Array(2 * A);
  const acting = new Uint8Array(A);
  const rewards = new Float64Array(A);
  const terminated = new Uint8Array(A);
  const truncated = new Uint8Array(A);
  const random = stream(0, source);

  const seenLandmarks = numLandmarkNeighbors ?? landmarks.count;
  const seenAgents = numAgentNeighbors ?? A - 1;
  const isFixed = numAgentNeighbors === null && numLandmarkNeighbors === null;
  /** [A] where in the state lies what a body tells; −1 where that takes no place. */
  const told = Int32Array.from(bodies, ({ tells }, i) => {
    if (tells === "velocity") return SPEED + 2 * i;
    return tells === "silence" || numAgentNeighbors !== null ? ZERO : -1;
  });
  const widths = agents.map((_, agent) => {
    const tellers = numAgentNeighbors ?? told.filter((at, other) => other !== agent && at >= 0).length;
    return 4 + 2 * (seenLandmarks + seenAgents + tellers);
  });
  // Number f of an observation is state[plus[f]] − state[minus[f]]. Which landmarks and agents are near changes only `plus`.
  const plus = widths.map((width) => new Uint16Array(width));
  const minus = widths.map((width, agent) => {
    const less = new Uint16Array(width).fill(ZERO);
    for (let k = 0; k < min(seenLandmarks, landmarks.count); k++) point(less, 4 + 2 * k, 2 * agent);
    for (let k = 0; k < min(seenAgents, A - 1); k++) point(less, 4 + 2 * (seenLandmarks + k), 2 * agent);
    return less;
  });
  const nearest = new Uint16Array(E);
  const distances = new Float64Array(E);

  /** Lists the entities from … to − 1 without `agent`, by distance or in their order. @returns how many */
  const list = (agent: number, from: number, to: number, byDistance: boolean): number => {
    let count = 0;
    for (let e = from; e < to; e++) {
      if (e === agent) continue;
      const d = byDistance ? distance(positions, e, agent) : 0;
      let at = count++;
      for (; at > 0 && distances[at - 1] > d; at--) {
        distances[at] = distances[at - 1];
        nearest[at] = nearest[at - 1];
      }
      distances[at] = d;
      nearest[at] = e;
    }
    return count;
  };
  /** Fills in where the numbers that `agent` sees come from. */
  const aim = (agent: number) => {
    const from = plus[agent];
    let f = point(from, point(from, 0, SPEED + 2 * agent), 2 * agent);
    let count = list(agent, A, E, numLandmarkNeighbors !== null);
    for (let k = 0; k < seenLandmarks; k++) f = point(from, f, k < count ? 2 * nearest[k] : ZERO);
    count = list(agent, 0, A, numAgentNeighbors !== null);
    for (let k = 0; k < seenAgents; k++) f = point(from, f, k < count ? 2 * nearest[k] : ZERO);
    for (let k = 0; k < seenAgents; k++) {
      const at = k < count ? told[nearest[k]] : ZERO;
      if (at >= 0) f = point(from, f, at);
    }
  };
  for (let agent = 0; agent < A; agent++) aim(agent);

  const publish = () => {
    const played = state[PLAYED];
    const done = played > 0 && played < maxCycles && succeeded?.(positions) ? 1 : 0;
    const late = played >= maxCycles ? 1 : 0;
    for (let i = 0; i < A; i++) {
      terminated[i] = done;
      truncated[i] = late;
      acting[i] = played >= 0 && !done && !late ? 1 : 0;
    }
    if (played > 0) pay(positions, rewards);
    else rewards.fill(0);
  };

  const illegal = (agent: number, action: string) =>
    new MagicMaskError("illegal-action", source, `${agents[agent]} may choose ${action}`);

  /** Turns the actions into forces. */
  const push = (actions: Float32Array) => {
    if (!continuousActions) {
      for (let i = 0; i < A; i++) {
        const x = PUSH_X[actions[i]];
        if (x === undefined) throw illegal(i, `0 to 4, got ${actions[i]}`);
        forces[2 * i] = x * accels[i];
        forces[2 * i + 1] = PUSH_Y[actions[i]] * accels[i];
      }
      return;
    }
    for (let i = 0, at = 0; i < A; i++, at += 5) {
      for (let k = at; k < at + 5; k++) {
        if (abs(actions[k]) < Number.POSITIVE_INFINITY) continue;
        throw illegal(i, `five finite numbers, got ${actions.subarray(at, at + 5)}`);
      }
      forces[2 * i] = fround(clip(actions[at + 2]) - clip(actions[at + 1])) * accels[i];
      forces[2 * i + 1] = fround(clip(actions[at + 4]) - clip(actions[at + 3])) * accels[i];
    }
  };

  /** Adds what pushes apart those that touch. */
  const collide = () => {
    for (let a = 0; a < A; a++) {
      for (let b = a + 1; b < solid; b++) {
        const x = positions[2 * a] - positions[2 * b];
        const y = positions[2 * a + 1] - positions[2 * b + 1];
        const squared = x * x + y * y;
        const touch = sizes[a] + sizes[b];
        const reach = touch + OUT_OF_REACH;
        if (squared > reach * reach) continue;
        const d = sqrt(squared);
        const depth = penetration(d - touch);
        const forceX = ((CONTACT_FORCE * x) / d) * depth;
        const forceY = ((CONTACT_FORCE * y) / d) * depth;
        forces[2 * a] += forceX;
        forces[2 * a + 1] += forceY;
        if (b >= A) continue;
        forces[2 * b] -= forceX;
        forces[2 * b + 1] -= forceY;
      }
    }
  };

  const move = () => {
    for (let i = 0; i < A; i++) {
      const px = 2 * i;
      const py = px + 1;
      positions[px] += velocities[px] * DT;
      positions[py] += velocities[py] * DT;
      const x = velocities[px] * KEPT + forces[px] * DT;
      const y = velocities[py] * KEPT + forces[py] * DT;
      const speed = sqrt(x * x + y * y);
      const tooFast = speed > maxSpeeds[i];
      velocities[px] = tooFast ? (x / speed) * maxSpeeds[i] : x;
      velocities[py] = tooFast ? (y / speed) * maxSpeeds[i] : y;
    }
  };

  const actionSpace = continuousActions ? box([5], 0, 1) : discrete(5, LABELS);
  // Where agents of several roles are listed in their order, a place in the list means something else to each role.
  const sameEverywhere = numAgentNeighbors !== null || new Set(bodies.map(({ role }) => role)).size === 1;
  const features = Array.from({ length: sameEverywhere ? widths[0] : 4 + 2 * seenLandmarks }, (_, f) => f);

  return {
    id,
    agents,
    roles: bodies.map(({ role }) => role),
    observationSpaces: widths.map((width) => box([width], Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)),
    actionSpaces: bodies.map(() => actionSpace),
    turnBased: false,
    zeroSum: false,
    returnRange: null,
    commonFeatures: bodies.map(() => features),
    chance: "reset",
    snapshotBytes: bytes.length,
    acting,
    rewards,
    terminated,
    truncated,

    reset(seed) {
      random.rekey(seed, source);
      for (let i = 0; i < 2 * A; i++) positions[i] = -1 + 2 * random.uniform();
      for (let i = 2 * A; i < 2 * E; i++) positions[i] = landmarks.within * (-1 + 2 * random.uniform());
      velocities.fill(0);
      state[PLAYED] = 0;
      publish();
    },

    observe(agent, out, offset) {
      if (!isFixed) aim(agent);
      const from = plus[agent];
      const less = minus[agent];
      for (let f = 0; f < from.length; f++) out[offset + f] = state[from[f]] - state[less[f]];
    },

    legal(agent, out, offset) {
      if (continuousActions) return acting[agent];
      for (let a = 0; a < 5; a++) out[offset + a] = acting[agent];
      return 5 * acting[agent];
    },

    step(actions) {
      requireEpisode(source, acting[0] === 1);
      push(actions);
      collide();
      move();
      state[PLAYED]++;
      publish();
    },

    snapshot(out, offset) {
      out.set(bytes, offset);
    },

    restore(from, offset) {
      readSnapshot(source, from, offset, bytes);
      publish();
    },

    render() {
      // Contacts far away push by next to nothing, which is not to be written −0.000.
      const digits = (x: number) => x.toFixed(3).replace(/^-(0\.000)$/, "$1");
      const at = (values: Float64Array, i: number) => `(${digits(values[2 * i])} ${digits(values[2 * i + 1])})`;
      const places = Array.from({ length: landmarks.count }, (_, l) => at(positions, A + l));
      return [
        `step ${state[PLAYED]} of ${maxCycles}; landmarks at ${places.join(" ")}`,
        ...agents.map((name, i) => `${name} at ${at(positions, i)}, velocity ${at(velocities, i)}`),
      ].join("\n");
    },

    svg() {
      // From −1 to 1 and a margin, or as far out as somebody has gone or points.
      const ahead = (i: number) => positions[i] + AHEAD * (velocities[i] ?? 0);
      const far = positions.reduce((most, x, i) => max(most, abs(x), abs(ahead(i))), 1) + 0.3;
      const scale = 150 / far;
      const x = (value: number) => 150 + scale * value;
      const y = (value: number) => 150 - scale * value;
      const square = { x: x(-1), y: y(1), width: 2 * scale, height: 2 * scale, fill: "none", stroke: colours.line };
      const circle = (e: number) => ({
        cx: x(positions[2 * e]),
        cy: y(positions[2 * e + 1]),
        r: max(scale * sizes[e], 3),
      });
      const marks = Array.from({ length: landmarks.count }, (_, l) =>
        shape("circle", { ...circle(A + l), fill: landmarks.solid ? colours.line : colours.ink }),
      );
      const discs = bodies.map((_, i) => {
        const { cx, cy, r } = circle(i);
        return [
          shape("circle", { cx, cy, r, fill: agentColours[i % agentColours.length], "fill-opacity": 0.8 }),
          shape("line", { x1: cx, y1: cy, x2: x(ahead(2 * i)), y2: y(ahead(2 * i + 1)), stroke: colours.ink }),
        ].join("");
      });
      const names = bodies.map(({ name }, i) => {
        const { cx, cy, r } = circle(i);
        return words(min(max(cx, 26), 274), max(cy - r - 3, 9), name, { "font-size": 8, "text-anchor": "middle" });
      });
      const clock = words(8, 292, `step ${max(state[PLAYED], 0)} of ${maxCycles}`, { "font-size": 10 });
      return svgDocument(300, 300, [shape("rect", square), ...marks, ...discs, ...names, clock]);
    },
  };
}

/** Makes two entries of a table point at two numbers that lie side by side. @returns where the next two go */
function point(table: Uint16Array, f: number, at: number): number {
  table[f] = at;
  table[f + 1] = at + 1;
  return f + 2;
}

const clip = (x: number) => min(max(x, 0), 1);

/** @throws invalid-option */
export function checkParticleOptions(source: string, options: Required<ParticleOptions>): void {
  checkCount(source, "maxCycles", options.maxCycles);
  checkSwitch(source, "continuousActions", options.continuousActions);
  for (const name of ["numAgentNeighbors", "numLandmarkNeighbors"] as const) {
    const count = options[name];
    if (count !== null) checkCount(source, name, count, 1, 64);
  }
}

/** @throws invalid-option */
export function checkCurriculum(source: string, curriculum: boolean, stage: number, stages: number): void {
  checkSwitch(source, "curriculum", curriculum);
  checkCount(source, "curriculumStage", stage, 0, stages - 1);
  if (stage > 0 && !curriculum) {
    throw new MagicMaskError("invalid-option", source, `curriculumStage ${stage} needs curriculum to be true`);
  }
}
