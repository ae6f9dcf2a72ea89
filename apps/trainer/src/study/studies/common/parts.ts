import { MagicMaskError } from "@magic-mask/core";
import type { Coordinates } from "../../study.ts";

/** Whether policies and masks learn together, or masks explain frozen policies. @throws invalid-option for anything else */
export function partOf(source: string, [{ part }]: readonly Coordinates[]): "joint" | "posthoc" {
  if (part === "joint" || part === "posthoc") return part;
  throw new MagicMaskError("invalid-option", source, `part must be joint or posthoc, got "${part}"`);
}
