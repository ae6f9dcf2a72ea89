import { MagicMaskError } from "@magic-mask/core";
import { sha256 } from "../run/sealed-json.ts";

/**
 * The name of a result: a digest of all that it depends on. Equal values have equal addresses, whatever the order of their keys;
 * a key that is undefined counts as absent.
 *
 * @param value JSON: plain objects and arrays over strings, finite numbers, booleans and null
 * @returns 32 hexadecimal digits of SHA-256
 * @throws unsupported for anything that JSON cannot tell apart
 */
export const addressOf = (value: unknown): string => sha256(canonical(value, "")).slice(0, 32);

function canonical(value: unknown, path: string): string {
  if (value === null || typeof value === "string" || typeof value === "boolean") return JSON.stringify(value);
  if (typeof value === "number" && Number.isFinite(value)) return Object.is(value, -0) ? "-0" : `${value}`;
  if (Array.isArray(value)) return `[${value.map((item, i) => canonical(item, `${path}/${i}`)).join(",")}]`;
  if (typeof value === "object" && !ArrayBuffer.isView(value)) {
    const entries = Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item, `${path}/${key}`)}`).join(",")}}`;
  }
  const wanted = "plain objects, arrays, strings, finite numbers, booleans and null";
  throw new MagicMaskError("unsupported", "trainer/address", `an address is made of ${wanted}; "${path}" is ${value}`);
}
