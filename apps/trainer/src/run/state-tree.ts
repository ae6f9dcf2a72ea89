import { MagicMaskError } from "@magic-mask/core";

export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array;

const ARRAYS = ["Float32", "Float64", "Int8", "Int16", "Int32", "Uint8", "Uint16", "Uint32"].map(
  (name) => `${name}Array`,
);

/** By names, as `instanceof` fails for values from another realm; a subclass (`Buffer`) would come back as its parent. */
const isTypedArray = (value: unknown): value is TypedArray =>
  ArrayBuffer.isView(value) && ARRAYS.includes(nameOf(value));

/** `Float32Array`, `Map`, `undefined`, … */
const nameOf = (value: unknown): string =>
  typeof value === "object" ? (value?.constructor?.name ?? "Object") : typeof value;

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/**
 * Parts a state tree into JSON and typed arrays.
 *
 * A state tree is nested plain objects and arrays over typed arrays, numbers (finite or not), strings, booleans and null.
 * In the JSON a typed array is `{"$tensor": name}`, named by its path as a JSON pointer (RFC 6901); a number that JSON
 * cannot say (NaN, ±Infinity, −0) is `{"$number": "NaN"}`; and a key that begins with "$" gets another one in front.
 *
 * @throws unsupported, naming the path, for anything else
 */
export function splitTree(tree: unknown): { json: unknown; arrays: Map<string, TypedArray> } {
  const arrays = new Map<string, TypedArray>();
  const walk = (value: unknown, path: string): unknown => {
    if (value === null || typeof value === "string" || typeof value === "boolean") return value;
    if (typeof value === "number") {
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : { $number: Object.is(value, -0) ? "-0" : `${value}` };
    }
    if (isTypedArray(value)) {
      arrays.set(path, value);
      return { $tensor: path };
    }
    // `Array.from` makes holes visible.
    if (Array.isArray(value)) return Array.from(value, (item, index) => walk(item, `${path}/${index}`));
    if (isPlainObject(value)) {
      const entries = Object.entries(value);
      return Object.fromEntries(
        entries.map(([key, item]) => [escapeKey(key), walk(item, `${path}/${pointerPart(key)}`)]),
      );
    }
    const wanted = "typed arrays, numbers, strings, booleans, null, and plain objects and arrays of them";
    throw new MagicMaskError(
      "unsupported",
      "trainer/state-tree",
      `a state holds ${wanted}; "${path}" is of type ${nameOf(value)}`,
    );
  };
  return { json: walk(tree, ""), arrays };
}

/**
 * The tree that `splitTree` parted.
 *
 * @throws corrupt-file if the JSON names an array that is not there
 */
export function joinTree(json: unknown, arrays: ReadonlyMap<string, TypedArray>): unknown {
  const walk = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) return value.map(walk);
    const object = value as Record<string, unknown>;
    if (Object.hasOwn(object, "$number")) return Number(object.$number);
    if (Object.hasOwn(object, "$tensor")) {
      const array = arrays.get(object.$tensor as string);
      if (array) return array;
      throw new MagicMaskError("corrupt-file", "trainer/state-tree", `the tensor "${object.$tensor}" is missing`);
    }
    return Object.fromEntries(Object.entries(object).map(([key, item]) => [unescapeKey(key), walk(item)]));
  };
  return walk(json);
}

const escapeKey = (key: string) => (key.startsWith("$") ? `$${key}` : key);
const unescapeKey = (key: string) => (key.startsWith("$") ? key.slice(1) : key);
const pointerPart = (key: string) => key.replaceAll("~", "~0").replaceAll("/", "~1");
