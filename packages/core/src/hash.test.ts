import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { trajectoryHash } from "./hash.ts";

const WORD = 0xffffffffn;

/** The two lanes in exact arithmetic: per little-endian word (the last one padded with zeros) xor, multiply, shift. */
function reference(parts: readonly Uint8Array[]): string {
  let [high, low] = [0xc9dc5118n, 0x811c9dc5n];
  for (const bytes of parts) {
    for (let i = 0; i < bytes.length; i += 4) {
      let word = 0n;
      for (let k = 0; k < 4 && i + k < bytes.length; k++) word |= BigInt(bytes[i + k]) << BigInt(8 * k);
      low = ((low ^ word) * 0x01000193n) & WORD;
      low ^= low >> 15n;
      high = ((high ^ word) * 0x5bd1e995n) & WORD;
      high ^= high >> 13n;
    }
    low = ((low ^ BigInt(bytes.length)) * 0x01000193n) & WORD;
    high = ((high ^ BigInt(bytes.length)) * 0x5bd1e995n) & WORD;
  }
  return [high, low].map((lane) => lane.toString(16).padStart(8, "0")).join("");
}

const hashOf = (...parts: ArrayBufferView[]) => {
  const hash = trajectoryHash();
  for (const part of parts) hash.update(part);
  return hash.digest();
};

describe("trajectoryHash", () => {
  it("starts from the FNV-1a basis", () => {
    expect(trajectoryHash().digest()).toBe("c9dc5118811c9dc5");
  });

  it("is the two-lane hash of its docstring", () => {
    fc.assert(fc.property(fc.array(fc.uint8Array()), (parts) => expect(hashOf(...parts)).toBe(reference(parts))));
  });

  it("absorbs what a view shows, and no more", () => {
    const all = Float32Array.of(9, 1, 2, 3, 9);
    expect(hashOf(all.subarray(1, 4))).toBe(hashOf(Float32Array.of(1, 2, 3)));
    expect(hashOf(new Uint8Array(all.buffer, 3, 5))).toBe(hashOf(new Uint8Array(all.buffer).slice(3, 8)));
  });

  it("tells order, boundaries, lengths and the sign of zero apart", () => {
    const digests = [
      [Uint8Array.of(1, 2, 3)],
      [Uint8Array.of(2, 1, 3)],
      [Uint8Array.of(1, 2), Uint8Array.of(3)],
      [Uint8Array.of(1), Uint8Array.of(2, 3)],
      [Uint8Array.of(1, 2, 3, 0)],
      [Uint8Array.of(1, 2, 3, 0, 0)],
      [Uint8Array.of()],
      [Float64Array.of(0)],
      [Float64Array.of(-0)],
    ].map((parts) => hashOf(...parts));
    expect(new Set(digests).size).toBe(digests.length);
  });

  it("tells every pair of flipped bits apart", () => {
    const bytes = Uint8Array.from({ length: 20 }, (_, i) => 37 * i);
    const digests = new Set([hashOf(bytes)]);
    const flip = (bit: number) => {
      bytes[bit >> 3] ^= 1 << (bit & 7);
    };
    for (let i = 0; i < 160; i++) {
      flip(i);
      digests.add(hashOf(bytes));
      for (let j = 0; j < i; j++) {
        flip(j);
        digests.add(hashOf(bytes));
        flip(j);
      }
      flip(i);
    }
    expect(digests.size).toBe(1 + 160 + (160 * 159) / 2);
  });

  it("continues from a digest", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (before, after) => {
        const resumed = trajectoryHash();
        resumed.restore(hashOf(before));
        resumed.update(after);
        expect(resumed.digest()).toBe(hashOf(before, after));
      }),
    );
  });

  it.each(["", "c9dc5118", "c9dc5118811c9dc5f", "c9dc5118811c9dcg", "C9DC5118811C9DC5"])('refuses "%s"', (digest) => {
    const hash = trajectoryHash();
    expect(() => hash.restore(digest)).toThrow(expect.objectContaining({ code: "corrupt-file" }));
    expect(hash.digest()).toBe("c9dc5118811c9dc5");
  });
});
