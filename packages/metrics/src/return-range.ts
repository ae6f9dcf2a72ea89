import { MagicMaskError, type MakeEnvironment } from "@magic-mask/core";

/**
 * Highest less lowest return, in game units: what was passed, else what the world declares.
 *
 * @throws invalid-option unless that is above 0
 */
export function returnRangeOf(source: string, make: MakeEnvironment, passed?: number): number {
  const world = make();
  const { returnRange } = world;
  world.close?.();
  const range = passed ?? (returnRange ? returnRange[1] - returnRange[0] : Number.NaN);
  if (range > 0) return range;
  const came = passed ?? "none from the options or the world";
  const message = `range must be > 0, got ${came}; pass the gap between the trained and a random policy`;
  throw new MagicMaskError("invalid-option", source, message);
}
