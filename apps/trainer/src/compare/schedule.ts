import { startThread } from "@magic-mask/core/threads";
import { type Bench, openBench, type Task } from "./bench.ts";
import { readCell } from "./cells.ts";
import { type Cell, cellsOf, type Plan, truthsOf } from "./plan.ts";
import { isTrained } from "./policies.ts";
import { askToStop, createSignals, shareDone } from "./signals.ts";
import { hasTruth } from "./truth.ts";

export interface ScheduleOptions {
  readonly plan: Plan;
  /** Folder that keeps what is done. */
  readonly cache: string;
  /** Threads that work side by side; 0 = this one. No effect on the figures. */
  readonly workers: number;
  /** Asked again and again; once it says so, tasks stop where they can go on later. */
  readonly stopped: () => boolean;
  /** Told how far it is, in pieces of work as `Work` counts them. */
  readonly onProgress: (work: Work) => void;
}

/** Rough seconds of one core: good enough for the time that is left. */
interface Work {
  readonly done: number;
  readonly total: number;
  readonly policies: string;
  readonly truths: string;
  readonly cells: string;
}

/** A task with its place in the order of things. */
interface Pending {
  readonly task: Task;
  /** In the units of `Work`. */
  readonly weight: number;
}

/**
 * Does what is missing of a comparison: policies first, then the truth of their decisions, then the cells. What a policy is needed
 * for begins as soon as it is there, while others still learn.
 *
 * @returns whether all is done; false if it was stopped
 * @throws the first thing that stood in the way of a task; the others stop first
 */
export async function runSchedule(options: ScheduleOptions): Promise<boolean> {
  const { plan, cache, workers, stopped, onProgress } = options;
  const { pending, finished } = await missing(plan, cache);
  const total = [...pending, ...finished].reduce((sum, { weight }) => sum + weight, 0);
  const tasks = pending.length + finished.length;
  const done = [...finished];
  const hands = Array.from({ length: Math.max(1, Math.min(workers, pending.length)) }, () => {
    const signals = createSignals();
    const about = { plan, cache, signals };
    const thread = workers > 0 ? startThread({ module: BENCH, export: "openBench", options: about }) : undefined;
    const bench: Bench = thread ? { run: (task) => thread.call("run", task) } : openBench(about);
    return { signals, bench, close: async () => thread?.close(), job: undefined as Pending | undefined };
  });

  const count = (kind: Task["kind"]) => {
    const size = ({ task }: Pending) => (task.kind !== kind ? 0 : task.kind === "cells" ? task.cells.length : 1);
    const sum = (jobs: readonly Pending[]) => jobs.reduce((all, job) => all + size(job), 0);
    const begun = hands.reduce((all, { job, signals }) => {
      return all + (job?.task.kind === "cells" && kind === "cells" ? Math.floor(shareDone(signals) * size(job)) : 0);
    }, 0);
    return `${sum(done) + begun}/${sum([...done, ...pending]) + hands.reduce((all, { job }) => all + (job ? size(job) : 0), 0)}`;
  };
  const tell = () => {
    let units = done.reduce((sum, { weight }) => sum + weight, 0);
    for (const { job, signals } of hands) if (job) units += job.weight * shareDone(signals);
    onProgress({ done: units, total, policies: count("policy"), truths: count("truth"), cells: count("cells") });
  };
  let failed: unknown;
  const watch = setInterval(() => {
    if (stopped() || failed !== undefined) for (const { signals } of hands) askToStop(signals);
    tell();
  }, PERIOD);

  /** What can begin now: what it needs is neither yet to come nor in hand. */
  const next = (): Pending | undefined => {
    const open = [...pending, ...hands.flatMap(({ job }) => (job ? [job] : []))].map(({ task }) => task);
    const waits = ({ kind, policy }: Task) =>
      open.some((task) => task.policy === policy && RANK[task.kind] < RANK[kind]);
    const at = pending.findIndex(({ task }) => !waits(task));
    return at < 0 ? undefined : pending.splice(at, 1)[0];
  };
  let wake = () => {};
  let change = new Promise<void>((resolve) => {
    wake = resolve;
  });
  const changed = () => {
    wake();
    change = new Promise<void>((resolve) => {
      wake = resolve;
    });
  };
  const work = async (hand: (typeof hands)[number]) => {
    while (pending.length > 0 && failed === undefined && !stopped()) {
      const job = next();
      if (!job) {
        await change;
        continue;
      }
      hand.job = job;
      try {
        if (await hand.bench.run(job.task)) done.push(job);
      } catch (error) {
        failed ??= error;
      }
      hand.job = undefined;
      changed();
    }
  };
  try {
    tell();
    await Promise.all(hands.map(work));
    if (failed !== undefined) throw failed;
    return done.length === tasks;
  } finally {
    clearInterval(watch);
    await Promise.all(hands.map(({ close }) => close()));
  }
}

/** All tasks, what is in the cache already being finished. */
async function missing(plan: Plan, cache: string): Promise<{ pending: Pending[]; finished: Pending[] }> {
  const pending: Pending[] = [];
  const finished: Pending[] = [];
  const file = (isDone: boolean, task: Task, weight: number) => (isDone ? finished : pending).push({ task, weight });
  for (const [policy, source] of plan.policies.entries()) {
    const weight = source.config.training.totalSteps / STEPS_PER_SECOND;
    file(await isTrained(source, cache), { kind: "policy", policy }, source.run ? 0 : weight);
  }
  for (const truth of truthsOf(plan)) {
    const { policy, agent } = truth;
    file(
      await hasTruth(truth, cache),
      { kind: "truth", policy, agent },
      (plan.sizes.states * plan.sizes.truth.rollouts) / 2000,
    );
  }
  // Those that take longest first, so that no thread is left with one of them at the end.
  const cells = cellsOf(plan).sort((a, b) => b.budget - a.budget || a.policy - b.policy);
  const groups = new Map<string, Cell[]>();
  for (const cell of cells) {
    const { name, decides } = cell.explainer;
    // What shares no play is a task of its own.
    const key = `${cell.policy} ${cell.budget} ${decides ? name : ""}`;
    groups.set(key, [...(groups.get(key) ?? []), cell]);
  }
  for (const group of groups.values()) {
    const { policy, budget, played } = group[0];
    const weightOf = (some: readonly Cell[]) =>
      some.length * (budget / 3e4 + (played ? plan.sizes.dropEpisodes / 100 : 0) + 0.1);
    const known = group.filter((cell) => readCell(cell, cache) !== undefined);
    const unknown = group.filter((cell) => !known.includes(cell));
    if (known.length > 0) file(true, { kind: "cells", policy, cells: known }, weightOf(known));
    if (unknown.length > 0) file(false, { kind: "cells", policy, cells: unknown }, weightOf(unknown));
  }
  return { pending, finished };
}

/** What comes first for a policy. */
const RANK: Readonly<Record<Task["kind"], number>> = { policy: 0, truth: 1, cells: 2 };
const STEPS_PER_SECOND = 7e4;
/** Milliseconds from one look at the tasks in hand to the next. */
const PERIOD = 200;

/** Beside this file in the source; beside the program, where this is a part of, in the build. */
const BENCH = new URL(import.meta.url.endsWith(".ts") ? "./bench.ts" : "./compare/bench.js", import.meta.url).href;
