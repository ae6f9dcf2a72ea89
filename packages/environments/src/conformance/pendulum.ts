import type { RecordedTest } from "../conformance.ts";
import { pendulum, swing } from "../pendulum.ts";
import { same } from "./same.ts";

/** An episode as recorded: the state before the first action, the torques as asked for, and what came of each. */
interface PendulumEpisode {
  readonly kind: string;
  readonly actionDtype: "float32" | "float64";
  /** [2] */
  readonly init: readonly number[];
  /** [T] */
  readonly actions: readonly number[];
  /** [T][2] */
  readonly states: readonly (readonly number[])[];
  /** [T] */
  readonly rewards: readonly number[];
  /** [T][3] */
  readonly obs: readonly (readonly number[])[];
  /** One character a step: 0 or 1. */
  readonly truncated: string;
}

/** How far states and rewards may be apart, relative to their size. Engines differ in the last digit of sines; each step starts from the recorded state. */
const TOLERANCE = 1e-13;
/** NumPy squares by a power function that misses the nearest float32 in about one of a thousand; the reward is then off by this at most. */
const SLIP = 5e-10;

/**
 * One recorded episode of Pendulum. Episodes of float32 torques are replayed by the world itself, those of float64 torques, which
 * it does not take, by its dynamics.
 */
export function pendulumEpisode(recorded: unknown, index: number): RecordedTest {
  const kind = (recorded as Partial<PendulumEpisode> | null)?.kind;
  return {
    name: `episode ${index} (${kind ?? "of no kind"})`,
    run() {
      const { actionDtype, init, actions, states, rewards, obs, truncated } = readEpisode(recorded);
      const world = pendulum();
      const bytes = new Uint8Array(world.snapshotBytes);
      // θ, θ̇, what the last step paid, steps played
      const state = new Float64Array(bytes.buffer);
      const seen = new Float32Array(3);
      let before = init;
      let slips = 0;
      for (let t = 0; t < states.length; t++) {
        const at = (column: string) => `step ${t}, ${column}`;
        state.set([...before, 0, t]);
        if (actionDtype === "float64") {
          state[2] = swing(state, actions[t], false);
          state[3]++;
        } else {
          world.restore(bytes, 0);
          world.step(Float32Array.of(actions[t]));
          world.snapshot(bytes, 0);
        }
        near(at("state"), state.subarray(0, 2), states[t]);
        const isSlip = actionDtype === "float32" && !isNear(state[2], rewards[t]) && ++slips <= 1 + states.length / 100;
        if (Math.abs(state[2] - rewards[t]) > (isSlip ? SLIP : 0))
          near(at("reward"), state.subarray(2, 3), [rewards[t]]);
        world.restore(bytes, 0);
        same(at("reward of the world"), world.rewards[0], state[2]);
        world.observe(0, seen, 0);
        const far = obs[t].findIndex((x, i) => !(Math.abs(x - seen[i]) <= 2 ** -23 * Math.max(Math.abs(x), 1e-6)));
        if (far >= 0) same(at("observation"), [...seen], obs[t]);
        same(at("truncated"), String(world.truncated[0]), truncated[t]);
        before = states[t];
      }
    },
  };
}

function near(what: string, ours: Float64Array, recorded: readonly number[]): void {
  if (!recorded.every((x, i) => isNear(ours[i], x))) same(what, [...ours], recorded);
}

const isNear = (ours: number, recorded: number) =>
  Math.abs(ours - recorded) <= TOLERANCE * Math.max(1, Math.abs(recorded));

function readEpisode(recorded: unknown): PendulumEpisode {
  const episode = recorded as PendulumEpisode | null;
  if (!Array.isArray(episode?.states) || episode.states.length === 0) throw new Error("the recording has no states");
  const T = episode.states.length;
  for (const column of ["actions", "rewards", "obs", "truncated"] as const) {
    if (episode[column]?.length !== T) throw new Error(`${column} must have ${T} entries, one a state`);
  }
  if (![episode.init, ...episode.states].every((state) => Array.isArray(state) && state.length === 2)) {
    throw new Error("init and each state must have 2 numbers");
  }
  if (!episode.obs.every((seen) => Array.isArray(seen) && seen.length === 3)) {
    throw new Error("each observation must have 3 numbers");
  }
  if (episode.actionDtype !== "float32" && episode.actionDtype !== "float64") {
    throw new Error(`actionDtype must be float32 or float64, got ${episode.actionDtype}`);
  }
  return episode;
}
