import {
  type ActionSpace,
  actionWidth,
  boxSize,
  contains,
  type Environment,
  MagicMaskError,
  maskWidth,
  stream,
} from "@magic-mask/core";

/** An action as PettingZoo and Gymnasium users write it: a number for discrete spaces, a list of numbers for the others. */
export type Action = number | ArrayLike<number>;

/** What an agent sees, with the mask where the conventions put it. Both arrays are the caller's to keep. */
export interface Observation {
  /** Flat, in C order. */
  readonly observation: Float32Array;
  /** 1 = legal; all zero where it is not this agent's move, empty for spaces without a mask. */
  readonly action_mask: Uint8Array;
}

export interface ResetOptions {
  /** Names the episode. Without it the next episode of the sequence that the last seed began. */
  readonly seed?: number;
  /** Accepted for the signature's sake: these worlds have none, and a non-empty object is refused. */
  readonly options?: Readonly<Record<string, unknown>>;
}

/**
 * How `reset({ seed, options })` starts episodes of `environment`.
 *
 * @returns a function that resets the world and says with which seed; it throws invalid-option if `options` holds anything
 */
export function episodeStarter(environment: Environment): (asked: ResetOptions) => number {
  const next = stream(0, "episodes");
  return ({ seed, options = {} }) => {
    const keys = Object.keys(options).join(", ");
    if (keys) {
      const source = `environments/${environment.id}`;
      throw new MagicMaskError(
        "invalid-option",
        source,
        `reset() takes no options here, got ${keys}; give them to the factory`,
      );
    }
    if (seed !== undefined) next.rekey(seed, "episodes");
    const used = seed ?? next.bits();
    environment.reset(used);
    return used;
  };
}

/** The index of the agent called `name`. @throws unknown-name */
export function agentIndex(environment: Environment, name: string): number {
  const agent = environment.agents.indexOf(name);
  if (agent >= 0) return agent;
  const known = environment.agents.join(", ");
  throw new MagicMaskError(
    "unknown-name",
    `environments/${environment.id}`,
    `there is no agent "${name}"; choose one of: ${known}`,
  );
}

/** The mask of `agent` now. */
export function maskOf(environment: Environment, agent: number): Uint8Array {
  const mask = new Uint8Array(maskWidth(environment.actionSpaces[agent]));
  environment.legal(agent, mask, 0);
  return mask;
}

/** What `agent` sees now; `action_mask` as given. */
export function observationOf(environment: Environment, agent: number, action_mask: Uint8Array): Observation {
  const observation = new Float32Array(boxSize(environment.observationSpaces[agent]));
  environment.observe(agent, observation, 0);
  return { observation, action_mask };
}

/**
 * Writes `action` to the slot at `slots[offset]`.
 *
 * @throws illegal-action if it is not in `space`, legal or not
 */
export function writeAction(
  source: string,
  space: ActionSpace,
  action: Action | null,
  slots: Float32Array,
  offset: number,
): void {
  const numbers = typeof action === "number" ? [action] : Array.from(action ?? []);
  if (numbers.length !== actionWidth(space) || !contains(space, numbers)) {
    throw new MagicMaskError(
      "illegal-action",
      source,
      `the action must lie in the ${describe(space)} space, got ${JSON.stringify(action)}`,
    );
  }
  slots.set(numbers, offset);
}

/** Whether the mask allows the action in the slot at `slots[offset]`; true for spaces without a mask. */
export function isLegal(space: ActionSpace, mask: ArrayLike<number>, slots: Float32Array, offset: number): boolean {
  if (space.kind === "discrete") return mask[slots[offset]] === 1;
  if (space.kind !== "multi-discrete") return true;
  let from = 0;
  return space.nvec.every((n, part) => {
    from += n;
    return mask[from - n + slots[offset + part]] === 1;
  });
}

/** Facades show masks; moves that come as a list with features have no place in them. @throws unsupported */
export function refuseCandidates(source: string, environment: Environment): void {
  if (environment.actionSpaces.every((space) => space.kind !== "candidates")) return;
  throw new MagicMaskError(
    "unsupported",
    source,
    `${environment.id} lists candidate moves, which this shape cannot show`,
  );
}

const describe = (space: ActionSpace) => (space.kind === "discrete" ? `discrete(${space.n})` : space.kind);
