import { isDeepStrictEqual } from "node:util";
import { expect, it } from "@jest/globals";
import { isMagicMaskError } from "@magic-mask/core";
import fc from "fast-check";
import { addressOf } from "./address.ts";

/** JSON with finite numbers. */
const json = fc.jsonValue({ maxDepth: 3 });

const shuffled = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(shuffled);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, shuffled(item)]),
  );
};

it("is the same for equal values, in whatever order their keys stand and wherever nothing stands", () => {
  fc.assert(
    fc.property(json, (value) => {
      expect(addressOf(shuffled(value))).toBe(addressOf(value));
      expect(addressOf({ value, nothing: undefined })).toBe(addressOf({ value }));
    }),
  );
});

it("differs where values do", () => {
  fc.assert(
    fc.property(json, json, (a, b) => {
      expect(addressOf(a) === addressOf(b)).toBe(isDeepStrictEqual(a, b));
    }),
  );
  expect(addressOf([1, 2])).not.toBe(addressOf([12]));
  expect(addressOf({ a: "1" })).not.toBe(addressOf({ a: 1 }));
  expect(addressOf(-0)).not.toBe(addressOf(0));
});

it.each([[Number.NaN], [new Float32Array(2)], [{ a: [Number.POSITIVE_INFINITY] }], [() => 1], [undefined]])(
  "refuses %p, which JSON could not tell from something else",
  (value) => {
    let error: unknown;
    try {
      addressOf(value);
    } catch (caught) {
      error = caught;
    }
    expect(isMagicMaskError(error, "unsupported")).toBe(true);
  },
);
