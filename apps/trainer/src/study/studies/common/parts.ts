import { MagicMaskError } from "@magic-mask/core";
import type { Config } from "../../../config.ts";
import type { Coordinates, Measured } from "../../study.ts";

/** Whether policies and masks learn together, or masks explain frozen policies. @throws invalid-option for anything else */
export function partOf(source: string, [{ part }]: readonly Coordinates[]): "joint" | "posthoc" {
  if (part === "joint" || part === "posthoc") return part;
  throw new MagicMaskError("invalid-option", source, `part must be joint or posthoc, got "${part}"`);
}

/** A configuration that trains for so many steps, where a trial says how many. */
export const withSteps = (config: Config, { steps }: Coordinates): Config =>
  steps === undefined ? config : { ...config, training: { ...config.training, totalSteps: steps as number } };

export const withObjective = (config: Config, objective: string): Config => ({
  ...config,
  mask: { ...config.mask, objective },
});

/** What comes of a trial in which policies and masks learn together; found rather than made, it took no time. */
export const ofJoint = <Joint extends { readonly steps: number }>(
  figures: Joint,
  { seconds, isNew }: { readonly seconds: number; readonly isNew: boolean },
): Measured<{ readonly joint: Joint; readonly posthoc: null }> => ({
  steps: figures.steps,
  figures: { joint: figures, posthoc: null },
  seconds: { shared: 0, learning: isNew ? seconds : 0, judging: 0 },
});
