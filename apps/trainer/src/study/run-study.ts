import { mkdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { checkCount, MagicMaskError } from "@magic-mask/core";
import { noteLooks } from "../compare/looks.ts";
import { type PolicySource, truthsOf } from "../compare/plan.ts";
import { costOf, isTrained, trainedParts } from "../compare/policies.ts";
import { hasTruth, loadTruth } from "../compare/truth.ts";
import { gitCommit, hostDescription } from "../host.ts";
import { momentsOf } from "../report/moments.ts";
import { writeOwnPage } from "../report/report.ts";
import { refused } from "../run/atomic.ts";
import { lockRun } from "../run/lock.ts";
import { createInterrupt, type Interrupt } from "../terminal/interrupt.ts";
import { createProgress, formatDuration } from "../terminal/progress.ts";
import type { StateSet } from "../truth/truth-of.ts";
import { addressOf } from "../work/address.ts";
import { type Hand, type Pending, runPool, type Standing } from "../work/pool.ts";
import type { Task } from "./bench.ts";
import type { Engine, OpenEngine } from "./engine.ts";
import { kindOf, type Pilot, readPilot } from "./pilot.ts";
import { type PlanStudyOptions, planStudy, type StudyPlan, type Trial } from "./plan.ts";
import { localProcesses } from "./processes.ts";
import { loadStudy } from "./registry.ts";
import { type FailedTask, type Status, writeStatus } from "./status.ts";
import { type Kept, readTrial } from "./store.ts";
import type { Report, Size, Study } from "./study.ts";
import { isMade, type Making, nameOf, pathsOf } from "./tasks.ts";
import { formatCost, writeStudy } from "./write.ts";

/** What the command line asks for. */
export interface RunStudyOptions {
  /** Id of a study, or a file that holds one. */
  readonly study: string;
  readonly size: Size;
  readonly axes?: PlanStudyOptions["axes"];
  readonly overrides?: readonly string[];
  readonly states?: StateSet;
  /** Processes of this machine; `auto` = as many as it runs at once. */
  readonly workers?: number | string;
  /** Who does the tasks; those processes by default. Timing is theirs in any case. */
  readonly engine?: OpenEngine;
  /** Folder of the results; `studies/<id>` by default, with `-quick` or `-paper` behind it. */
  readonly out?: string | undefined;
  /** Folder that keeps what is done. */
  readonly cache: string;
  /** Says what it would cost, and does nothing else. */
  readonly costOnly?: boolean;
  /** As it was typed, for the record. */
  readonly command: string;
}

/** What a study takes, in seconds of one core; low and high differ in how many rollouts the truth will need. */
export interface Cost {
  readonly low: number;
  readonly high: number;
  /** Of that, what is done already. */
  readonly spentLow: number;
  readonly spentHigh: number;
  /** Wall seconds ahead with so many processes, if each has a core to itself. */
  readonly least: number;
  readonly most: number;
  readonly workers: number;
}

/** Everything that is written and printed. */
export interface StudyResults {
  readonly format: 1;
  readonly study: Pick<Study, "id" | "question" | "claim" | "version">;
  readonly size: Size;
  readonly command: string;
  readonly commit: string | null;
  /** Commits that trials were made at, where they are of several. */
  readonly commits: readonly (string | null)[];
  readonly machine: ReturnType<typeof hostDescription> & {
    readonly node: string;
    readonly backends: readonly string[];
  };
  readonly plan: StudyPlan;
  /** Estimated beforehand. */
  readonly cost: Cost;
  /** Wall seconds of its processes, summed: what it took in the end, whenever that was. */
  readonly ledger: {
    readonly training: number;
    readonly truth: number;
    readonly learning: number;
    readonly judging: number;
  };
  readonly report: Report;
  /** Every trial that there is. */
  readonly trials: readonly (Trial & Kept)[];
  readonly failures: readonly FailedTask[];
  /** Digest of all figures; wall seconds are none. */
  readonly digest: string;
}

/** What came of the command. */
export interface StudyOutcome {
  /** Where the results are, or will be. */
  readonly out: string;
  readonly cost: Cost;
  readonly results?: StudyResults;
  /** What to exit with: 0; 1 if something failed; 130 or 143 after an interrupt. */
  readonly exitCode: number;
}

const SOURCE = "trainer/study";
/** How often a task is tried. */
const TRIES = 2;

/** What is known of a study before its work begins. */
export interface Prepared {
  readonly study: Study;
  readonly plan: StudyPlan;
  readonly cache: string;
  readonly out: string;
  readonly work: Work;
}

/**
 * Makes what is missing of a study and writes what it says. The figures depend neither on how many work on it nor on where.
 *
 * @throws MagicMaskError before any work is done, and where arms turn out to have had unequal budgets
 */
export async function runStudy(options: RunStudyOptions): Promise<StudyOutcome> {
  const { size, states = "test", costOnly = false, command } = options;
  const workers = workersOf(options.workers ?? "auto");
  return prepareStudy(options, async (about, time, interrupt) => {
    const { study, plan, cache, out } = about;
    const stopped = () => interrupt.requested;
    const open = (!costOnly && options.engine) || localProcesses(workers);
    const engine = await open({ study: options.study, plan, cache });
    try {
      const work = await time();
      if (!work) return { out, cost: NOTHING, exitCode: interrupt.exitCode };
      const cost = costOfAll(work, Math.max(1, engine.workers()));
      process.stderr.write(`${study.id}: ${formatCost(cost)}\n`);
      if (costOnly) return { out, cost, exitCode: 0 };

      makeFolder(out);
      if (states === "test") {
        for (const { subjects } of plan.worlds) await noteLooks(subjects.policies, cache, command);
      }
      const tell = await teller(study, plan, work, engine, out, command);
      const standing = await runPool({
        pending: work.pending.map(({ pending }) => pending),
        hands: engine.hands,
        tries: TRIES,
        strict: false,
        stopped,
        onChange: tell.update,
      });
      const failures = failuresOf(plan, standing);
      if (stopped() && standing.done.length + failures.length < work.pending.length) {
        await tell.end(standing, "stopped", failures);
        process.stderr.write(`stopped; what is done is in ${cache}; give the same command again to go on\n`);
        return { out, cost, exitCode: interrupt.exitCode };
      }
      const results = await gather(study, plan, cache, { size, command, cost, failures });
      await writeStudy(out, results);
      const moments = [];
      for (const { subjects } of plan.worlds) moments.push(...(await momentsOf(subjects, cache)));
      await writeOwnPage({ kind: "study", path: out, results, moments });
      await tell.end(standing, failures.length > 0 ? "failed" : "finished", failures);
      process.stderr.write(`${failures.length > 0 ? `${failures.length} tasks failed; ` : ""}results: ${out}\n`);
      return { out, cost, results, exitCode: failures.length > 0 ? 1 : 0 };
    } finally {
      await engine.close();
    }
  });
}

/**
 * Plans a study and holds its cache while `does` works on it, which can be interrupted.
 *
 * @param does gets a function that times what is missing; undefined if that was stopped
 */
export async function prepareStudy<T>(
  options: RunStudyOptions,
  does: (about: Omit<Prepared, "work">, time: () => Promise<Work | undefined>, interrupt: Interrupt) => Promise<T>,
): Promise<T> {
  const { size, axes, overrides, states = "test" } = options;
  const workers = workersOf(options.workers ?? "auto");
  const study = await loadStudy(options.study);
  const plan = await planStudy(study, { size, states, ...(axes && { axes }), ...(overrides && { overrides }) });
  const cache = resolve(options.cache);
  const out = resolve(options.out ?? join("studies", study.id + (size === "default" ? "" : `-${size}`)));
  makeFolder(cache);
  const unlock = lockRun(cache);
  const interrupt = createInterrupt();
  const time = async () => {
    const engine = await localProcesses(workers)({ study: options.study, plan, cache });
    try {
      const pilots = await timed(study, plan, cache, engine.hands, () => interrupt.requested);
      return pilots && (await missing(study, plan, cache, pilots));
    } finally {
      await engine.close();
    }
  };
  try {
    return await does({ study, plan, cache, out }, time, interrupt);
  } finally {
    interrupt.restore();
    unlock();
  }
}

const NOTHING: Cost = { low: 0, high: 0, spentLow: 0, spentHigh: 0, least: 0, most: 0, workers: 0 };

function workersOf(asked: number | string): number {
  if (asked === "auto") return availableParallelism();
  checkCount(SOURCE, "--workers", asked as number, 1, 256);
  return asked as number;
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw refused(SOURCE, `create ${path}`, error);
  }
}

/** How long things take in each world, from the cache or timed now. @returns undefined if it was stopped. @throws what stood in the way */
async function timed(
  study: Study,
  plan: StudyPlan,
  cache: string,
  hands: readonly Hand<Task>[],
  stopped: () => boolean,
): Promise<readonly Pilot[] | undefined> {
  const look = () => Promise.all(plan.worlds.map((_, world) => readPilot(study, plan, world, cache)));
  const unknown = (await look()).flatMap((pilot, world) => (pilot ? [] : [world]));
  if (unknown.length > 0) {
    const progress = createProgress({ label: `${study.id}: timing`, total: unknown.length, unit: "worlds" });
    const pending = unknown.map((world) => ({
      task: { kind: "pilot" as const, world },
      about: `${world}`,
      rank: 0,
      weight: 1,
    }));
    const { failed, done } = await runPool<Task>({
      pending,
      hands,
      tries: 1,
      strict: true,
      stopped,
      onChange: ({ done: made, inHand }) =>
        progress.update(made.length + inHand.reduce((sum, { share }) => sum + share, 0)),
    });
    if (failed.length > 0) throw failed[0].error;
    if (done.length < pending.length) return undefined;
    progress.done(`${study.id}: timed ${unknown.length} worlds`);
  }
  return (await look()) as Pilot[];
}

/** A task and how many seconds of a core it takes; `high` where the truth needs all its rollouts. */
export interface Estimated {
  readonly pending: Pending<Making>;
  readonly high: number;
}

export interface Work {
  readonly pending: readonly Estimated[];
  readonly finished: readonly Estimated[];
}

/** All tasks, what is in the cache already being finished. */
async function missing(study: Study, plan: StudyPlan, cache: string, pilots: readonly Pilot[]): Promise<Work> {
  const pending: Estimated[] = [];
  const finished: Estimated[] = [];
  const counted = new Set<string>();
  for (const [world, { subjects, companions, groups }] of plan.worlds.entries()) {
    const pilot = pilots[world];
    const file = async (task: Making, low: number, high = low) => {
      const about = `${world} ${task.policy}`;
      const weight = Math.max(low, Number.EPSILON);
      const { makes } = pathsOf(plan, task);
      const made = await isMade(plan, task, cache);
      (made ? finished : pending).push({ pending: { task, about, rank: RANK[task.kind], makes, weight }, high });
    };
    const train = async (source: PolicySource, policy: number, companion: boolean) => {
      // What several have in common is trained once.
      const own = trainedParts(source).filter(({ address }) => !counted.has(address));
      for (const { address } of own) counted.add(address);
      const steps = own.reduce((sum, { config }) => sum + config.training.totalSteps, 0);
      await file({ kind: "policy", world, policy, companion }, steps * pilot.step);
    };
    for (const [policy, source] of subjects.policies.entries()) await train(source, policy, false);
    for (const [policy, source] of companions.entries()) await train(source, policy, true);
    for (const { policy, agent } of truthsOf(subjects)) {
      const { first, batch } = pilot.truth;
      const most = first + (subjects.sizes.truth.batches - 1) * batch;
      await file({ kind: "truth", world, policy, agent }, first, most);
    }
    for (const { policy, trials } of groups) {
      const known = await Promise.all(trials.map((trial) => readTrial(trial, cache)));
      for (const isDone of [true, false]) {
        const some = trials.filter((_, i) => (known[i] !== undefined) === isDone);
        if (some.length === 0) continue;
        const points = some.map(({ at }) => at);
        const { fixed, each } = pilot.trials[kindOf(study, points)];
        const seconds = fixed + each * study.work(points, subjects.policies[policy].config);
        await file({ kind: "trials", world, policy, trials: some }, seconds);
      }
    }
  }
  // What takes longest first, so that nobody is left with it at the end; what others need before all.
  pending.sort((a, b) => a.pending.rank - b.pending.rank || b.pending.weight - a.pending.weight);
  return { pending, finished };
}

/** What comes first for a policy. */
const RANK = { policy: 0, truth: 1, trials: 2 } as const;

function costOfAll({ pending, finished }: Work, workers: number): Cost {
  const low = (some: readonly Estimated[]) => some.reduce((sum, { pending: { weight } }) => sum + weight, 0);
  const high = (some: readonly Estimated[]) => some.reduce((sum, each) => sum + each.high, 0);
  const [ahead, spent] = [pending, finished];
  return {
    low: low(ahead) + low(spent),
    high: high(ahead) + high(spent),
    spentLow: low(spent),
    spentHigh: high(spent),
    least: low(ahead) / workers,
    most: high(ahead) / workers,
    workers,
  };
}

/** Keeps people and `status.json` posted. */
async function teller(
  study: Study,
  plan: StudyPlan,
  { pending, finished }: Work,
  engine: Engine,
  out: string,
  command: string,
) {
  const all = [...pending, ...finished].map((each) => each.pending);
  const weigh = (some: readonly Pending<Task>[]) => some.reduce((sum, { weight }) => sum + weight, 0);
  const size = ({ task }: Pending<Task>) => (task.kind === "trials" ? task.trials.length : 1);
  const count = (some: readonly Pending<Task>[], kind: Task["kind"]) =>
    some.filter(({ task }) => task.kind === kind).reduce((sum, each) => sum + size(each), 0);
  const total = weigh(all);
  const before = finished.map((each) => each.pending);
  const begun = performance.now();
  const startedAt = new Date().toISOString();
  const progress = createProgress({ label: study.id, total: 100, unit: "%" });
  const write = (status: Status) => {
    engine.tell(status);
    return writeStatus(out, status);
  };
  let writing: Promise<void> | undefined;
  let due = 0;

  const statusOf = (standing: Standing<Task>, state: Status["state"], failures: readonly FailedTask[]): Status => {
    const made = [...before, ...standing.done];
    const hours = (performance.now() - begun) / 3.6e6;
    const inHand = standing.inHand.reduce((sum, { pending: { weight }, share }) => sum + weight * share, 0);
    const now = weigh(standing.done) + inHand;
    const trials = count(standing.done, "trials");
    const progressOf = (kind: Task["kind"]) => ({ done: count(made, kind), total: count(all, kind) });
    return {
      format: 1,
      study: study.id,
      command,
      state,
      pid: process.pid,
      workers: engine.workers(),
      policies: progressOf("policy"),
      truths: progressOf("truth"),
      trials: progressOf("trials"),
      share: made.length === all.length ? 1 : (weigh(before) + now) / total,
      trialsPerHour: trials > 0 ? trials / hours : null,
      secondsLeft: now > 0 ? (3600 * hours * (total - weigh(before) - now)) / now : null,
      failures,
      startedAt,
      updatedAt: new Date().toISOString(),
    };
  };
  const nothing: Standing<Task> = { done: [], inHand: [], waiting: [], failed: [] };
  await write(statusOf(nothing, "running", []));

  return {
    update(standing: Standing<Task>) {
      const status = statusOf(standing, "running", failuresOf(plan, standing));
      const of = ({ done, total: most }: Status["trials"]) => `${done}/${most}`;
      progress.update(100 * status.share, {
        policies: of(status.policies),
        truths: of(status.truths),
        trials: of(status.trials),
        workers: status.workers,
        ...(status.failures.length > 0 && { failures: status.failures.length }),
      });
      if (writing || performance.now() < due) return;
      due = performance.now() + STATUS_PERIOD;
      writing = write(status)
        // A full disk stops the tasks; the status is not worth stopping for.
        .catch(() => {})
        .finally(() => {
          writing = undefined;
        });
    },
    async end(standing: Standing<Task>, state: Status["state"], failures: readonly FailedTask[]) {
      await writing;
      await write(statusOf(standing, state, failures));
      progress.done(`${study.id}: ${state} after ${formatDuration((performance.now() - begun) / 1000)}`);
    },
  };
}

/** Milliseconds from one status to the next. */
const STATUS_PERIOD = 1000;

/** By name, whichever failed first. */
function failuresOf(plan: StudyPlan, { failed }: Standing<Task>): FailedTask[] {
  const told = failed.map(({ pending: { task }, error, tries }) => ({
    what: nameOf(plan, task),
    tries,
    error: error instanceof Error ? error.message : `${error}`,
  }));
  return told.sort((a, b) => (a.what < b.what ? -1 : 1));
}

/** @throws invalid-option if arms were unequal */
async function gather(
  study: Study,
  plan: StudyPlan,
  cache: string,
  { size, command, cost, failures }: Pick<StudyResults, "size" | "command" | "cost" | "failures">,
): Promise<StudyResults> {
  const trials: (Trial & Kept)[] = [];
  const ledger = { training: 0, truth: 0, learning: 0, judging: 0 };
  const sources = plan.worlds.flatMap(({ subjects, companions }) => [...subjects.policies, ...companions]);
  const parts = sources.flatMap(trainedParts);
  for (const part of new Map(parts.map((source) => [source.address, source])).values()) {
    if (await isTrained(part, cache)) ledger.training += (await costOf(part, cache)).wallSeconds;
  }
  for (const { subjects, groups } of plan.worlds) {
    for (const truth of truthsOf(subjects)) {
      if (await hasTruth(truth, cache)) ledger.truth += (await loadTruth(truth, cache)).seconds;
    }
    for (const group of groups) {
      const kept: (Trial & Kept)[] = [];
      for (const trial of group.trials) {
        const known = await readTrial(trial, cache);
        if (known) kept.push({ ...trial, ...known });
      }
      requireEqual(kept);
      ledger.learning += Math.max(0, ...kept.map(({ seconds }) => seconds.shared));
      for (const { seconds } of kept) {
        ledger.learning += seconds.learning;
        ledger.judging += seconds.judging;
      }
      trials.push(...kept);
    }
  }
  const { id, question, claim, version } = study;
  return {
    format: 1,
    study: { id, question, claim, version },
    size,
    command,
    commit: gitCommit(),
    commits: [...new Set(trials.map(({ commit }) => commit))],
    machine: {
      ...hostDescription(),
      node: process.version,
      backends: [...new Set(plan.worlds.map(({ subjects }) => subjects.backend))],
    },
    plan,
    cost,
    ledger,
    report: study.report(plan.axes, trials),
    trials,
    failures,
    digest: addressOf(trials.map(({ at, steps, figures }) => ({ at, steps, figures }))),
  };
}

/** Arms are compared at equal budgets or not at all. */
function requireEqual(group: readonly (Trial & Kept)[]): void {
  const [first, ...others] = group.filter(({ steps }) => steps > 0);
  const odd = others.find(({ steps }) => steps !== first.steps);
  if (!odd) return;
  const told = (trial: Trial & Kept) => `${Object.values(trial.at).join(" ")} learned from ${trial.steps} steps`;
  throw new MagicMaskError(
    "invalid-option",
    SOURCE,
    `arms must have equal budgets: ${told(first)}, ${told(odd)}; correct the study's run`,
  );
}
