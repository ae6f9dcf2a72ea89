import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { type StreamKey, shuffle, stream } from "./random.ts";
import { agrees, equalShares } from "./testing/planted/chi-square.ts";

const WORD = 0xffffffffn;
const rotl = (x: bigint, k: bigint) => ((x << k) | (x >> (32n - k))) & WORD;

/** xoshiro128++ 1.0 as its authors' C code has it (prng.di.unimi.it/xoshiro128plusplus.c), in exact arithmetic. */
function* reference(state: readonly number[]): Generator<number> {
  const s = state.map(BigInt);
  for (;;) {
    yield Number((rotl((s[0] + s[3]) & WORD, 7n) + s[0]) & WORD);
    const t = (s[1] << 9n) & WORD;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 11n);
  }
}

/** MurmurHash3's 32-bit finaliser, in exact arithmetic. */
const fmix = (x: bigint) => {
  let h = x & WORD;
  h = ((h ^ (h >> 16n)) * 0x85ebca6bn) & WORD;
  h = ((h ^ (h >> 13n)) * 0xc2b2ae35n) & WORD;
  return h ^ (h >> 16n);
};

/** The state that a key names, in exact arithmetic. */
function stateOf(key: StreamKey): number[] {
  const hash = (basis: bigint) => {
    let h = basis;
    const absorb = (word: number) => {
      h = fmix((((h ^ BigInt(word)) * 0x01000193n) & WORD) + 0x9e3779b9n);
    };
    for (const part of key) {
      if (typeof part === "number") {
        const bytes = new DataView(new ArrayBuffer(8));
        // −0 and 0 are one key.
        bytes.setFloat64(0, Object.is(part, -0) ? 0 : part, true);
        for (const word of [1, bytes.getUint32(0, true), bytes.getUint32(4, true)]) absorb(word);
      } else {
        absorb(2 + part.length);
        for (let i = 0; i < part.length; i++) absorb(part.charCodeAt(i));
      }
    }
    return h;
  };
  const [first, second] = [hash(0x811c9dc5n), hash(0x2545f491n)];
  return [first, second, first + 0x9e3779b9n, second + 0x9e3779b9n].map((x) => Number(fmix(x)));
}

const word = fc.integer({ min: 0, max: 0xffffffff });
const state = fc.tuple(word, word, word, word).filter((words) => words.some((x) => x !== 0));
const key = fc.array(fc.oneof(fc.integer(), fc.double({ noNaN: true }), fc.string()), { maxLength: 4 });

const draw = (random: { bits(): number }, count: number) => Array.from({ length: count }, () => random.bits());

describe("the generator", () => {
  it("gives the published numbers of xoshiro128++ for the state [1, 2, 3, 4]", () => {
    const random = stream(0);
    random.restoreState([1, 2, 3, 4]);
    // By hand, the first: rotl(1 + 4, 7) + 1 = 5·128 + 1 = 641.
    expect(draw(random, 10)).toEqual([
      641, 1573767, 3222811527, 3517856514, 836907274, 4247214768, 3867114732, 1355841295, 495546011, 621204420,
    ]);
  });

  it("is xoshiro128++ from any state", () => {
    fc.assert(
      fc.property(state, (words) => {
        const random = stream(0);
        random.restoreState(words);
        const expected = reference(words);
        expect(draw(random, 50)).toEqual(Array.from({ length: 50 }, () => expected.next().value));
      }),
    );
  });

  it("starts from the state that the key's hash spells out", () => {
    const examples: [(number | string)[]][] = [[[-0]], [[0]], [["", 1]]];
    fc.assert(
      fc.property(key, (parts) => expect(stream(...parts).exportState()).toEqual(stateOf(parts))),
      { examples },
    );
  });
});

describe("keys", () => {
  it("rekey is a fresh stream, whatever was drawn before", () => {
    const used = stream(1, "used");
    fc.assert(
      fc.property(key, (parts) => {
        used.normal();
        used.rekey(...parts);
        expect(draw(used, 5)).toEqual(draw(stream(...parts), 5));
      }),
    );
  });

  it("tell kinds, boundaries and order apart", () => {
    const keys: StreamKey[] = [
      [],
      [0],
      [1],
      ["1"],
      [1.5],
      [-1],
      [1, 2],
      [2, 1],
      [12],
      ["12"],
      ["1", "2"],
      [1, "2"],
      [""],
      ["", ""],
      ["ab"],
      ["a", "b"],
      // Spelt like the one above by a hash that absorbs a mark before each part and no length.
      ["a\u0002b"],
      ["a\u0003b"],
      [2 ** 32],
      [2 ** 32 + 1],
      [1 / 3],
      [Number.MIN_VALUE],
    ];
    expect(new Set(keys.map((parts) => `${draw(stream(...parts), 2)}`)).size).toBe(keys.length);
  });

  it("take −0 for 0, as JSON does", () => {
    expect(stream(-0).exportState()).toEqual(stream(0).exportState());
  });

  it("never collide over 200 000 (role, copy, episode)", () => {
    const seen = new Set<string>();
    const random = stream(0);
    for (const role of ["environment", "action", "coin", "perturbation"]) {
      for (let copy = 0; copy < 50; copy++) {
        for (let episode = 0; episode < 1000; episode++) {
          random.rekey(7, role, copy, episode);
          seen.add(`${random.bits()} ${random.bits()}`);
        }
      }
    }
    expect(seen.size).toBe(200_000);
  });

  it("that are neighbours name independent streams", () => {
    const n = 20_000;
    // Each stream's first number next to the next stream's: 10 × 10 cells, equally full.
    const cells = new Float64Array(100);
    // Each bit differs from the neighbour's with probability ½: distances have mean 16 and variance 8.
    let distance = 0;
    // The sixth number of one stream against the first of the next: no overlap between them.
    let product = 0;
    for (let k = 0; k < n; k++) {
      const [one, two] = [stream(3, "coin", 0, k), stream(3, "coin", 0, k + 1)];
      const [a, b] = [one.bits(), two.bits()];
      cells[10 * Math.floor((a / 2 ** 32) * 10) + Math.floor((b / 2 ** 32) * 10)]++;
      for (let x = a ^ b; x !== 0; x &= x - 1) distance++;
      draw(one, 4);
      product += (one.uniform() - 0.5) * (b / 2 ** 32 - 0.5) * 12;
    }
    expect(agrees(cells, equalShares(100))).toBe(true);
    expect(Math.abs(distance / n - 16)).toBeLessThan(5 * Math.sqrt(8 / n));
    expect(Math.abs(product / n)).toBeLessThan(5 / Math.sqrt(n));
  });
});

describe("draws", () => {
  it("uniform fills [0, 1) evenly", () => {
    const random = stream(11, "uniform");
    const bins = new Float64Array(100);
    for (let i = 0; i < 100_000; i++) bins[Math.floor(random.uniform() * 100)]++;
    expect(agrees(bins, equalShares(100))).toBe(true);
    // A draw outside [0, 1) would have fallen past the bins.
    expect(bins.reduce((sum, count) => sum + count, 0)).toBe(100_000);
    random.bits = () => 0xffffffff;
    expect(random.uniform()).toBe(1 - 2 ** -32);
  });

  it("below fills 0 … count − 1 evenly, up to 2³²", () => {
    const random = stream(11, "below");
    const bins = new Float64Array(7);
    for (let i = 0; i < 70_000; i++) bins[random.below(7)]++;
    expect(agrees(bins, equalShares(7))).toBe(true);
    for (let i = 0; i < 20; i++) expect(random.below(1)).toBe(0);
    const copy = stream(0);
    copy.restoreState(random.exportState());
    expect(random.below(2 ** 32)).toBe(copy.bits());
    random.bits = () => 0xffffffff;
    expect(random.below(7)).toBe(6);
    expect(random.below(2 ** 32)).toBe(0xffffffff);
  });

  it("normal has the moments and tails of N(0, 1)", () => {
    const random = stream(11, "normal");
    const n = 200_000;
    const sums = [0, 0, 0, 0];
    let outside = 0;
    for (let i = 0; i < n; i++) {
      const x = random.normal();
      for (let k = 0, power = x; k < 4; k++, power *= x) sums[k] += power / n;
      if (Math.abs(x) > 1.959964) outside++;
    }
    // Moments 0, 1, 0, 3 with variances 1/n, 2/n, 15/n, 96/n; 5 % lie outside ±1.96. Five standard deviations each.
    expect(Math.abs(sums[0])).toBeLessThan(5 * Math.sqrt(1 / n));
    expect(Math.abs(sums[1] - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
    expect(Math.abs(sums[2])).toBeLessThan(5 * Math.sqrt(15 / n));
    expect(Math.abs(sums[3] - 3)).toBeLessThan(5 * Math.sqrt(96 / n));
    expect(Math.abs(outside / n - 0.05)).toBeLessThan(5 * Math.sqrt((0.05 * 0.95) / n));
  });

  it("normal is finite at both ends of its input", () => {
    const extreme = stream(0);
    extreme.bits = () => 0;
    expect(extreme.normal()).toBeCloseTo(Math.sqrt(64 * Math.LN2), 10); // √(−2·ln 2⁻³²)
    extreme.bits = () => 2 ** 32 - 1;
    expect(extreme.normal()).toBeCloseTo(0, 10); // ln 1
  });
});

describe("state", () => {
  it("continues exactly, in the middle of anything", () => {
    const random = stream(5, "state");
    random.normal();
    const other = stream(6);
    const words = random.exportState();
    other.restoreState(words);
    expect(words.every((x) => Number.isInteger(x) && x >= 0 && x < 2 ** 32)).toBe(true);
    expect([other.normal(), other.uniform(), other.bits()]).toEqual([random.normal(), random.uniform(), random.bits()]);
  });

  it.each([
    ["too few words", [1, 2, 3]],
    ["too many words", [1, 2, 3, 4, 5]],
    ["nothing but zeros", [0, 0, 0, 0]],
    ["a negative word", [1, 2, 3, -4]],
    ["a word beyond 32 bits", [1, 2, 3, 2 ** 32]],
    ["a fraction", [1, 2, 3, 0.5]],
    ["NaN", [1, 2, 3, Number.NaN]],
  ])("refuses %s and stays as it was", (_what, words) => {
    const random = stream(5);
    const before = random.exportState();
    expect(() => random.restoreState(words)).toThrow(expect.objectContaining({ code: "corrupt-file" }));
    expect(random.exportState()).toEqual(before);
  });
});

describe("shuffle", () => {
  it("permutes in place, within its view", () => {
    fc.assert(
      fc.property(fc.int32Array(), fc.integer(), (rows, seed) => {
        const all = Int32Array.from([99, ...rows, 99]);
        const view = all.subarray(1, 1 + rows.length);
        expect(shuffle(view, stream(seed))).toBe(view);
        expect(view.slice().sort()).toEqual(rows.slice().sort());
        expect([all[0], all[all.length - 1]]).toEqual([99, 99]);
      }),
    );
  });

  it("fills only the first places where only those are asked for, the same ones as in a whole shuffle", () => {
    fc.assert(
      fc.property(fc.nat(20), fc.nat(25), fc.integer(), (length, first, seed) => {
        const fresh = () => Int32Array.from({ length }, (_, i) => i);
        const whole = shuffle(fresh(), stream(seed));
        const part = shuffle(fresh(), stream(seed), first);
        expect(part.subarray(0, first)).toEqual(whole.subarray(0, first));
        expect(part.slice().sort()).toEqual(fresh());
      }),
    );
  });

  it("gives all 4! orders equally often", () => {
    const random = stream(8, "shuffle");
    const counts = new Map<string, number>();
    for (let i = 0; i < 24_000; i++) {
      const order = `${shuffle(Int32Array.of(0, 1, 2, 3), random)}`;
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    expect(agrees([...counts.values()], equalShares(24))).toBe(true);
  });
});
