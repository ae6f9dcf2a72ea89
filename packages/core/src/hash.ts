import { MagicMaskError } from "./error.ts";

// By name: test runners that sandbox modules find a global some hundred times more slowly.
const { imul } = Math;

/** A running 64-bit hash of everything that happened, to prove that two runs are the same run. */
export interface TrajectoryHash {
  /** Absorbs the bytes behind a typed array. */
  update(data: ArrayBufferView): void;
  /** 16 hexadecimal digits of all absorbed so far. */
  digest(): string;
  /** Continues from an earlier `digest()`. @throws corrupt-file unless given 16 hexadecimal digits */
  restore(digest: string): void;
}

/** Two FNV-1a-like lanes over 32-bit words with different multipliers; not cryptographic. */
export function trajectoryHash(): TrajectoryHash {
  let low = 0x811c9dc5;
  let high = 0xc9dc5118;
  return {
    update(data) {
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      const whole = bytes.length & ~3;
      for (let i = 0; i < bytes.length; i += 4) {
        let word = bytes[i];
        if (i < whole) word |= (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
        else for (let k = 1; i + k < bytes.length; k++) word |= bytes[i + k] << (8 * k);
        low = imul(low ^ word, 0x01000193);
        low ^= low >>> 15;
        high = imul(high ^ word, 0x5bd1e995);
        high ^= high >>> 13;
      }
      low = imul(low ^ bytes.length, 0x01000193);
      high = imul(high ^ bytes.length, 0x5bd1e995);
    },
    digest: () => hex(high) + hex(low),
    restore(digest) {
      if (!/^[0-9a-f]{16}$/.test(digest)) {
        throw new MagicMaskError("corrupt-file", "core/hash", `a digest is 16 hexadecimal digits, got "${digest}"`);
      }
      high = Number.parseInt(digest.slice(0, 8), 16) | 0;
      low = Number.parseInt(digest.slice(8), 16) | 0;
    },
  };
}

const hex = (word: number) => (word >>> 0).toString(16).padStart(8, "0");
