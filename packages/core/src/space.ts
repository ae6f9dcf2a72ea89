import { MagicMaskError } from "./error.ts";

/** Finitely many choices: the integers 0 … n − 1 (Gymnasium's `Discrete`). */
export interface Discrete {
  readonly kind: "discrete";
  readonly n: number;
  /** [n] one word per choice, for legends and traces. */
  readonly labels?: readonly string[];
}

/** Several discrete choices at once (Gymnasium's `MultiDiscrete`). */
export interface MultiDiscrete {
  readonly kind: "multi-discrete";
  /** [k] the number of choices of each part. */
  readonly nvec: readonly number[];
}

/** Reals within bounds (Gymnasium's `Box`), flattened in C order. */
export interface Box {
  readonly kind: "box";
  readonly shape: readonly number[];
  /** One bound for all entries, or one per entry. */
  readonly low: number | readonly number[];
  readonly high: number | readonly number[];
}

/** A list of legal moves that changes from moment to moment, each described by features; the action is an index into it. */
export interface Candidates {
  readonly kind: "candidates";
  /** The longest the list can be. */
  readonly max: number;
  /** Length of one candidate's feature vector. */
  readonly features: number;
}

export type ActionSpace = Discrete | MultiDiscrete | Box | Candidates;

export const discrete = (n: number, labels?: readonly string[]): Discrete =>
  labels ? { kind: "discrete", n, labels } : { kind: "discrete", n };

export const multiDiscrete = (...nvec: number[]): MultiDiscrete => ({ kind: "multi-discrete", nvec });

export const box = (
  shape: readonly number[],
  low: number | readonly number[],
  high: number | readonly number[],
): Box => ({ kind: "box", shape, low, high });

export const candidates = (max: number, features: number): Candidates => ({ kind: "candidates", max, features });

/** Number of entries of a box: the product of its shape. */
export const boxSize = (space: Box): number => space.shape.reduce((product, length) => product * length, 1);

/** Numbers that one action of `space` takes: its slot is that wide. */
export function actionWidth(space: ActionSpace): number {
  if (space.kind === "multi-discrete") return space.nvec.length;
  return space.kind === "box" ? boxSize(space) : 1;
}

/** Entries of the legal-action mask of `space`: one per choice; 0 where legality is not a mask (`Box`). */
export function maskWidth(space: ActionSpace): number {
  if (space.kind === "discrete") return space.n;
  if (space.kind === "candidates") return space.max;
  return space.kind === "multi-discrete" ? space.nvec.reduce((sum, n) => sum + n, 0) : 0;
}

/** Whether the slot that starts at `values[offset]` lies in `space`. Slots are float32, so a box's bounds are rounded as its entries are. */
export function contains(space: ActionSpace, values: ArrayLike<number>, offset = 0): boolean {
  const whole = (x: number, n: number) => Number.isInteger(x) && x >= 0 && x < n;
  if (space.kind === "discrete") return whole(values[offset], space.n);
  if (space.kind === "candidates") return whole(values[offset], space.max);
  if (space.kind === "multi-discrete") return space.nvec.every((n, i) => whole(values[offset + i], n));
  const size = boxSize(space);
  if (offset + size > values.length) return false;
  const { low, high } = space;
  for (let i = 0; i < size; i++) {
    const x = Math.fround(values[offset + i]);
    const lowest = Math.fround(typeof low === "number" ? low : low[i]);
    const highest = Math.fround(typeof high === "number" ? high : high[i]);
    if (!(Number.isFinite(x) && x >= lowest && x <= highest)) return false;
  }
  return true;
}

/** Moves the slot that starts at `values[offset]` into a box, entry by entry; slots of other spaces stay as they are. */
export function clip(space: ActionSpace, values: Float32Array, offset: number): void {
  if (space.kind !== "box") return;
  const { low, high } = space;
  const size = boxSize(space);
  for (let i = 0; i < size; i++) {
    const lowest = typeof low === "number" ? low : low[i];
    const highest = typeof high === "number" ? high : high[i];
    if (values[offset + i] < lowest) values[offset + i] = lowest;
    else if (values[offset + i] > highest) values[offset + i] = highest;
  }
}

/**
 * Whether an agent that acts has a choice to make, where its mask has `count` entries that are legal: more than one action.
 *
 * @param count as `Environment.legal` returns it
 */
export function hasChoice(space: ActionSpace, count: number): boolean {
  if (space.kind === "box") return true;
  return count > (space.kind === "multi-discrete" ? space.nvec.length : 1);
}

/**
 * n where an action is one of at most n choices, 0 … n − 1, for pieces that need that: those of `Discrete`, the longest list
 * of `Candidates`.
 *
 * @throws unsupported, naming who asked and what came
 */
export function requireChoices(source: string, space: ActionSpace): number {
  if (space.kind === "discrete") return space.n;
  if (space.kind === "candidates") return space.max;
  throw new MagicMaskError("unsupported", source, `needs discrete actions or candidates, got ${space.kind}`);
}
