import { checkRange, MagicMaskError } from "@magic-mask/core";

/**
 * Refuses options that a factory does not know; `rest` is what destructuring left over.
 *
 * @throws unknown-key, naming them
 */
export function refuseUnknown(source: string, rest: object): void {
  const keys = Object.keys(rest);
  if (keys.length > 0) throw new MagicMaskError("unknown-key", source, `there is no option ${keys.join(", ")}`);
}

/**
 * Returns `value` if it is a whole number in [low, high].
 *
 * @throws invalid-option
 */
export function checkWhole(source: string, option: string, value: number, low: number, high?: number): number {
  if (Number.isInteger(checkRange(source, option, value, low, high))) return value;
  throw new MagicMaskError("invalid-option", source, `${option} must be a whole number, got ${value}`);
}
