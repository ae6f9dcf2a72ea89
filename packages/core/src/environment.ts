import type { Stream } from "./random.ts";
import { type ActionSpace, actionWidth, type Box } from "./space.ts";
import type { VectorEnvironment } from "./vector-environment.ts";

/** What is fixed about a world: enough to build networks for it. An agent is its index, everywhere. */
export interface EnvironmentSpec {
  /** Name with a version that is bumped whenever behaviour changes, e.g. `connect_four_v0`. */
  readonly id: string;
  /** [N] PettingZoo's `possible_agents`, in order. */
  readonly agents: readonly string[];
  /** [N] agents with the same role are interchangeable; common features compare agents across roles. */
  readonly roles: readonly string[];
  /** [N] */
  readonly observationSpaces: readonly Box[];
  /** [N] */
  readonly actionSpaces: readonly ActionSpace[];
  /** Exactly one agent acts at a time. */
  readonly turnBased: boolean;
  /** One agent's gain is the others' loss, and a return above 0 is a win. */
  readonly zeroSum: boolean;
  /** Lowest and highest undiscounted return of one agent's episode; null where the rules set no bound. */
  readonly returnRange: readonly [low: number, high: number] | null;
  /** [N][F] indices into each agent's observation: entry f means the same for every agent. Null where nothing is common. */
  readonly commonFeatures: readonly (readonly number[])[] | null;
  /**
   * Where chance comes in: nowhere, in what `reset` draws, or in steps too; then `restore` must heed the stream it is given.
   * Absent where it is not known.
   */
  readonly chance?: "none" | "reset" | "steps" | undefined;
  /** Bytes of one snapshot; 0 where the world cannot be copied. */
  readonly snapshotBytes: number;
}

/**
 * A world, simultaneous or turn based, as a struct of typed arrays that it owns and rewrites. Nothing is allocated per step.
 *
 * The arrays below are valid after `reset` and after each `step`. An episode is over when nobody acts.
 */
export interface Environment extends EnvironmentSpec {
  /** [N] 1 where the agent must choose an action now. */
  readonly acting: Uint8Array;
  /** [N] rewards written by the last step; zeros after `reset`, and for who had ended before it. */
  readonly rewards: Float64Array;
  /** [N] 1 once the task is over for the agent: nothing of value follows. */
  readonly terminated: Uint8Array;
  /** [N] 1 once the clock ran out for the agent: value still follows, so learners bootstrap. */
  readonly truncated: Uint8Array;

  /** Starts a new episode. The same seed always starts the same episode, on a fresh or a used instance. */
  reset(seed: number): void;
  /** Writes what `agent` sees now to `out[offset …]`, `boxSize(observationSpaces[agent])` numbers. Valid at any time after `reset`. */
  observe(agent: number, out: Float32Array, offset: number): void;
  /**
   * Writes the legal-action mask of `agent` to `out[offset …]`, `maskWidth(actionSpaces[agent])` entries: all zero unless it acts.
   * For `Candidates` spaces: as many ones as there are candidates, then zeros.
   *
   * @returns how many entries are legal; for spaces without a mask, 1 where the agent acts
   */
  legal(agent: number, out: Uint8Array, offset: number): number;
  /**
   * For `Candidates` spaces: writes the features of the legal moves, one row each, to `out[offset …]`, in the order that actions
   * count in.
   *
   * @returns how many there are; 0 unless the agent acts
   */
  candidates?(agent: number, out: Float32Array, offset: number): number;
  /** One word per candidate of the agent, in their order, for legends. Absent where nobody has named them. */
  candidateLabels?(agent: number): readonly string[];
  /**
   * Advances one tick. Slots of agents that do not act are ignored.
   *
   * @param actions [N × W] one slot per agent, W = `slotWidth(this)`
   * @throws out-of-order before `reset` or once the episode is over; illegal-action, with the state unchanged
   */
  step(actions: Float32Array): void;
  /** Writes the whole state, hidden parts and random state included, to `out[offset …]`, `snapshotBytes` bytes. */
  snapshot(out: Uint8Array, offset: number): void;
  /**
   * Continues from a snapshot of this world. With `random`, chance draws from that stream from now on: two restores with
   * equal streams share their chance (common random numbers).
   */
  restore(from: Uint8Array, offset: number, random?: Stream): void;
  /** The state as text. */
  render(): string;
  /** The state as a picture: an SVG document of its own. Never a canvas. Absent where nobody has drawn the world. */
  svg?(): string;
  /** Frees what it holds outside of this thread's memory, processes say. Absent where that is nothing. */
  close?(): void;
}

/** Builds fresh copies of one world. */
export interface MakeEnvironment {
  (): Environment;
  /** Builds many copies that step together better than one by one; see `vectorize`. @param copies C ≥ 1 */
  readonly vectorize?: (copies: number) => VectorEnvironment;
}

/** Width of an action slot: that of the widest agent's action, so that agent i's slot starts at i × W. */
export const slotWidth = (spec: EnvironmentSpec): number => Math.max(...spec.actionSpaces.map(actionWidth));

/** Whether the episode is over: nobody is left to act. */
export function isOver(environment: Environment): boolean {
  for (let i = 0; i < environment.acting.length; i++) if (environment.acting[i]) return false;
  return true;
}
