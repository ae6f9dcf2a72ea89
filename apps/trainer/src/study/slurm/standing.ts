import { isMade, nameOf } from "../tasks.ts";
import { fileIn, readTasks, STAGES, type Stage } from "./tasks-file.ts";

/** How far the arrays of a study are. */
export interface SlurmStanding {
  readonly study: string;
  /** Tasks. */
  readonly stages: Readonly<Record<Stage, { readonly done: number; readonly total: number }>>;
  /** What is not made yet: waiting, in hand, or failed. */
  readonly missing: readonly string[];
}

/** @throws io, corrupt-file */
export async function readSlurm(folder: string): Promise<SlurmStanding> {
  const { study, plan, cache, stages } = readTasks(fileIn(folder));
  const missing: string[] = [];
  const counts = { policies: { done: 0, total: 0 }, truths: { done: 0, total: 0 }, trials: { done: 0, total: 0 } };
  for (const stage of STAGES) {
    for (const task of stages[stage].flat()) {
      counts[stage].total++;
      if (await isMade(plan, task, cache)) counts[stage].done++;
      else missing.push(nameOf(plan, task));
    }
  }
  return { study, stages: counts, missing };
}

export const formatSlurm = ({ study, stages, missing }: SlurmStanding): string =>
  [
    `${study}: ${STAGES.map((stage) => `${stage} ${stages[stage].done}/${stages[stage].total}`).join("  ")}`,
    ...(missing.length > 0 ? ["still to come; squeue tells what runs, slurm/logs what went wrong:"] : []),
    ...missing.map((what) => `  ${what}`),
  ].join("\n");
