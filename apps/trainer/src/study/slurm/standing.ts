import { formatDuration } from "../../terminal/progress.ts";
import { type FailedTask, formatFailures } from "../status.ts";
import { isMade, nameOf } from "../tasks.ts";
import { BEAT, readReports } from "./element-report.ts";
import { fileIn, readTasks, STAGES, type Stage } from "./tasks-file.ts";

/** How far the arrays of a study are. */
export interface SlurmStanding {
  readonly study: string;
  /** Tasks. */
  readonly stages: Readonly<Record<Stage, { readonly done: number; readonly total: number }>>;
  /** Share of all work that is done. */
  readonly share: number;
  /** Elements that have begun and not ended, by their own account. */
  readonly running: number;
  /** Of those that have begun and not ended, the ones that say nothing more: most likely killed. */
  readonly silent: readonly { readonly stage: Stage; readonly element: number; readonly since: string }[];
  /** Trials since the first element of that stage began; null before that. */
  readonly trialsPerHour: number | null;
  /** As fast as it has gone since the first element began; null where none is at work. */
  readonly secondsLeft: number | null;
  /** What failed and was not made since. */
  readonly failures: readonly FailedTask[];
  /** What is not made yet: waiting, in hand, or failed. */
  readonly missing: readonly string[];
}

/** Milliseconds after which an element is taken for killed; clocks of nodes may differ by some of it. */
const SILENCE = 10 * BEAT;

/** @throws io, corrupt-file */
export async function readSlurm(folder: string): Promise<SlurmStanding> {
  const file = fileIn(folder);
  const { study, plan, cache, stages, seconds } = readTasks(file);
  const missing: string[] = [];
  const counts = { policies: { done: 0, total: 0 }, truths: { done: 0, total: 0 }, trials: { done: 0, total: 0 } };
  const work = { done: 0, total: 0 };
  let trials = 0;
  for (const stage of STAGES) {
    for (const [element, tasks] of stages[stage].entries()) {
      for (const [i, task] of tasks.entries()) {
        const weight = seconds[stage][element][i];
        counts[stage].total++;
        work.total += weight;
        if (await isMade(plan, task, cache)) {
          counts[stage].done++;
          work.done += weight;
          if (task.kind === "trials") trials += task.trials.length;
        } else missing.push(nameOf(plan, task));
      }
    }
  }
  const reports = readReports(file);
  const begun = reports.filter(({ hasEnded }) => !hasEnded);
  const dead = begun.filter(({ saidAt }) => Date.now() - Date.parse(saidAt) > SILENCE);
  const running = begun.length - dead.length;
  /** Seconds since the first of some elements began. */
  const since = (some: readonly { readonly startedAt: string }[]) =>
    (Date.now() - Math.min(...some.map(({ startedAt }) => Date.parse(startedAt)))) / 1000;
  const ofTrials = reports.filter(({ stage }) => stage === "trials");
  return {
    study,
    stages: counts,
    share: work.total > 0 ? work.done / work.total : 1,
    running,
    silent: dead.map(({ stage, element, saidAt }) => ({ stage, element, since: saidAt })),
    trialsPerHour: running > 0 && ofTrials.length > 0 ? (3600 * trials) / since(ofTrials) : null,
    secondsLeft: running > 0 && work.done > 0 ? ((work.total - work.done) * since(reports)) / work.done : null,
    failures: reports.flatMap(({ failures }) => failures).filter(({ what }) => missing.includes(what)),
    missing,
  };
}

export function formatSlurm(standing: SlurmStanding): string {
  const { study, stages, share, running, silent, trialsPerHour, secondsLeft, failures, missing } = standing;
  const pace = [
    `${running} element${running === 1 ? "" : "s"} at work`,
    ...(trialsPerHour === null ? [] : [`${Math.round(trialsPerHour)} trials an hour`]),
    ...(secondsLeft === null ? [] : [`${formatDuration(secondsLeft)} left`]),
  ];
  return [
    `${study}: ${Math.floor(100 * share)} % of the work`,
    STAGES.map((stage) => `${stage} ${stages[stage].done}/${stages[stage].total}`).join("  "),
    pace.join(", "),
    ...silent.map(
      ({ stage, element, since }) =>
        `element ${element} of ${stage} has said nothing since ${since}: killed, most likely; give the command that wrote the arrays again`,
    ),
    ...(failures.length > 0 ? [`failures: ${failures.length}`, ...formatFailures(failures)] : ["failures: none"]),
    ...(missing.length > 0 ? ["still to come; squeue tells what waits, slurm/logs what was said:"] : []),
    ...missing.map((what) => `  ${what}`),
  ].join("\n");
}
