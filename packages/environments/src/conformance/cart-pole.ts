import { cartPole, push } from "../cart-pole.ts";
import type { RecordedTest } from "../conformance.ts";
import { same } from "./same.ts";

/** An episode as recorded: the state before the first action, the actions, and what came of each. */
interface CartPoleEpisode {
  readonly kind: string;
  readonly kwargs: { readonly sutton_barto_reward?: boolean };
  /** [4] */
  readonly init: readonly number[];
  /** One character a step: 0 or 1. */
  readonly actions: string;
  /** [T][4] */
  readonly states: readonly (readonly number[])[];
  /** [T] */
  readonly rewards: readonly number[];
  /** One character a step: 0 or 1. */
  readonly terminated: string;
  readonly truncated: string;
}

/**
 * How far two states may be apart. Engines differ in the last digit of sines; a falling pole makes more of that at every step, so
 * each step starts from the recorded state.
 */
const TOLERANCE = 1e-12;

/**
 * One recorded episode of CartPole. Gymnasium lets an episode be stepped after its end; there the equations of motion go on being
 * compared, and this workspace's world must refuse.
 */
export function cartPoleEpisode(recorded: unknown, index: number): RecordedTest {
  const kind = (recorded as Partial<CartPoleEpisode> | null)?.kind;
  return {
    name: `episode ${index} (${kind ?? "of no kind"})`,
    run() {
      const { kwargs, init, actions, states, rewards, terminated, truncated } = readEpisode(recorded);
      const world = cartPole({ suttonBartoReward: kwargs.sutton_barto_reward === true });
      const seen = new Float32Array(4);
      const bytes = new Uint8Array(world.snapshotBytes);
      // x, ẋ, θ, θ̇, steps played, fallen
      const state = new Float64Array(bytes.buffer);
      let before = init;
      for (let t = 0; t < states.length; t++) {
        const at = (column: string) => `step ${t}, ${column}`;
        const action = Number(actions[t]);
        state.set(before);
        state[4] = t;
        state[5] = 0;
        if (terminated[t - 1] === "1") {
          push(state, action === 1 ? 10 : -10);
          same(
            at("refusal"),
            refuses(() => world.step(new Float32Array([action]))),
            true,
          );
        } else {
          world.restore(bytes, 0);
          world.step(new Float32Array([action]));
          world.snapshot(bytes, 0);
          world.observe(0, seen, 0);
          same(at("observation"), [...seen], [...state.subarray(0, 4)].map(Math.fround));
          same(at("reward"), world.rewards[0], rewards[t]);
        }
        const distance = Math.max(...states[t].map((x, i) => Math.abs(x - state[i])));
        if (!(distance <= TOLERANCE)) same(at("state"), [...state.subarray(0, 4)], states[t]);
        same(at("terminated"), String(world.terminated[0]), terminated[t]);
        same(at("truncated"), String(world.truncated[0]), truncated[t]);
        before = states[t];
      }
    },
  };
}

function readEpisode(recorded: unknown): CartPoleEpisode {
  const episode = recorded as CartPoleEpisode | null;
  if (!Array.isArray(episode?.states) || episode.states.length === 0) throw new Error("the recording has no states");
  const T = episode.states.length;
  for (const column of ["actions", "rewards", "terminated", "truncated"] as const) {
    if (episode[column]?.length !== T) throw new Error(`${column} must have ${T} entries, one a state`);
  }
  if (![episode.init, ...episode.states].every((state) => Array.isArray(state) && state.length === 4)) {
    throw new Error("init and each state must have 4 numbers");
  }
  return { ...episode, kwargs: episode.kwargs ?? {} };
}

function refuses(step: () => void): boolean {
  try {
    step();
  } catch {
    return true;
  }
  return false;
}
