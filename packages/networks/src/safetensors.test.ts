import { readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { decodeSafetensors, encodeSafetensors, type NamedTensor, type SafetensorsFile } from "./safetensors.ts";

const FILE: SafetensorsFile = {
  metadata: { format: "test" },
  tensors: {
    bytes: { shape: [3], data: Uint8Array.of(1, 2, 255) },
    matrix: { shape: [2, 2], data: Float32Array.of(1.5, -2, 0.25, Number.NaN) },
    scalar: { shape: [], data: Float64Array.of(Math.PI) },
  },
};
const CORRUPT = expect.objectContaining({ code: "corrupt-file" });

/** A file with any header, in front of `body` zero bytes. */
function file(header: unknown, body: number, claimedLength?: number): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + body);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(claimedLength ?? text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const f32 = (begin: number, end: number, shape = [(end - begin) / 4]) => ({
  dtype: "F32",
  shape,
  data_offsets: [begin, end],
});

const tensor: fc.Arbitrary<NamedTensor> = fc.array(fc.nat(4), { maxLength: 3 }).chain((shape) => {
  const length = shape.reduce((product, n) => product * n, 1);
  const size = { minLength: length, maxLength: length };
  return fc
    .oneof(fc.float64Array(size), fc.float32Array(size), fc.int32Array(size), fc.uint32Array(size), fc.uint8Array(size))
    .map((data) => ({ shape, data }));
});
const anyFile = fc.record({
  metadata: fc.dictionary(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" })),
  tensors: fc.dictionary(
    fc.string({ unit: "grapheme" }).filter((name) => name !== "__metadata__"),
    tensor,
  ),
});

describe("safetensors", () => {
  it("lays bytes out as the format says", () => {
    const bytes = encodeSafetensors({ metadata: {}, tensors: { a: { shape: [2], data: Float32Array.of(1, -2) } } });
    const header = '{"__metadata__":{},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}';
    // 72 characters are a multiple of 8 already; 1 = 0x3f800000 and −2 = 0xc0000000, low byte first.
    expect(bytes).toEqual(
      Uint8Array.of(72, 0, 0, 0, 0, 0, 0, 0, ...new TextEncoder().encode(header), 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0),
    );
  });

  it("reads a file that Python's safetensors wrote", () => {
    const bytes = readFileSync(new URL("../fixtures/python.safetensors", import.meta.url));
    const { metadata, tensors } = decodeSafetensors(bytes);
    expect(metadata).toEqual({ made_by: "safetensors for Python", note: "größer ✓" });
    expect(tensors).toEqual({
      weight: { shape: [2, 3], data: Float32Array.of(1.5, -2, 0.25, 4, 1e-3, -0) },
      scale: { shape: [], data: Float64Array.of(Math.PI) },
      mask: { shape: [3], data: Uint8Array.of(0, 1, 255) },
      index: { shape: [1, 2], data: Int32Array.of(-1, 2147483647) },
      words: { shape: [2], data: Uint32Array.of(0xffffffff, 7) },
      empty: { shape: [0, 4], data: new Float32Array(0) },
    });
  });

  it("gives back what it was given", () => {
    fc.assert(
      fc.property(anyFile, (given) => {
        const bytes = encodeSafetensors(given);
        // Tensors start at a multiple of the widest type, so that readers can map the file.
        expect(bytes[0] % 8).toBe(0);
        const { metadata, tensors } = decodeSafetensors(bytes);
        expect(Object.entries(metadata).sort()).toEqual(Object.entries(given.metadata).sort());
        const byName = (a: [string, unknown], b: [string, unknown]) => (a[0] < b[0] ? -1 : 1);
        expect(Object.entries(tensors).sort(byName)).toEqual(Object.entries(given.tensors).sort(byName));
      }),
    );
  });

  it("gives the same bytes whatever the order", () => {
    const backwards = Object.fromEntries(Object.entries(FILE.tensors).reverse());
    expect(encodeSafetensors({ ...FILE, tensors: backwards })).toEqual(encodeSafetensors(FILE));
  });

  it("owns what it reads", () => {
    const bytes = encodeSafetensors(FILE);
    const { tensors } = decodeSafetensors(bytes);
    bytes.fill(0);
    expect(tensors.bytes.data).toEqual(Uint8Array.of(1, 2, 255));
  });

  it("reads from the middle of a larger buffer", () => {
    const bytes = encodeSafetensors(FILE);
    const larger = new Uint8Array(bytes.length + 10);
    larger.set(bytes, 3);
    expect(decodeSafetensors(larger.subarray(3, 3 + bytes.length))).toEqual(FILE);
  });

  it("refuses every file that was cut off, and every one with something behind it", () => {
    const bytes = encodeSafetensors(FILE);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeSafetensors(bytes.subarray(0, length))).toThrow(CORRUPT);
    }
    expect(() => decodeSafetensors(Uint8Array.of(...bytes, 0))).toThrow(CORRUPT);
  });

  it("either reads a damaged file or calls it corrupt", () => {
    const bytes = encodeSafetensors(FILE);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = bytes.slice();
        damaged[at] ^= flip;
        try {
          decodeSafetensors(damaged);
        } catch (error) {
          expect(error).toEqual(CORRUPT);
        }
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ["a header longer than the file", file({}, 0, 3)],
    ["a header of 2⁶³ bytes", file({}, 0, 2 ** 63)],
    ["a header of 2³² bytes more than it has", file({}, 0, 2 ** 32 + 2)],
    ["a header that is no JSON", file("{]", 0)],
    ["a header behind a byte order mark", file("\ufeff{}", 0)],
    ["a header that is a list", file("[]", 0)],
    ["a header that does not begin with {", file(" {}", 0)],
    [
      "a header that is not UTF-8",
      file('{"?":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}', 0).map((byte) => (byte === 0x3f ? 0xff : byte)),
    ],
    ["metadata that are not strings", file({ __metadata__: { a: 1 } }, 0)],
    ["overlapping tensors", file({ a: f32(0, 8), b: f32(4, 12) }, 12)],
    ["a hole between tensors", file({ a: f32(0, 4), b: f32(8, 12) }, 12)],
    ["a hole at the start", file({ a: f32(4, 8) }, 8)],
    ["bytes that nobody claims", file({ a: f32(0, 4) }, 8)],
    ["a tensor behind the end", file({ a: f32(0, 8) }, 4)],
    ["a shape that its bytes do not fill", file({ a: f32(0, 8, [3]) }, 8)],
    ["a shape that its bytes overflow", file({ a: f32(0, 8, [1]) }, 8)],
    ["a negative length", file({ a: f32(0, 8, [-2, -1]) }, 8)],
    ["a length that is no integer", file({ a: f32(0, 8, [0.5, 4]) }, 8)],
    ["offsets the wrong way round", file({ a: f32(8, 0, [0]) }, 8)],
    ["a type that is not known", file({ a: { ...f32(0, 8), dtype: "F16" } }, 8)],
    ["a type that is an object's own business", file({ a: { ...f32(0, 8), dtype: "toString" } }, 8)],
    ["an entry with more in it", file({ a: { ...f32(0, 8), code: "evil" } }, 8)],
    ["an entry with less in it", file({ a: { dtype: "F32", shape: [2] } }, 8)],
    ["an entry that is null", file({ a: null }, 0)],
  ])("refuses %s", (_, bytes) => {
    expect(() => decodeSafetensors(bytes)).toThrow(CORRUPT);
  });

  it("refuses to write what it could not read", () => {
    const data = new Float32Array(3);
    expect(() => encodeSafetensors({ metadata: {}, tensors: { a: { shape: [2, 2], data } } })).toThrow(
      expect.objectContaining({ code: "shape-mismatch" }),
    );
    expect(() => encodeSafetensors({ metadata: {}, tensors: { __metadata__: { shape: [3], data } } })).toThrow(
      expect.objectContaining({ code: "invalid-option" }),
    );
  });
});
