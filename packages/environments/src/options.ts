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
