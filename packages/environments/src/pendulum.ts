import { box, type Environment, MagicMaskError, stream } from "@magic-mask/core";
import { readSnapshot, requireEpisode } from "./checks.ts";
import { refuseUnknown } from "./options.ts";
import { colours, shape, svgDocument, words } from "./svg.ts";

const SOURCE = "environments/pendulum";

const MAX_TORQUE = 2;
const MAX_SPEED = 8;
/** 3g / 2l, with g = 10 m/s² and a rod of 1 m. */
const PULL = 15;
/** 3 / (m·l²), with a rod of 1 kg. */
const LEVER = 3;
const EFFORT = 0.001;
/** Seconds between two steps. */
const DT = 0.05;
/** Steps after which an episode is truncated. */
const CLOCK = 200;
/** Positions in the state, behind θ and θ̇: what the last step paid, and the steps played, −1 before `reset`. */
const PAID = 2;
const PLAYED = 3;
/** The least that one step pays: hanging down at full speed, at full torque. Float32's 0.001 is the larger one. */
const WORST = -(Math.PI * Math.PI + 0.1 * MAX_SPEED * MAX_SPEED + Math.fround(EFFORT) * MAX_TORQUE * MAX_TORQUE);

// By name: test runners that sandbox modules find a global some hundred times more slowly.
const { abs, cos, fround, max, min, PI, sin } = Math;

/**
 * Pendulum, as Gymnasium 1.4.0 plays `Pendulum-v1`.
 *
 * A rod hangs from a pivot and is to be swung up and held there, with a torque too weak to lift it at once. One agent, `agent_0`;
 * chance only in where it starts.
 * Observation: [3] = cos θ, sin θ, θ̇ (rad/s, −8 to 8); θ is 0 upright and grows anticlockwise; float32 casts of a float64 state.
 * Action: [1] torque in N·m, −2 to 2, anticlockwise. A torque beyond that counts as the nearest bound, as in Gymnasium; one that is
 *   not finite is illegal.
 * Reward: −(θ² + 0.1·θ̇² + 0.001·u²) with the state before the step and θ in [−π, π).
 * Start: θ uniform in [−π, π), θ̇ in [−1, 1), from this workspace's streams: the seeds are not NumPy's.
 * Ends: never terminated; truncated after 200 steps.
 *
 * Sines and cosines are the engine's, so that in the last digit episodes may differ from Gymnasium's and between engines.
 *
 * @throws unknown-key: there are no options
 */
export function pendulum(options: Readonly<Record<string, never>> = {}): Environment {
  refuseUnknown(SOURCE, options);

  // The whole state; the arrays below follow from it.
  const state = new Float64Array([0, 0, 0, -1]);
  const bytes = new Uint8Array(state.buffer);
  const acting = new Uint8Array(1);
  const rewards = new Float64Array(1);
  const truncated = new Uint8Array(1);
  const random = stream(0, SOURCE);

  const publish = () => {
    rewards[0] = state[PAID];
    truncated[0] = state[PLAYED] >= CLOCK ? 1 : 0;
    acting[0] = state[PLAYED] >= 0 && !truncated[0] ? 1 : 0;
  };

  return {
    id: "pendulum_v1",
    agents: ["agent_0"],
    roles: ["agent"],
    observationSpaces: [box([3], [-1, -1, -MAX_SPEED], [1, 1, MAX_SPEED])],
    actionSpaces: [box([1], -MAX_TORQUE, MAX_TORQUE)],
    turnBased: false,
    zeroSum: false,
    returnRange: [CLOCK * WORST, 0],
    commonFeatures: [[0, 1, 2]],
    chance: "reset",
    snapshotBytes: bytes.length,
    acting,
    rewards,
    terminated: new Uint8Array(1),
    truncated,

    reset(seed) {
      random.rekey(seed, SOURCE);
      state[0] = PI * (-1 + 2 * random.uniform());
      state[1] = -1 + 2 * random.uniform();
      state[PAID] = 0;
      state[PLAYED] = 0;
      publish();
    },

    observe(_, out, offset) {
      out[offset] = cos(state[0]);
      out[offset + 1] = sin(state[0]);
      out[offset + 2] = state[1];
    },

    legal: () => acting[0],

    step(actions) {
      requireEpisode(SOURCE, acting[0] === 1);
      if (!(abs(actions[0]) < Number.POSITIVE_INFINITY)) {
        throw new MagicMaskError("illegal-action", SOURCE, `agent_0's torque must be finite, got ${actions[0]}`);
      }
      state[PAID] = swing(state, actions[0], true);
      state[PLAYED]++;
      publish();
    },

    snapshot(out, offset) {
      out.set(bytes, offset);
    },

    restore(from, offset) {
      readSnapshot(SOURCE, from, offset, bytes);
      publish();
    },

    render() {
      const [angle, speed] = [state[0].toFixed(3), state[1].toFixed(3)];
      return `step ${state[PLAYED]} of ${CLOCK}: rod at ${angle} rad, ${speed} rad/s`;
    },

    svg() {
      const [x, y] = [120 - 90 * sin(state[0]), 110 - 90 * cos(state[0])];
      return svgDocument(240, 240, [
        shape("line", { x1: 120, y1: 110, x2: 120, y2: 12, stroke: colours.line, "stroke-dasharray": "3 4" }),
        shape("line", {
          x1: 120,
          y1: 110,
          x2: x,
          y2: y,
          stroke: colours.orange,
          "stroke-width": 14,
          "stroke-linecap": "round",
        }),
        shape("circle", { cx: 120, cy: 110, r: 4, fill: colours.ink }),
        words(8, 230, `step ${max(state[PLAYED], 0)} of ${CLOCK}, ${state[1].toFixed(2)} rad/s`),
      ]);
    },
  };
}

/**
 * One step of 0.05 s, in place; the angle moves by the velocity after the step:
 *
 *   θ̇ ← clip(θ̇ + (15·sin θ + 3u)·0.05, −8, 8),  θ ← θ + θ̇·0.05,  u = clip(torque, −2, 2)
 *
 * @param state [≥ 2] θ, θ̇
 * @param single 3u and 0.001·u² are float32 numbers, as NumPy has them where the torque is one
 * @returns what the step pays: −(θ² + 0.1·θ̇² + 0.001·u²) with the state from before, θ in [−π, π)
 */
export function swing(state: Float64Array, torque: number, single: boolean): number {
  const [angle, speed] = [state[0], state[1]];
  const u = max(-MAX_TORQUE, min(torque, MAX_TORQUE));
  const push = single ? fround(LEVER * u) : LEVER * u;
  const effort = single ? fround(fround(EFFORT) * fround(u * u)) : EFFORT * (u * u);
  let upright = (angle + PI) % (2 * PI);
  if (upright < 0) upright += 2 * PI;
  upright -= PI;
  const faster = speed + (PULL * sin(angle) + push) * DT;
  state[1] = max(-MAX_SPEED, min(faster, MAX_SPEED));
  state[0] = angle + state[1] * DT;
  return -(upright * upright + 0.1 * (speed * speed) + effort);
}
