import { hostname } from "node:os";
import { createProgress, formatDuration } from "../terminal/progress.ts";
import type { Pending, Standing } from "../work/pool.ts";
import type { Task } from "./bench.ts";
import type { Work } from "./cost.ts";
import type { Engine } from "./engine.ts";
import type { StudyPlan } from "./plan.ts";
import { type FailedTask, type Status, writeStatus } from "./status.ts";
import type { Study } from "./study.ts";
import { nameOf } from "./tasks.ts";

/** Keeps people and `status.json` posted. */
export async function teller(
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
  const progress = createProgress({ label: study.id, total: 100, unit: "%", window: Number.POSITIVE_INFINITY });
  const write = (status: Status) => {
    engine.tell(status);
    return writeStatus(out, status);
  };
  /** What a task speaks of may be done anew after it failed; what is shown does not go back. */
  let furthest = 0;
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
      host: hostname(),
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
      furthest = Math.max(furthest, 100 * status.share);
      progress.update(furthest, {
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
export function failuresOf(plan: StudyPlan, { failed }: Standing<Task>): FailedTask[] {
  const told = failed.map(({ pending: { task }, error, tries }) => ({
    what: nameOf(plan, task),
    tries,
    error: error instanceof Error ? error.message : `${error}`,
  }));
  return told.sort((a, b) => (a.what < b.what ? -1 : 1));
}
