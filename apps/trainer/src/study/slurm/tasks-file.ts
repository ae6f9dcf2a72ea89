import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { MagicMaskError } from "@magic-mask/core";
import { refused, writeFileAtomic } from "../../run/atomic.ts";
import { seal, unseal } from "../../run/sealed-json.ts";
import type { StudyPlan } from "../plan.ts";
import type { Program } from "../queue/program.ts";
import type { Making } from "../tasks.ts";

/** In this order: each needs what those before have made. */
export const STAGES = ["policies", "truths", "trials"] as const;
export type Stage = (typeof STAGES)[number];

/** [stage][element][task] */
export type ByElement<T> = Readonly<Record<Stage, readonly (readonly T[])[]>>;

/** All that the elements of the arrays are to do. */
export interface SlurmTasks {
  readonly format: 1;
  /** As `loadStudy` takes it. */
  readonly study: string;
  readonly plan: StudyPlan;
  readonly cache: string;
  readonly program: Program;
  /** What each element does, one after the other. */
  readonly stages: ByElement<Making>;
  /** Seconds of a core that each of them was thought to take. */
  readonly seconds: ByElement<number>;
}

/** Of the study whose results go into that folder. */
export const fileIn = (folder: string): string => join(folder, "slurm", "tasks.json");

/** Whether the results of this folder are still to come from arrays: the job that gathers keeps a status of its own. */
export const isOnSlurm = (folder: string): boolean =>
  existsSync(fileIn(folder)) && !existsSync(join(folder, "status.json"));

/** @throws io */
export const writeTasks = (file: string, tasks: SlurmTasks): Promise<void> => writeFileAtomic(file, seal({ ...tasks }));

/** @throws io, corrupt-file */
export function readTasks(file: string): SlurmTasks {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw refused(SOURCE, `read ${file}`, error);
  }
  const { sha256: _, ...tasks } = unseal(bytes, file);
  if (tasks.format === 1) return tasks as unknown as SlurmTasks;
  throw new MagicMaskError("corrupt-file", SOURCE, `${file} should be of format 1 and is of ${tasks.format}`);
}

const SOURCE = "trainer/slurm";
