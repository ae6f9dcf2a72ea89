import { MagicMaskError } from "./error.ts";
import type { ActionSpace, Candidates } from "./space.ts";

/** The lists of candidates of B decisions: ragged rows beside the batch's own. */
export interface CandidateLists {
  /** [K × F] features of candidates, the ones of a list in consecutive rows. */
  readonly features: Float32Array;
  /** [B] the row where each decision's list begins. */
  readonly starts: Int32Array;
  /** [B] how many candidates it has. */
  readonly counts: Int32Array;
}

/** Lists that are being written, one behind the other; the array of features is replaced by a longer one when it is full. */
export interface CandidateStore extends CandidateLists {
  /** F */
  width: number;
  features: Float32Array;
  /** K, candidates in use. */
  length: number;
}

/** F, the length of a candidate's features; 0 for spaces of other kinds. */
export const candidateWidth = (space: ActionSpace): number => (space.kind === "candidates" ? space.features : 0);

/**
 * An empty store.
 *
 * @param width F
 * @param capacity decisions that it has room for
 * @param allocate gives memory for so many bytes; shared memory, say
 */
export function createCandidateStore(
  width: number,
  capacity: number,
  allocate: (bytes: number) => ArrayBufferLike = (bytes) => new ArrayBuffer(bytes),
): CandidateStore {
  return {
    width,
    features: new Float32Array(allocate(4 * width * capacity)),
    starts: new Int32Array(allocate(4 * capacity)),
    counts: new Int32Array(allocate(4 * capacity)),
    length: 0,
  };
}

/** Makes room for `more` candidates behind those in use. A longer array is of the same kind of memory, shared where it was. */
export function reserveCandidates(store: CandidateStore, more: number): void {
  const { features, length, width } = store;
  const needed = (length + more) * width;
  if (needed <= features.length) return;
  const Memory = features.buffer.constructor as new (bytes: number) => ArrayBufferLike;
  store.features = new Float32Array(new Memory(4 * Math.max(needed, 2 * features.length)));
  store.features.set(features.subarray(0, length * width));
}

/**
 * Makes the next `count` candidates the list of decision `at`.
 *
 * @returns where in `store.features`, which may be another array than before, the features are to be written
 */
export function addList(store: CandidateStore, at: number, count: number): number {
  reserveCandidates(store, count);
  const start = store.length;
  store.starts[at] = start;
  store.counts[at] = count;
  store.length += count;
  return start * store.width;
}

/** Appends the list of decision `row` of `from` as that of decision `at`. */
export function copyCandidates(from: CandidateLists, row: number, to: CandidateStore, at: number): void {
  const { width } = to;
  const [start, count] = [from.starts[row], from.counts[row]];
  const offset = addList(to, at, count);
  to.features.set(from.features.subarray(start * width, (start + count) * width), offset);
}

/**
 * Lets lists pass whose rows can be read.
 *
 * @param shape max and F of what reads them
 * @param rows decisions that are read, or how many from the first on
 * @throws shape-mismatch
 */
export function requireCandidates(
  source: string,
  { max, features: F }: Pick<Candidates, "max" | "features">,
  lists: CandidateLists | undefined,
  rows: Int32Array | number,
): void {
  if (!lists) throw new MagicMaskError("shape-mismatch", source, "this network scores candidates, but none were given");
  const { features, starts, counts } = lists;
  const B = typeof rows === "number" ? rows : rows.length;
  for (let b = 0; b < B; b++) {
    const row = typeof rows === "number" ? b : rows[b];
    const [start, count] = [starts[row], counts[row]];
    if (start >= 0 && count >= 1 && count <= max && (start + count) * F <= features.length) continue;
    const held = `${features.length} numbers hold ${Math.floor(features.length / F)}`;
    const message = `row ${row} must have 1 to ${max} candidates of ${F} features; got ${count} from ${start} on, where ${held}`;
    throw new MagicMaskError("shape-mismatch", source, message);
  }
}
