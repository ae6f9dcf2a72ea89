import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { joinTree, splitTree } from "./state-tree.ts";
import { decodeTensors, encodeTensors } from "./tensors.ts";

const typedArray = fc.oneof(
  fc.float32Array(),
  fc.float64Array(),
  fc.int8Array(),
  fc.int16Array(),
  fc.int32Array(),
  fc.uint8Array(),
  fc.uint16Array(),
  fc.uint32Array(),
);
const key = fc.oneof(
  fc.string({ unit: "binary", maxLength: 3 }),
  fc.constantFrom("$tensor", "$number", "$$", "__proto__", "a/b", "a~1b", "0"),
);
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, false, Number.NaN, -0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
    fc.double(),
    fc.string({ unit: "binary" }),
    typedArray,
    fc.array(tie("tree"), { maxLength: 4 }),
    fc.dictionary(key, tie("tree"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

describe("state tree", () => {
  it("says what JSON cannot say", () => {
    const { json, arrays } = splitTree({
      "a/b": [Int32Array.of(7)],
      $tensor: -0,
      x: Number.NaN,
      y: [null, "z", true, 1.5],
    });
    expect(json).toEqual({
      "a/b": [{ $tensor: "/a~1b/0" }],
      $$tensor: { $number: "-0" },
      x: { $number: "NaN" },
      y: [null, "z", true, 1.5],
    });
    expect([...arrays]).toEqual([["/a~1b/0", Int32Array.of(7)]]);
  });

  it("comes back from JSON and safetensors, whatever it holds", () => {
    fc.assert(
      fc.property(tree, (value) => {
        const { json, arrays } = splitTree(value);
        const back = joinTree(JSON.parse(JSON.stringify(json)), decodeTensors(encodeTensors(arrays)));
        expect(back).toStrictEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  it("keeps apart paths that look alike", () => {
    const value = {
      "a/b": Int8Array.of(1),
      "a~1b": Int8Array.of(2),
      a: { b: Int8Array.of(3) },
      "a~01b": Int8Array.of(4),
    };
    const { json, arrays } = splitTree(value);
    expect([...arrays.keys()]).toEqual(["/a~1b", "/a~01b", "/a/b", "/a~001b"]);
    expect(joinTree(json, decodeTensors(encodeTensors(arrays)))).toEqual(value);
  });

  it("gives arrays of their own, aligned", () => {
    const odd = new Int16Array(new ArrayBuffer(6), 2, 2).fill(-3);
    const arrays = new Map<string, Int16Array | Float64Array>([
      ["/a", odd],
      ["/b", Float64Array.of(1)],
    ]);
    const back = decodeTensors(encodeTensors(arrays));
    odd.fill(9);
    expect(back.get("/a")).toEqual(Int16Array.of(-3, -3));
    expect(back.get("/a")?.buffer.byteLength).toBe(4);
  });

  it.each([
    ["undefined", { a: { b: undefined } }, '"/a/b" is of type undefined'],
    ["a hole", { a: new Array(1) }, '"/a/0" is of type undefined'],
    ["a function", { f: () => 1 }, '"/f" is of type function'],
    ["a bigint", [1n], '"/0" is of type bigint'],
    ["a map", new Map(), '"" is of type Map'],
    ["a date", { d: new Date(0) }, '"/d" is of type Date'],
    ["a buffer", { a: Buffer.of(1) }, '"/a" is of type Buffer'],
    ["clamped bytes", { a: new Uint8ClampedArray(1) }, '"/a" is of type Uint8ClampedArray'],
  ])("refuses %s", (_, value, message) => {
    expect(() => splitTree(value)).toThrow(
      expect.objectContaining({ code: "unsupported", message: expect.stringContaining(message) }),
    );
  });

  it("misses an array that the JSON names", () => {
    expect(() => joinTree({ a: { $tensor: "/a" } }, new Map())).toThrow(
      expect.objectContaining({ code: "corrupt-file" }),
    );
  });
});
