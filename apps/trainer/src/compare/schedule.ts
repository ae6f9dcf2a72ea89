import { startThread } from "@magic-mask/core/threads";
import { controls } from "@magic-mask/masking";
import { type Hand, type Pending, runPool, type Standing } from "../work/pool.ts";
import { askToStop, createSignals, shareDone } from "../work/signals.ts";
import { type Bench, openBench, type Task } from "./bench.ts";
import { readCell } from "./cells.ts";
import { type Cell, cellsOf, type Plan, truthsOf } from "./plan.ts";
import { isTrained } from "./policies.ts";
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
  const hands = Array.from(
    { length: Math.max(1, Math.min(workers, pending.length)) },
    (): Hand<Task> & { close(): Promise<void> } => {
      const signals = createSignals();
      const about = { plan, cache, signals };
      const thread = workers > 0 ? startThread({ module: BENCH, export: "openBench", options: about }) : undefined;
      const bench: Bench = thread ? { run: (task) => thread.call("run", task) } : openBench(about);
      return {
        run: (task) => bench.run(task),
        share: () => shareDone(signals),
        stop: () => askToStop(signals),
        close: async () => thread?.close(),
      };
    },
  );

  const tell = ({ done, inHand, waiting }: Standing<Task>) => {
    const made = [...finished, ...done];
    const count = (kind: Task["kind"]) => {
      const size = ({ task }: Pending<Task>) =>
        task.kind !== kind ? 0 : task.kind === "cells" ? task.cells.length : 1;
      const sum = (jobs: readonly Pending<Task>[]) => jobs.reduce((all, job) => all + size(job), 0);
      // Cells are kept one by one.
      const begun = inHand.reduce(
        (all, { pending: job, share }) => all + (kind === "cells" ? Math.floor(share * size(job)) : 0),
        0,
      );
      return `${sum(made) + begun}/${sum([...made, ...waiting, ...inHand.map(({ pending: job }) => job)])}`;
    };
    let units = made.reduce((sum, { weight }) => sum + weight, 0);
    for (const { pending: job, share } of inHand) units += job.weight * share;
    onProgress({ done: units, total, policies: count("policy"), truths: count("truth"), cells: count("cells") });
  };
  try {
    const { done, failed } = await runPool({ pending, hands, tries: 1, strict: true, stopped, onChange: tell });
    if (failed.length > 0) throw failed[0].error;
    return done.length === pending.length;
  } finally {
    await Promise.all(hands.map(({ close }) => close()));
  }
}

/** All tasks, what is in the cache already being finished. */
async function missing(plan: Plan, cache: string): Promise<{ pending: Pending<Task>[]; finished: Pending<Task>[] }> {
  const pending: Pending<Task>[] = [];
  const finished: Pending<Task>[] = [];
  const file = (isDone: boolean, task: Task, weight: number) =>
    (isDone ? finished : pending).push({ task, about: `${task.policy}`, rank: RANK[task.kind], weight });
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
  const cells = cellsOf(plan).sort((a, b) => b.budget - a.budget || a.policy - b.policy);
  const groups = new Map<string, Cell[]>();
  for (const cell of cells) {
    const { name, decides } = cell.explainer;
    // What shares no play is a task of its own.
    const key = `${cell.policy} ${cell.budget} ${decides ? name : ""}`;
    groups.set(key, [...(groups.get(key) ?? []), cell]);
  }
  const weightOf = (some: readonly Cell[]) =>
    some.reduce((sum, { explainer, budget, played }) => {
      const passes = explainer.learns || explainer.looks ? 0 : controls[explainer.name].passes;
      const judging = played ? (plan.sizes.dropEpisodes / 100) * (1 + passes / 8) : 0;
      return sum + budget / 3e4 + judging + 0.1;
    }, 0);
  // Those that take longest first, so that no thread is left with one of them at the end.
  for (const group of [...groups.values()].sort((a, b) => weightOf(b) - weightOf(a))) {
    const { policy } = group[0];
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

/** Beside this file in the source; beside the program, where this is a part of, in the build. */
const BENCH = new URL(import.meta.url.endsWith(".ts") ? "./bench.ts" : "./compare/bench.js", import.meta.url).href;
