import { box, discrete, type Environment, MagicMaskError, stream } from "@magic-mask/core";
import { readSnapshot, requireEpisode } from "./checks.ts";
import { checkSwitch, refuseUnknown } from "./options.ts";
import { agentColours, colours, shape, svgDocument, words } from "./svg.ts";

export interface CartPoleOptions {
  /** Pay 0 while the pole stands and −1 when it has fallen (Sutton & Barto), instead of 1 for every step. */
  readonly suttonBartoReward?: boolean;
}

const SOURCE = "environments/cart-pole";

const GRAVITY = 9.8;
const POLE_MASS = 0.1;
const TOTAL_MASS = 0.1 + 1.0;
/** Half of the pole. */
const LENGTH = 0.5;
const POLE_MOMENT = POLE_MASS * LENGTH;
const FORCE = 10;
/** Seconds between two steps. */
const TAU = 0.02;
const X_LIMIT = 2.4;
const THETA_LIMIT = (12 * 2 * Math.PI) / 360;
/** Steps after which an episode is truncated. */
const CLOCK = 500;
/** Positions in the state, behind x, ẋ, θ and θ̇: the steps played, −1 before `reset`; and 1 once the last step ended beyond a limit. */
const PLAYED = 4;
const FALLEN = 5;

/**
 * CartPole, as Gymnasium 1.4.0 plays `CartPole-v1` (Barto, Sutton & Anderson 1983).
 *
 * A pole stands on a cart that is pushed left or right at every step. One agent, `agent_0`; chance only in where it starts.
 * Observation: [4] = x (m, 0 at the centre), ẋ (m/s), θ (rad, 0 upright, to the right positive), θ̇ (rad/s), float32 casts of a
 *   float64 state.
 * Action: 0 pushes to the left with 10 N, 1 to the right; always both legal.
 * Reward: 1 for every step, the last one included; with `suttonBartoReward` 0, and −1 for the step in which the pole falls.
 * Start: each of the four uniform in [−0.05, 0.05), from this workspace's streams: the seeds are not NumPy's.
 * Ends: terminated once |x| > 2.4 or |θ| > 12°; truncated after 500 steps, even if that one was the last anyway.
 *
 * Sines and cosines are the engine's, so that in the last digit episodes may differ from Gymnasium's and between engines.
 *
 * @throws invalid-option, unknown-key
 */
export function cartPole({ suttonBartoReward = false, ...unknown }: CartPoleOptions = {}): Environment {
  refuseUnknown(SOURCE, unknown);
  checkSwitch(SOURCE, "suttonBartoReward", suttonBartoReward);
  const [whileUp, onFall] = suttonBartoReward ? [0, -1] : [1, 1];
  const space = box(
    [4],
    [-2 * X_LIMIT, Number.NEGATIVE_INFINITY, -2 * THETA_LIMIT, Number.NEGATIVE_INFINITY],
    [2 * X_LIMIT, Number.POSITIVE_INFINITY, 2 * THETA_LIMIT, Number.POSITIVE_INFINITY],
  );

  // The whole state; the arrays below follow from it.
  const state = new Float64Array([0, 0, 0, 0, -1, 0]);
  const bytes = new Uint8Array(state.buffer);
  const acting = new Uint8Array(1);
  const rewards = new Float64Array(1);
  const terminated = new Uint8Array(1);
  const truncated = new Uint8Array(1);
  const random = stream(0, SOURCE);

  const publish = () => {
    terminated[0] = state[FALLEN];
    truncated[0] = state[PLAYED] === CLOCK ? 1 : 0;
    acting[0] = state[PLAYED] >= 0 && !terminated[0] && !truncated[0] ? 1 : 0;
    rewards[0] = state[PLAYED] < 1 ? 0 : terminated[0] ? onFall : whileUp;
  };

  return {
    id: "cartpole_v1",
    agents: ["agent_0"],
    roles: ["agent"],
    observationSpaces: [space],
    actionSpaces: [discrete(2, ["left", "right"])],
    turnBased: false,
    zeroSum: false,
    returnRange: suttonBartoReward ? [-1, 0] : [1, CLOCK],
    commonFeatures: [[0, 1, 2, 3]],
    chance: "reset",
    snapshotBytes: bytes.length,
    acting,
    rewards,
    terminated,
    truncated,

    reset(seed) {
      random.rekey(seed, SOURCE);
      for (let i = 0; i < PLAYED; i++) state[i] = -0.05 + 0.1 * random.uniform();
      state[PLAYED] = 0;
      state[FALLEN] = 0;
      publish();
    },

    observe(_, out, offset) {
      for (let i = 0; i < PLAYED; i++) out[offset + i] = state[i];
    },

    legal(_, out, offset) {
      out[offset] = acting[0];
      out[offset + 1] = acting[0];
      return 2 * acting[0];
    },

    step(actions) {
      requireEpisode(SOURCE, acting[0] === 1);
      const action = actions[0];
      if (action !== 0 && action !== 1) {
        throw new MagicMaskError("illegal-action", SOURCE, `agent_0 may push left (0) or right (1), got ${action}`);
      }
      push(state, action === 1 ? FORCE : -FORCE);
      state[PLAYED]++;
      state[FALLEN] = isBeyond(state) ? 1 : 0;
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
      const [x, speed, angle, turn] = Array.from(state.subarray(0, PLAYED), (value) => value.toFixed(3));
      return `step ${state[PLAYED]} of ${CLOCK}: cart at ${x} m, ${speed} m/s; pole at ${angle} rad, ${turn} rad/s`;
    },

    svg() {
      // 50 units a metre: the track from limit to limit, the whole pole 1 m long.
      const x = 150 + 50 * state[0];
      const pole = { x1: x, y1: 100, x2: x + 50 * Math.sin(state[2]), y2: 100 - 50 * Math.cos(state[2]) };
      const limit = (side: number) => {
        const at = 150 + side * 50 * X_LIMIT;
        return shape("line", { x1: at, y1: 30, x2: at, y2: 124, stroke: colours.line, "stroke-dasharray": "3 4" });
      };
      return svgDocument(300, 150, [
        limit(-1),
        limit(1),
        shape("line", { x1: 0, y1: 114, x2: 300, y2: 114, stroke: colours.line }),
        shape("rect", { x: x - 20, y: 100, width: 40, height: 14, fill: colours.ink }),
        shape("line", { ...pole, stroke: agentColours[1], "stroke-width": 5, "stroke-linecap": "round" }),
        words(8, 142, `step ${Math.max(state[PLAYED], 0)} of ${CLOCK}${state[FALLEN] ? ", fallen" : ""}`),
      ]);
    },
  };
}

/**
 * One explicit Euler step of 0.02 s, in place; positions move by the velocities before the step (Florian 2007, without friction):
 *
 *   t = (F + 0.05·θ̇²·sin θ) / 1.1,  θ̈ = (9.8·sin θ − cos θ·t) / (0.5·(4/3 − 0.1·cos² θ / 1.1)),  ẍ = t − 0.05·θ̈·cos θ / 1.1
 *
 * @param state [≥ 4] x, ẋ, θ, θ̇
 * @param force F, newtons, to the right
 */
export function push(state: Float64Array, force: number): void {
  const speed = state[1];
  const turn = state[3];
  const cos = Math.cos(state[2]);
  const sin = Math.sin(state[2]);
  const temp = (force + POLE_MOMENT * (turn * turn) * sin) / TOTAL_MASS;
  const angular = (GRAVITY * sin - cos * temp) / (LENGTH * (4 / 3 - (POLE_MASS * (cos * cos)) / TOTAL_MASS));
  const linear = temp - (POLE_MOMENT * angular * cos) / TOTAL_MASS;
  state[0] += TAU * speed;
  state[1] += TAU * linear;
  state[2] += TAU * turn;
  state[3] += TAU * angular;
}

/** Strictly: a cart or pole right at a limit goes on. */
const isBeyond = (state: Float64Array) =>
  state[0] < -X_LIMIT || state[0] > X_LIMIT || state[2] < -THETA_LIMIT || state[2] > THETA_LIMIT;
