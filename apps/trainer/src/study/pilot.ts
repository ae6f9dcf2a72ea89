import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { assemble, type FrozenTeam, freshTeam } from "../compare/policies.ts";
import { measure, type TruthSet } from "../compare/truth.ts";
import type { Config } from "../config.ts";
import { trainJointly } from "../joint.ts";
import { createProgress } from "../terminal/progress.ts";
import { addressOf } from "../work/address.ts";
import { type Hand, runPool } from "../work/pool.ts";
import { createSignals, isStopped, type Signals, tellShare } from "../work/signals.ts";
import type { Task } from "./bench.ts";
import { coreSeconds } from "./core-seconds.ts";
import { requireEqualBudgets, type Spent } from "./equal-budgets.ts";
import type { StudyPlan } from "./plan.ts";
import { keep, read } from "./store.ts";
import type { Axes, Coordinates, Study } from "./study.ts";

/** How long things take in one world, in seconds of one core of this machine: whatever else it does meanwhile does not count. */
export interface Pilot {
  /** Of a step of training. */
  readonly step: number;
  /** Of the truth of one agent: of its first batch of rollouts, and of each that follows. */
  readonly truth: { readonly first: number; readonly batch: number };
  /** Of trials that are made in one go, by kind. */
  readonly trials: Readonly<Record<string, Line>>;
}

/** fixed + each · amount */
interface Line {
  readonly fixed: number;
  readonly each: number;
}

/** Raised when a pilot means something else. */
const FORMAT = 3;
/** States of each agent, in a short look and a longer one. */
const STATES = [4, 16] as const;
/** Seconds that policies are trained for. */
const TRAINING = 2;

/**
 * Times a little of everything on an untrained team, and keeps what that took.
 *
 * @returns whether it is done
 * @throws invalid-option if arms have unequal budgets
 */
export async function makePilot(
  study: Study,
  plan: StudyPlan,
  world: number,
  cache: string,
  signals: Signals,
): Promise<boolean> {
  const { policies, sizes, states: set } = plan.worlds[world].subjects;
  const { config } = policies[0];
  const step = await timeTraining(config);
  tellShare(signals, 0.3);
  if (isStopped(signals)) return false;

  const fresh = await freshTeam(config);
  const once: FrozenTeam = { ...fresh, config: { ...config, evaluation: { ...config.evaluation, batches: 1 } } };
  const look = (agent: number, states: number) =>
    measure({ states: set, sizes: { ...sizes, states } }, agent, once, createSignals()) as Promise<TruthSet>;
  const times = [];
  for (const states of STATES) {
    const begun = coreSeconds();
    await look(0, states);
    times.push(coreSeconds() - begun);
  }
  const perState = lineThrough(STATES, times);
  const truths: TruthSet[] = [];
  for (const agent of fresh.policies.keys()) {
    if (isStopped(signals)) return false;
    truths.push(await look(agent, STATES[1]));
  }
  tellShare(signals, 0.6);

  const [second] = plan.worlds[world].companions;
  const companion = second && (await freshTeam(second.config));
  const subject = { frozen: fresh, truths, ...(companion && { companion }) };
  const kinds = new Map<string, { readonly work: number[]; readonly took: number[] }>();
  // What an untrained team comes to is nobody's result.
  const folder = folderOf(cache);
  await mkdir(folder, { recursive: true });
  const scratch = await mkdtemp(join(folder, "scratch-"));
  try {
    const place = { subjects: plan.worlds[world].subjects, policy: 0, cache: scratch, signals };
    for (const group of pilotsOf(study, axesOf(plan, world))) {
      const begun = coreSeconds();
      const spent: Spent[] = [];
      for await (const { steps } of study.run(group, { ...subject, place })) {
        if (isStopped(signals)) return false;
        spent.push({ at: group[spent.length], steps });
      }
      // It may have ended early.
      if (isStopped(signals)) return false;
      requireEqualBudgets(spent);
      const { work, took } = kinds.get(kindOf(study, group)) ?? { work: [], took: [] };
      work.push(study.work(group, fresh.config));
      took.push(coreSeconds() - begun);
      kinds.set(kindOf(study, group), { work, took });
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  const pilot: Pilot = {
    step,
    truth: {
      first: perState.fixed + perState.each * sizes.states,
      batch: perState.each * sizes.states,
    },
    trials: Object.fromEntries([...kinds].map(([kind, { work, took }]) => [kind, lineThrough(work, took)])),
  };
  await keep(folderOf(cache), addressOfPilot(study, plan, world), pilot);
  return true;
}

/** @returns undefined if there is none yet */
const readPilot = (study: Study, plan: StudyPlan, world: number, cache: string): Promise<Pilot | undefined> =>
  read(folderOf(cache), addressOfPilot(study, plan, world)) as Promise<Pilot | undefined>;

/** Of trials that are made in one go. */
export const kindOf = (study: Study, [first]: readonly Coordinates[]): string => study.kind?.(first) ?? "";

const folderOf = (cache: string) => join(cache, "pilots");

function addressOfPilot(study: Study, plan: StudyPlan, world: number): string {
  const { subjects, companions } = plan.worlds[world];
  const { environment, training, posthoc, evaluation, sharing, mask } = subjects.policies[0].config;
  return addressOf({
    format: FORMAT,
    study: study.id,
    version: study.version,
    groups: pilotsOf(study, axesOf(plan, world)),
    config: { environment, training, posthoc, evaluation, sharing, mask },
    companion: companions[0]?.address,
    cpu: cpus()[0]?.model ?? "unknown",
  });
}

const axesOf = ({ axes, worlds }: StudyPlan, world: number): Axes => ({
  ...axes,
  environment: [worlds[world].environment],
});

/** A study's pilots, none longer than its longest trials. */
export function pilotsOf(study: Study, axes: Axes): Coordinates[][] {
  const most = axes.budget ? Math.max(...axes.budget.map(Number)) : Number.POSITIVE_INFINITY;
  const cut = (at: Coordinates) => (Number(at.budget) > most ? { ...at, budget: most } : at);
  const groups = study.pilots(axes).map((group) => group.map(cut));
  // Cut to one length, two are one.
  return groups.filter((group, i) => groups.findIndex((other) => isDeepStrictEqual(other, group)) === i);
}

/** Seconds per environment step; the first iteration, in which everything is new, is left out. */
async function timeTraining(config: Config): Promise<number> {
  const alone = { ...config, mask: { ...config.mask, enabled: false } };
  const { world, team, backend } = await assemble(alone);
  let first: { readonly at: number; readonly steps: number } | undefined;
  let each = 0;
  for await (const { steps } of trainJointly(alone, world, team, undefined, backend)) {
    const at = coreSeconds();
    first ??= { at, steps };
    if (steps > first.steps) each = (at - first.at) / (steps - first.steps);
    // Where training is shorter than that, all of it has been seen.
    if (steps >= config.training.totalSteps || at - first.at >= TRAINING) break;
  }
  return each;
}

/** The line through two points, sloping up and nowhere below 0; through one and nothing. */
function lineThrough(amounts: readonly number[], seconds: readonly number[]): Line {
  if (amounts.length === 1) return { each: seconds[0] / amounts[0], fixed: 0 };
  const each = Math.max(0, (seconds[1] - seconds[0]) / (amounts[1] - amounts[0]));
  return { each, fixed: Math.max(0, seconds[0] - each * amounts[0]) };
}

/** How long things take in each world, from the cache or timed now. @returns undefined if it was stopped. @throws what stood in the way */
export async function timed(
  study: Study,
  plan: StudyPlan,
  cache: string,
  hands: readonly Hand<Task>[],
  stopped: () => boolean,
): Promise<readonly Pilot[] | undefined> {
  const look = () => Promise.all(plan.worlds.map((_, world) => readPilot(study, plan, world, cache)));
  const unknown = (await look()).flatMap((pilot, world) => (pilot ? [] : [world]));
  if (unknown.length > 0) {
    const progress = createProgress({
      label: `${study.id}: timing`,
      total: unknown.length,
      unit: "worlds",
      window: Number.POSITIVE_INFINITY,
    });
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
