import { box, checkCount, checkRange, discrete, type Environment, MagicMaskError, stream } from "@magic-mask/core";
import { readSnapshot, requireEpisode } from "./checks.ts";
import { collide } from "./highway/collisions.ts";
import { command, META_ACTIONS, pursue } from "./highway/control.ts";
import { decide } from "./highway/idm.ts";
import { hold, move } from "./highway/kinematics.ts";
import { FEATURES, observeFrom, SEEN } from "./highway/observation.ts";
import { drawRoad } from "./highway/picture.ts";
import { rewardOf } from "./highway/reward.ts";
import { createRoad, IDM, isOnRoad, META, PEDALS, type Road, turned } from "./highway/road.ts";
import { spawn } from "./highway/spawn.ts";
import { refuseUnknown } from "./options.ts";

export interface HighwayOptions {
  /** N, cars that are driven by agents, 1 to 16; 4. */
  readonly agents?: number;
  /** Other cars, 0 to 500; 50, fast 20. */
  readonly others?: number;
  /** 1 to 16; 4, fast 3. */
  readonly lanes?: number;
  /** Seconds after which an episode is truncated, 0.1 to 10 000; 40, fast 30. */
  readonly duration?: number;
  /** Steps of the simulation in a second, a whole number; 15, fast 5. */
  readonly simulationFrequency?: number;
  /** Decisions in a second, a whole number ≤ simulationFrequency; 1. */
  readonly policyFrequency?: number;
  /** Distance at which an agent's car starts in front of those before it, 0.1 to 100, in units of that between the others at density 1; 2, fast 1.5. */
  readonly agentSpacing?: number;
  /** Density of the others, 0.1 to 100; 1. */
  readonly density?: number;
  /** What agents choose: meta actions, or pedal and wheel; "discrete". */
  readonly action?: "discrete" | "continuous";
  /** m/s, two or more, ascending and evenly spaced: what meta actions choose from; [20, 25, 30]. */
  readonly targetSpeeds?: readonly number[];
  /** Also ends an agent's episode when the centre of its car leaves the road; false. */
  readonly offroadTerminal?: boolean;
  /** Pay everybody what the first agent earns, and end with it alone, as highway-env does; false. */
  readonly firstCarOnly?: boolean;
}

const SOURCE = "environments/highway";

/** What an agent's status byte says. */
const DRIVES = 0;
const HAS_JUST_ENDED = 1;
const HAS_ENDED = 2;

/**
 * A highway with several agents, as highway-env 1.12.1 simulates `highway-v0` (Leurent 2018).
 *
 * Agents drive among cars that follow the Intelligent Driver Model and change lanes by MOBIL. They are `agent_0` … in the order
 * in which they start, the first furthest behind. Chance only in where and how cars start: see `spawn`.
 * Observation: [5, 5], row by row [presence, x, y, vx, vy] of the own car and of the four nearest: see `observeFrom`.
 * Action: 0 lane left, 1 idle, 2 lane right, 3 faster, 4 slower: targets that the car then pursues. All are always legal, as
 *   they are in highway-env: its list of available actions refuses nothing, and some that are not on it do have effects.
 *   Continuous: [2] = pedal and wheel, −1 … 1 for −5 … 5 m/s² and −π/4 … π/4 rad, held for the whole step; clipped.
 * Reward: 0 … 1 for speed and for driving on the right, at most 1/3 in the step of a crash, 0 off the road: see `rewardOf`.
 * Start: everybody in the middle of a lane; agents at 25 m/s, others at 21 … 24.
 * Ends: terminated for an agent that has crashed (or, by option, left the road): it leaves, and its car stays as an obstacle.
 *   Truncated for all who are left when the time is up. With `firstCarOnly` all agents stay until the first is terminated.
 *
 * highway-env itself has one agent by default, and with several it pays and ends by the first alone. Episodes start from this
 * workspace's streams: the seeds are not NumPy's. Sines and the like are the engine's, so that last digits may differ.
 *
 * @throws invalid-option, unknown-key
 */
export const highway = (options: HighwayOptions = {}): Environment => createHighway("highway_v0", true, options);

/** The coarser and emptier `highway-fast-v0`: other defaults, and cars of which neither is an agent's drive through each other. */
export const highwayFast = (options: HighwayOptions = {}): Environment =>
  createHighway("highway_fast_v0", false, {
    simulationFrequency: 5,
    lanes: 3,
    others: 20,
    duration: 30,
    agentSpacing: 1.5,
    ...options,
  });

function createHighway(
  id: string,
  checkOthers: boolean,
  {
    agents: N = 4,
    others = 50,
    lanes = 4,
    duration = 40,
    simulationFrequency = 15,
    policyFrequency = 1,
    agentSpacing = 2,
    density = 1,
    action = "discrete",
    targetSpeeds = [20, 25, 30],
    offroadTerminal = false,
    firstCarOnly = false,
    ...unknown
  }: HighwayOptions,
): Environment {
  refuseUnknown(SOURCE, unknown);
  checkCount(SOURCE, "agents", N, 1, 16);
  checkCount(SOURCE, "others", others, 0, 500);
  checkCount(SOURCE, "lanes", lanes, 1, 16);
  checkRange(SOURCE, "duration", duration, 0.1, 10_000);
  checkCount(SOURCE, "simulationFrequency", simulationFrequency, 1, 1000);
  checkCount(SOURCE, "policyFrequency", policyFrequency, 1, simulationFrequency);
  checkRange(SOURCE, "agentSpacing", agentSpacing, 0.1, 100);
  checkRange(SOURCE, "density", density, 0.1, 100);
  if (action !== "discrete" && action !== "continuous") {
    throw new MagicMaskError("invalid-option", SOURCE, `action must be "discrete" or "continuous", got ${action}`);
  }
  if (!isEvenLadder(targetSpeeds)) {
    throw new MagicMaskError(
      "invalid-option",
      SOURCE,
      `targetSpeeds must be two or more speeds, ascending and evenly spaced, got ${JSON.stringify(targetSpeeds)}`,
    );
  }
  for (const [name, value] of Object.entries({ offroadTerminal, firstCarOnly })) {
    if (typeof value === "boolean") continue;
    throw new MagicMaskError("invalid-option", SOURCE, `${name} must be true or false, got ${value}`);
  }

  const continuous = action === "continuous";
  const traffic = {
    agents: N,
    others,
    kind: continuous ? PEDALS : META,
    agentSpacing,
    otherSpacing: 1 / density,
    checkOthers,
  };
  const dt = 1 / simulationFrequency;
  const frames = Math.floor(simulationFrequency / policyFrequency);
  const space = box([SEEN, FEATURES], -1, 1);
  const actionSpace = continuous ? box([2], -1, 1) : discrete(META_ACTIONS.length, META_ACTIONS);
  const agents = Array.from({ length: N }, (_, agent) => `agent_${agent}`);
  const features = Array.from({ length: SEEN * FEATURES }, (_, i) => i);

  // The whole state: the road, the seconds played (−1 before `reset`) and how each agent stands. The arrays below follow from it.
  const road = createRoad(N + others, lanes, targetSpeeds);
  const clock = new Float64Array([-1]);
  const status = new Uint8Array(N);
  const parts = [road.bytes, new Uint8Array(clock.buffer), status];
  const snapshotBytes = parts.reduce((sum, part) => sum + part.length, 0);
  /** [N] each agent's car, in order of the cars. */
  const cars = new Int32Array(N);
  const acting = new Uint8Array(N);
  const rewards = new Float64Array(N);
  const terminated = new Uint8Array(N);
  const truncated = new Uint8Array(N);
  const random = stream(0, SOURCE);

  const hasEnded = (car: number) => road.crashed[car] === 1 || (offroadTerminal && !isOnRoad(road, car));

  const publish = () => {
    const time = clock[0];
    for (let agent = 0; agent < N; agent++) {
      const payer = firstCarOnly ? 0 : agent;
      terminated[agent] = status[payer] === DRIVES ? 0 : 1;
      truncated[agent] = time >= duration && status[payer] !== HAS_ENDED ? 1 : 0;
      acting[agent] = time >= 0 && !terminated[agent] && !truncated[agent] ? 1 : 0;
      rewards[agent] = time <= 0 || status[payer] === HAS_ENDED ? 0 : rewardOf(road, cars[payer]);
    }
  };

  return {
    id,
    agents,
    roles: agents.map(() => "car"),
    observationSpaces: agents.map(() => space),
    actionSpaces: agents.map(() => actionSpace),
    turnBased: false,
    zeroSum: false,
    returnRange: [0, Math.ceil(duration * policyFrequency) + 1],
    commonFeatures: agents.map(() => features),
    chance: "reset",
    snapshotBytes,
    acting,
    rewards,
    terminated,
    truncated,

    reset(seed) {
      random.rekey(seed, SOURCE);
      spawn(road, traffic, random);
      findCars(road, cars);
      clock[0] = 0;
      status.fill(DRIVES);
      publish();
    },

    observe(agent, out, offset) {
      observeFrom(road, cars[agent], out, offset);
    },

    legal(agent, out, offset) {
      if (continuous) return acting[agent];
      out.fill(acting[agent], offset, offset + META_ACTIONS.length);
      return META_ACTIONS.length * acting[agent];
    },

    step(actions) {
      let over = true;
      for (let agent = 0; agent < N; agent++) {
        if (!acting[agent]) continue;
        over = false;
        if (continuous) {
          const pedal = actions[2 * agent];
          const wheel = actions[2 * agent + 1];
          if (Number.isFinite(pedal) && Number.isFinite(wheel)) continue;
          throw new MagicMaskError(
            "illegal-action",
            SOURCE,
            `${agents[agent]} must give finite numbers for pedal and wheel, got ${pedal} and ${wheel}`,
          );
        }
        const chosen = actions[agent];
        if (chosen >= 0 && chosen < META_ACTIONS.length && Number.isInteger(chosen)) continue;
        throw new MagicMaskError(
          "illegal-action",
          SOURCE,
          `${agents[agent]} may choose 0 to ${META_ACTIONS.length - 1} (${META_ACTIONS.join(", ")}), got ${chosen}`,
        );
      }
      requireEpisode(SOURCE, !over);

      clock[0] += 1 / policyFrequency;
      for (let agent = 0; agent < N; agent++) {
        if (!acting[agent]) continue;
        if (continuous) hold(road, cars[agent], actions[2 * agent], actions[2 * agent + 1]);
        else command(road, cars[agent], actions[agent]);
      }
      for (let frame = 0; frame < frames; frame++) advance(road, dt);
      for (let agent = 0; agent < N; agent++) {
        if (status[agent] !== DRIVES) status[agent] = HAS_ENDED;
        else if ((!firstCarOnly || agent === 0) && hasEnded(cars[agent])) status[agent] = HAS_JUST_ENDED;
      }
      publish();
    },

    snapshot(out, offset) {
      let at = offset;
      for (const part of parts) {
        out.set(part, at);
        at += part.length;
      }
    },

    restore(from, offset) {
      readSnapshot(SOURCE, from, offset, ...parts);
      for (let car = 0; car < road.cars; car++) turned(road, car);
      findCars(road, cars);
      publish();
    },

    render() {
      if (clock[0] < 0) return "not started";
      const lines = agents.map((name, agent) => `${name}: ${describe(road, cars[agent])}`);
      return [`second ${Number(clock[0].toFixed(2))} of ${duration}`, ...lines].join("\n");
    },

    svg: () => drawRoad(road, cars, agents),
  };
}

/** One step of the simulation: everybody decides in turn, then everybody moves, then collisions are found. */
export function advance(road: Road, dt: number): void {
  for (let car = 0; car < road.cars; car++) {
    if (road.kind[car] === IDM) decide(road, car);
    else if (road.kind[car] === META) pursue(road, car);
  }
  for (let car = 0; car < road.cars; car++) move(road, car, dt);
  collide(road, dt);
}

/** Writes down which cars are agents': those that no model drives. */
function findCars(road: Road, cars: Int32Array): void {
  let agent = 0;
  for (let car = 0; car < road.cars; car++) if (road.kind[car] !== IDM) cars[agent++] = car;
}

function describe(road: Road, car: number): string {
  const target = road.targetLane[car];
  const lane = road.lane[car] === target || road.kind[car] === PEDALS ? "" : ` → ${target}`;
  const aim = road.kind[car] === PEDALS ? "" : ` → ${road.targetSpeed[car]}`;
  const place = `x ${road.x[car].toFixed(1)} m, lane ${road.lane[car]}${lane}, ${road.speed[car].toFixed(1)}${aim} m/s`;
  return place + (road.crashed[car] ? ", crashed" : isOnRoad(road, car) ? "" : ", off the road");
}

function isEvenLadder(speeds: unknown): boolean {
  if (!Array.isArray(speeds) || speeds.length < 2 || speeds.length > 255) return false;
  const rung = speeds[1] - speeds[0];
  return speeds.every(
    (speed, i) => Number.isFinite(speed) && rung > 0 && Math.abs(speed - speeds[0] - i * rung) < 1e-6,
  );
}
