import { MagicMaskError } from "./error.ts";

// By name: test runners that sandbox modules find a global some hundred times more slowly.
const { cos, floor, imul, log, PI, sqrt } = Math;

/** What names a stream: a root seed, then any path of names and numbers, e.g. `7, "coin", copy, episode`. */
export type StreamKey = readonly (number | string)[];

/** A stream of pseudo-random numbers. Pass it in; never reach for `Math.random`. */
export interface Stream {
  /** Uniform over the integers 0 … 2³² − 1. */
  bits(): number;
  /** Uniform in [0, 1), a multiple of 2⁻³². */
  uniform(): number;
  /** Uniform over the integers 0 … count − 1, for 1 ≤ count ≤ 2³². */
  below(count: number): number;
  /** Standard normal (Box & Muller 1958). */
  normal(): number;
  /** Starts over as the stream that `key` names, without allocating a new one. */
  rekey(...key: StreamKey): void;
  /** [4] words; `restoreState` of it continues exactly here. */
  exportState(): number[];
  /** @throws corrupt-file unless given four 32-bit words, not all zero */
  restoreState(state: readonly number[]): void;
}

/**
 * The stream that `key` names: xoshiro128++ (Blackman & Vigna 2021, doi:10.1145/3460772), its four words filled from a
 * 64-bit hash of the key. The same key is the same stream everywhere; any other key is an independent one.
 */
export function stream(...key: StreamKey): Stream {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;

  const self: Stream = {
    bits() {
      const sum = (a + d) | 0;
      const result = (((sum << 7) | (sum >>> 25)) + a) >>> 0;
      const shifted = b << 9;
      c ^= a;
      d ^= b;
      b ^= c;
      a ^= d;
      c ^= shifted;
      d = (d << 11) | (d >>> 21);
      return result;
    },
    uniform: () => self.bits() / 4294967296,
    below: (count) => floor((self.bits() / 4294967296) * count),
    normal() {
      const radius = sqrt(-2 * log((self.bits() + 1) / 4294967296));
      return radius * cos((2 * PI * self.bits()) / 4294967296);
    },
    rekey(...next) {
      const first = hashKey(next, 0x811c9dc5);
      const second = hashKey(next, 0x2545f491);
      a = mix(first);
      b = mix(second);
      c = mix(first + 0x9e3779b9);
      // Never all zero: `mix` is a bijection, so a and c differ.
      d = mix(second + 0x9e3779b9);
    },
    exportState: () => [a >>> 0, b >>> 0, c >>> 0, d >>> 0],
    restoreState(state) {
      const valid =
        state.length === 4 && state.every((word) => Number.isInteger(word) && word >= 0 && word <= 0xffffffff);
      if (!valid || state.every((word) => word === 0)) {
        throw new MagicMaskError(
          "corrupt-file",
          "core/random",
          `a stream's state is four words, not all zero; got [${state}]`,
        );
      }
      [a, b, c, d] = state.map((word) => word | 0) as [number, number, number, number];
    },
  };
  self.rekey(...key);
  return self;
}

/**
 * Puts `rows` into a uniformly random order, in place (Fisher & Yates).
 *
 * @param first how many places to fill at random, from the start; the rest holds what is left, in some order
 * @returns `rows`
 */
export function shuffle(rows: Int32Array, random: Stream, first: number = rows.length): Int32Array {
  for (let i = 0; i < first && i < rows.length - 1; i++) {
    const j = i + random.below(rows.length - i);
    const held = rows[i];
    rows[i] = rows[j];
    rows[j] = held;
  }
  return rows;
}

const scratch = new Float64Array(1);
const words = new Int32Array(scratch.buffer);

/** Finaliser of MurmurHash3 (Appleby): every input bit reaches every output bit. */
function mix(word: number): number {
  word = imul(word ^ (word >>> 16), 0x85ebca6b);
  word = imul(word ^ (word >>> 13), 0xc2b2ae35);
  return word ^ (word >>> 16);
}

/**
 * 32-bit hash of a key. Numbers count by their float64 bits, so 1 and "1" and 1.5 all differ; strings by their length too,
 * so that no two keys spell the same words.
 */
function hashKey(key: StreamKey, basis: number): number {
  let hash = basis;
  for (const part of key) {
    if (typeof part === "number") {
      scratch[0] = part + 0; // −0 counts as 0: JSON cannot tell them apart.
      hash = absorb(absorb(absorb(hash, 1), words[0]), words[1]);
    } else {
      hash = absorb(hash, 2 + part.length);
      for (let i = 0; i < part.length; i++) hash = absorb(hash, part.charCodeAt(i));
    }
  }
  return hash;
}

const absorb = (hash: number, word: number) => mix(imul(hash ^ word, 0x01000193) + 0x9e3779b9);
