import { chmodSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { noteLooks } from "../../compare/looks.ts";
import { writeFileAtomic } from "../../run/atomic.ts";
import { makeFolder } from "../../run/folder.ts";
import { quoted } from "../../terminal/typed.ts";
import { addressOf } from "../../work/address.ts";
import { overlap } from "../../work/pool.ts";
import type { Estimated, Work } from "../cost.ts";
import { fileOfProgram, nodeOptions } from "../program-files.ts";
import { thisProgram } from "../queue/program.ts";
import { isStudyFile } from "../registry.ts";
import { prepareStudy, type RunStudyOptions } from "../run-study.ts";
import type { Making } from "../tasks.ts";
import { clearReports } from "./element-report.ts";
import { type ByElement, type SlurmTasks, STAGES, type Stage, writeTasks } from "./tasks-file.ts";

export interface SlurmOutcome {
  readonly study: string;
  /** What to run. */
  readonly submit: string;
  /** Seconds of a core that are ahead, at least and at most. */
  readonly low: number;
  readonly high: number;
  readonly elements: Readonly<Record<Stage, number>>;
  readonly exitCode: number;
}

const SOURCE = "trainer/slurm";
/** Slurm's own limit to the size of an array, unless a site has set another, is 1001. */
const MOST = 1000;
/** Seconds that an element takes at the least, so that starting it does not take longer than what it does. */
const LEAST = 300;
/** Of the time that is estimated, what is asked for; and minutes more, for starting. */
const SPARE = 3;
const MINUTES = 15;

const STAGE: Readonly<Record<Making["kind"], Stage>> = { policy: "policies", truth: "truths", trials: "trials" };

/**
 * Writes scripts that do a study on a Slurm cluster: an array for each stage, and a last job that gathers. All its nodes must see the
 * cache, and this program, under the same paths.
 *
 * @throws MagicMaskError as `runStudy`, before it begins to work
 */
export function writeSlurm(options: RunStudyOptions): Promise<SlurmOutcome> {
  const { states = "test", command } = options;
  return prepareStudy(options, async ({ study, plan, cache, out }, time, interrupt) => {
    const folder = join(out, "slurm");
    // Before any work is done.
    makeFolder(SOURCE, join(folder, "logs"));
    const work = await time();
    const submit = join(folder, "submit.sh");
    const nothing = { policies: 0, truths: 0, trials: 0 };
    if (!work) return { study: study.id, submit, low: 0, high: 0, elements: nothing, exitCode: interrupt.exitCode };
    const name = isStudyFile(options.study) ? resolve(options.study) : options.study;
    const stages: Elements = {
      policies: elementsOf(work, "policies"),
      truths: elementsOf(work, "truths"),
      trials: elementsOf(work, "trials"),
    };
    const ofEach = <T>(of: (each: Estimated) => T): ByElement<T> => ({
      policies: stages.policies.map((some) => some.map(of)),
      truths: stages.truths.map((some) => some.map(of)),
      trials: stages.trials.map((some) => some.map(of)),
    });
    const tasks: SlurmTasks = {
      format: 1,
      study: name,
      plan,
      cache,
      program: thisProgram(),
      stages: ofEach(({ pending }) => pending.task),
      seconds: ofEach(({ pending }) => pending.weight),
    };
    // JSON must carry all of it.
    addressOf(tasks.plan);
    if (states === "test") {
      for (const { subjects } of plan.worlds) await noteLooks(subjects.policies, cache, command);
    }
    clearReports(join(folder, "tasks.json"));
    await writeTasks(join(folder, "tasks.json"), tasks);
    await writeFileAtomic(join(folder, "element.sh"), elementScript(folder));
    await writeFileAtomic(join(folder, "gather.sh"), gatherScript(options, name, cache, out));
    await writeFileAtomic(submit, submitScript(study.id, folder, stages));
    for (const script of ["element.sh", "gather.sh", "submit.sh"]) chmodSync(join(folder, script), 0o755);
    const sum = (of: (each: Estimated) => number) => work.pending.reduce((total, each) => total + of(each), 0);
    const elements = { ...nothing };
    for (const stage of STAGES) elements[stage] = stages[stage].length;
    return {
      study: study.id,
      submit,
      low: sum(({ pending }) => pending.weight),
      high: sum(({ high }) => high),
      elements,
      exitCode: 0,
    };
  });
}

export function describeSlurm({ study, submit, low, high, elements, exitCode }: SlurmOutcome): string {
  if (exitCode !== 0) return "stopped; no script was written";
  const hours = (seconds: number) => (seconds / 3600).toPrecision(2);
  return [
    `${study}: ${hours(low)} to ${hours(high)} core-hours ahead, in arrays of ${STAGES.map((stage) => `${elements[stage]} (${stage})`).join(", ")}`,
    `Read ${submit}, then run it. What it is given goes to sbatch, such as: bash ${submit} --partition=cpu --account=me`,
    "Each element takes one core and 2 GB. All nodes must see the cache and this program under the paths they have here.",
    `How it goes: magic-mask status ${quoted(dirname(dirname(submit)))}`,
    "Where something fails or runs out of time, give the command that wrote this again: it lists what is still missing.",
  ].join("\n");
}

type Elements = ByElement<Estimated>;

/** Tasks of a stage, shared out: short ones together, nothing that makes the same files apart. */
function elementsOf({ pending }: Work, stage: Stage): Estimated[][] {
  const tasks = pending.filter((each) => STAGE[each.pending.task.kind] === stage);
  const groups: Estimated[][] = [];
  for (const task of tasks) {
    const common = groups.filter((group) => group.some((other) => overlap(task.pending, other.pending)));
    const joined = [...common.flat(), task];
    groups.splice(0, groups.length, ...groups.filter((group) => !common.includes(group)), joined);
  }
  const total = tasks.reduce((sum, { high }) => sum + high, 0);
  const each = Math.max(LEAST, (2 * total) / MOST);
  const elements: { tasks: Estimated[]; seconds: number }[] = [];
  for (const group of groups) {
    const seconds = group.reduce((sum, { high }) => sum + high, 0);
    const last = elements.find((element) => element.seconds + seconds <= each);
    if (last) {
      last.tasks.push(...group);
      last.seconds += seconds;
    } else elements.push({ tasks: [...group], seconds });
  }
  return elements.map((element) => element.tasks);
}

const program = (...words: string[]) =>
  [process.execPath, ...nodeOptions(), fileOfProgram("main"), ...words].map(quoted).join(" ");

const elementScript = (folder: string) => `#!/bin/bash
# One element of an array: its share of the stage that the first argument names.
#SBATCH --cpus-per-task=1
#SBATCH --mem=2G
#SBATCH --requeue
#SBATCH --open-mode=append
# Two minutes before its time is up it keeps how far it is.
#SBATCH --signal=B:TERM@120
set -u
${program("task", join(folder, "tasks.json"))} "$1" "$SLURM_ARRAY_TASK_ID" &
task=$!
trap 'kill -TERM "$task"' TERM
wait "$task"
code=$?
# A signal ends the first wait; the task ends when it has kept what it has.
while kill -0 "$task" 2>/dev/null; do wait "$task"; code=$?; done
exit "$code"
`;

function gatherScript(
  { size, axes = {}, overrides = [], states = "test" }: RunStudyOptions,
  name: string,
  cache: string,
  out: string,
) {
  const words = [
    ...(size === "default" ? [] : [`--${size}`]),
    ...Object.entries(axes).map(([axis, values]) => `--axis=${axis}=${values.join(",")}`),
    `--states=${states}`,
    "--workers=1",
    `--cache=${cache}`,
    `--out=${out}`,
  ];
  return `#!/bin/bash
# Writes the results; makes what an element has left undone.
#SBATCH --cpus-per-task=1
#SBATCH --mem=2G
exec ${program("study", name, ...words, ...overrides)}
`;
}

function submitScript(id: string, folder: string, stages: Elements): string {
  const lines = STAGES.filter((stage) => stages[stage].length > 0).map((stage) => {
    const elements = stages[stage];
    const longest = Math.max(...elements.map((some) => some.reduce((sum, { high }) => sum + high, 0)));
    const minutes = Math.ceil((SPARE * longest) / 60) + MINUTES;
    return `before=$(sbatch --parsable \${before:+--dependency=afterany:$before} --job-name=${id}-${stage} --array=0-${elements.length - 1} --time=${minutes} --output=logs/${stage}-%a.txt "$@" element.sh ${stage})
echo "${stage}: job $before, ${elements.length} elements"`;
  });
  return `#!/bin/bash
# Hands the study to Slurm, a stage after the other: policies, truths, trials, results. Arguments go to sbatch.
# A stage begins when the one before has ended, even if some of it failed: what can be done is done, and the last job tries the rest.
set -eu
cd ${quoted(folder)}
before=
${lines.join("\n")}
before=$(sbatch --parsable \${before:+--dependency=afterany:$before} --job-name=${id}-results --time=${4 * 60} --output=logs/results.txt "$@" gather.sh)
echo "results: job $before"
`;
}
