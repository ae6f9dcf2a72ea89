import { boxSize, type Environment } from "@magic-mask/core";
import type { RecordedTest } from "../conformance.ts";
import { same } from "./same.ts";

/** An episode as recorded; x and y in turns where positions and velocities are flat. */
interface ParticleEpisode {
  readonly kind: string;
  readonly kwargs: Readonly<Record<string, unknown>>;
  readonly agents: readonly string[];
  /** [E][2] each; velocities are zero where there are none. */
  readonly init: {
    readonly agents: readonly (readonly number[])[];
    readonly landmarks: readonly (readonly number[])[];
    readonly vel?: readonly (readonly number[])[];
  };
  /** [N] */
  readonly obsDims: readonly number[];
  /** What all see before the first step, one behind the other. */
  readonly o0: readonly number[];
  readonly steps: readonly {
    /** [N] choices, or [N][5] reals. */
    readonly a: readonly (number | readonly number[])[];
    /** [2N] positions and velocities after the step. */
    readonly p: readonly number[];
    readonly v: readonly number[];
    /** [N] */
    readonly r: readonly number[];
    /** What all see after the step. */
    readonly o: readonly number[];
    /** One character an agent: 0 or 1. */
    readonly te: string;
    readonly tr: string;
  }[];
}

/**
 * How far velocities and rewards may be apart. Engines differ in the last digit of exponentials, and collisions make more of that
 * at every step, so each step starts from the recorded state.
 */
const TOLERANCE = 1e-12;
/** What only draws the original, or fills columns that nobody recorded. */
const PICTURES = ["render_mode", "dynamic_rescaling", "benchmark_data"];

/** One recorded episode of a particle world. */
export function particleEpisode(make: (options: never) => Environment, recorded: unknown, index: number): RecordedTest {
  const kind = (recorded as Partial<ParticleEpisode> | null)?.kind;
  return {
    name: `episode ${index} (${kind ?? "of no kind"})`,
    run() {
      const { agents, kwargs, init, obsDims, o0, steps } = readEpisode(recorded);
      const world = make(optionsOf(kwargs) as never);
      const N = world.agents.length;
      same("agents", world.agents, agents);
      same("dimensions", world.observationSpaces.map(boxSize), obsDims);
      const bytes = new Uint8Array(world.snapshotBytes);
      // Positions of all, velocities of the agents, two zeros, the steps played.
      const state = new Float64Array(bytes.buffer);
      const positions = state.subarray(0, 2 * N);
      const velocities = state.subarray(state.length - 3 - 2 * N, state.length - 3);
      const seen = new Float32Array(obsDims.reduce((sum, width) => sum + width, 0));
      const look = (at: string, wanted: readonly number[]) => {
        let offset = 0;
        obsDims.forEach((width, agent) => {
          world.observe(agent, seen, offset);
          offset += width;
        });
        near(at, seen, wanted, ulp);
      };

      same("entities", 2 * (init.agents.length + init.landmarks.length), state.length - 3 - 2 * N);
      state.set([...init.agents, ...init.landmarks, ...(init.vel ?? [])].flat());
      world.restore(bytes, 0);
      look("o0", o0);
      same("rewards at the start", [...world.rewards, ...world.terminated, ...world.truncated], Array(3 * N).fill(0));
      steps.forEach(({ a, p, v, r, o, te, tr }, t) => {
        const at = (column: string) => `step ${t}, ${column}`;
        same(at("who acts"), world.acting.join(""), "1".repeat(N));
        world.step(Float32Array.from(a.flat()));
        world.snapshot(bytes, 0);
        near(at("positions"), positions, p, () => TOLERANCE);
        near(at("velocities"), velocities, v, () => TOLERANCE);
        near(at("rewards"), world.rewards, r, () => TOLERANCE);
        same(at("terminated"), world.terminated.join(""), te);
        same(at("truncated"), world.truncated.join(""), tr);
        look(at("observations"), o);
        positions.set(p);
        velocities.set(v);
        world.restore(bytes, 0);
      });
    },
  };
}

/** The options that go by the original's names here, in camelCase. */
function optionsOf(kwargs: ParticleEpisode["kwargs"]): Record<string, unknown> {
  const kept = Object.entries(kwargs).filter(([name]) => !PICTURES.includes(name));
  return Object.fromEntries(
    kept.map(([name, value]) => [name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()), value]),
  );
}

/** Compares numbers one by one; what is not a number was recorded as null. @throws at the first that is too far off */
function near(
  what: string,
  ours: ArrayLike<number>,
  recorded: readonly (number | null)[],
  slack: (wanted: number) => number,
): void {
  same(`${what}, length`, ours.length, recorded.length);
  recorded.forEach((wanted, i) => {
    const [a, b] = [ours[i], wanted ?? Number.NaN];
    if (!(Math.abs(a - b) <= slack(b)) && !Object.is(a, b)) same(`${what}, number ${i}`, String(a), String(b));
  });
}

/** One unit in the last place of a float32, or what velocities may be off. */
const ulp = (x: number) => Math.max(Math.abs(x) * 2 ** -23, TOLERANCE);

function readEpisode(recorded: unknown): ParticleEpisode {
  const episode = recorded as ParticleEpisode | null;
  if (!Array.isArray(episode?.steps) || episode.steps.length === 0) throw new Error("the recording has no steps");
  for (const column of ["agents", "obsDims", "o0"] as const) {
    if (!Array.isArray(episode[column])) throw new Error(`${column} must be a list`);
  }
  if (!Array.isArray(episode.init?.agents) || !Array.isArray(episode.init.landmarks)) {
    throw new Error("init must hold agents and landmarks");
  }
  episode.steps.forEach((step, t) => {
    if (["a", "p", "v", "r", "o"].some((column) => !Array.isArray(step?.[column as "a"]))) {
      throw new Error(`step ${t} must have the lists a, p, v, r and o`);
    }
  });
  return { ...episode, kwargs: episode.kwargs ?? {} };
}
