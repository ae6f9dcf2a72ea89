const MASK32 = 0xffffffffn;
const MASK64 = (1n << 64n) - 1n;
const MASK128 = (1n << 128n) - 1n;
const MULTIPLIER = 0x2360ed051fc65da44385df649fccf645n;

/**
 * What NumPy 2 draws from `Generator(PCG64(SeedSequence(seed)))` (O'Neill 2014, 2015), for recordings that tell only a seed.
 *
 * @param seed a whole number, 0 … 2³² − 1
 */
export function numpyGenerator(seed: number) {
  const [a, b, c, d] = seedWords(seed);
  const increment = ((((c << 64n) | d) << 1n) | 1n) & MASK128;
  let state = 0n;
  let spare: bigint | undefined;

  const advance = () => {
    state = (state * MULTIPLIER + increment) & MASK128;
  };
  advance();
  state = (state + ((a << 64n) | b)) & MASK128;
  advance();

  const next64 = (): bigint => {
    advance();
    const turn = state >> 122n;
    const word = ((state >> 64n) ^ state) & MASK64;
    return ((word >> turn) | (word << (64n - turn))) & MASK64;
  };
  /** Two of them are one word, the low half first; what draws whole words in between does not touch the spare half. */
  const next32 = (): bigint => {
    const held = spare;
    spare = undefined;
    if (held !== undefined) return held;
    const word = next64();
    spare = word >> 32n;
    return word & MASK32;
  };

  return {
    /** `random()`: uniform in [0, 1). */
    uniform: (): number => Number(next64() >> 11n) / 9007199254740992,
    /** `integers(count)`, also behind `choice(count)` (Lemire 2019). */
    below(count: number): number {
      if (count === 1) return 0;
      const n = BigInt(count);
      let product = next32() * n;
      const threshold = (MASK32 - (n - 1n)) % n;
      while ((product & MASK32) < threshold) product = next32() * n;
      return Number(product >> 32n);
    },
  };
}

/** The four 64-bit words that a `SeedSequence` of one 32-bit number gives. */
function seedWords(seed: number): bigint[] {
  let constant = 0x43b0d7e5;
  const hash = (value: number) => {
    value = (value ^ constant) >>> 0;
    constant = Math.imul(constant, 0x931e8875) >>> 0;
    value = Math.imul(value, constant) >>> 0;
    return (value ^ (value >>> 16)) >>> 0;
  };
  const mix = (x: number, y: number) => {
    const value = (Math.imul(x, 0xca01f9dd) - Math.imul(y, 0x4973f715)) >>> 0;
    return (value ^ (value >>> 16)) >>> 0;
  };
  const pool = [seed, 0, 0, 0].map(hash);
  for (let from = 0; from < 4; from++) {
    for (let to = 0; to < 4; to++) if (from !== to) pool[to] = mix(pool[to], hash(pool[from]));
  }
  constant = 0x8b51f9dd;
  const words = Array.from({ length: 8 }, (_, i) => {
    let value = (pool[i % 4] ^ constant) >>> 0;
    constant = Math.imul(constant, 0x58f38ded) >>> 0;
    value = Math.imul(value, constant) >>> 0;
    return BigInt((value ^ (value >>> 16)) >>> 0);
  });
  return [0, 2, 4, 6].map((i) => words[i] | (words[i + 1] << 32n));
}
