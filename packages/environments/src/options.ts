import { MagicMaskError } from "@magic-mask/core";

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
 * Refuses an option that must be true or false and is neither.
 *
 * @throws invalid-option, naming the option and the value
 */
export function checkSwitch(source: string, option: string, value: boolean): void {
  if (typeof value === "boolean") return;
  throw new MagicMaskError("invalid-option", source, `${option} must be true or false, got ${JSON.stringify(value)}`);
}
