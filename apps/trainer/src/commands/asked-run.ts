import { MagicMaskError } from "@magic-mask/core";
import { resolveConfig } from "../config.ts";
import type { TrainingRunOptions } from "../training-run.ts";
import { SOURCE, type TrainFlags, worldOf } from "./flags.ts";

/** What flags and overrides ask for. @throws as `resolveConfig` */
export function askedRun(overrides: readonly string[], flags: TrainFlags): TrainingRunOptions {
  if (flags.resume !== undefined) {
    const { resume, step, workers, out: _, json: __, ...rest } = flags;
    const given = [...overrides, ...Object.keys(rest)];
    if (given.length === 0) return { resume, step, workers };
    const message = `a resumed run keeps its configuration; leave out: ${given.join(", ")}`;
    throw new MagicMaskError("invalid-option", SOURCE, message);
  }
  if (flags.step !== undefined) {
    throw new MagicMaskError("invalid-option", SOURCE, "--step goes with --resume");
  }
  const config = resolveConfig({
    file: flags.config,
    flags: {
      ...worldOf(flags),
      training: { totalSteps: flags.totalTimesteps, copies: flags.numEnvs },
    },
    overrides,
  });
  return { config, out: flags.out };
}
