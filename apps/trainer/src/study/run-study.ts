import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { checkCount } from "@magic-mask/core";
import { noteLooks } from "../compare/looks.ts";
import { momentsOf } from "../report/moments.ts";
import { writeOwnPage } from "../report/report.ts";
import { makeFolder } from "../run/folder.ts";
import { lockRun } from "../run/lock.ts";
import { createInterrupt, type Interrupt } from "../terminal/interrupt.ts";
import type { StateSet } from "../truth/truth-of.ts";
import { runPool } from "../work/pool.ts";
import { type Cost, costOfAll, missing, NOTHING, type Work } from "./cost.ts";
import type { Engine, OpenEngine } from "./engine.ts";
import { timed } from "./pilot.ts";
import { type PlanStudyOptions, planStudy, type StudyPlan } from "./plan.ts";
import { localProcesses } from "./processes.ts";
import { loadStudy } from "./registry.ts";
import { gather, type StudyResults } from "./results.ts";
import type { Size, Study } from "./study.ts";
import { failuresOf, teller } from "./teller.ts";
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
 * @throws MagicMaskError before any work is done, and where what is kept of arms had unequal budgets
 */
export async function runStudy(options: RunStudyOptions): Promise<StudyOutcome> {
  const { size, states = "test", costOnly = false, command } = options;
  const workers = workersOf(options.workers ?? "auto");
  return prepareStudy(options, async (about, time, interrupt) => {
    const { study, plan, cache, out } = about;
    const stopped = () => interrupt.requested;
    // Before any work is done.
    if (!costOnly) makeFolder(SOURCE, out);
    const remote = costOnly ? undefined : options.engine;
    const engine = await (remote ?? localProcesses(workers))({ study: options.study, plan, cache });
    try {
      const work = await time(remote ? undefined : engine);
      if (!work) return { out, cost: NOTHING, exitCode: interrupt.exitCode };
      const cost = costOfAll(work, Math.max(1, engine.workers()));
      process.stderr.write(`${study.id}: ${formatCost(cost)}\n`);
      if (costOnly) return { out, cost, exitCode: 0 };

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
      const results = await gather(study, plan, cache, { size, command, cost, failures }).catch(async (error) => {
        await tell.end(standing, "failed", [...failures, { what: "results", tries: 1, error: error.message }]);
        throw error;
      });
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
 * @param does gets a function that times what is missing, by whoever of this machine is there; it gives undefined if that was stopped
 */
export async function prepareStudy<T>(
  options: RunStudyOptions,
  does: (
    about: Omit<Prepared, "work">,
    time: (local?: Engine) => Promise<Work | undefined>,
    interrupt: Interrupt,
  ) => Promise<T>,
): Promise<T> {
  const { size, axes, overrides, states = "test" } = options;
  const workers = workersOf(options.workers ?? "auto");
  const study = await loadStudy(options.study);
  const plan = await planStudy(study, { size, states, ...(axes && { axes }), ...(overrides && { overrides }) });
  const cache = resolve(options.cache);
  const out = resolve(options.out ?? join("studies", study.id + (size === "default" ? "" : `-${size}`)));
  makeFolder(SOURCE, cache);
  const unlock = lockRun(cache);
  const interrupt = createInterrupt();
  const time = async (local?: Engine) => {
    const engine = local ?? (await localProcesses(workers)({ study: options.study, plan, cache }));
    try {
      const pilots = await timed(study, plan, cache, engine.hands, () => interrupt.requested);
      return pilots && (await missing(study, plan, cache, pilots));
    } finally {
      if (!local) await engine.close();
    }
  };
  try {
    return await does({ study, plan, cache, out }, time, interrupt);
  } finally {
    interrupt.restore();
    unlock();
  }
}

function workersOf(asked: number | string): number {
  if (asked === "auto") return availableParallelism();
  checkCount(SOURCE, "--workers", asked as number, 1, 256);
  return asked as number;
}
