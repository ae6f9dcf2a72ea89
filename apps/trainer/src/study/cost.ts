import { type PolicySource, truthsOf } from "../compare/plan.ts";
import { trainedParts } from "../compare/policies.ts";
import type { Pending } from "../work/pool.ts";
import { kindOf, type Pilot } from "./pilot.ts";
import type { StudyPlan } from "./plan.ts";
import { readTrial } from "./store.ts";
import type { Study } from "./study.ts";
import { isMade, type Making, pathsOf } from "./tasks.ts";

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

export const NOTHING: Cost = { low: 0, high: 0, spentLow: 0, spentHigh: 0, least: 0, most: 0, workers: 0 };

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
export async function missing(study: Study, plan: StudyPlan, cache: string, pilots: readonly Pilot[]): Promise<Work> {
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

export function costOfAll({ pending, finished }: Work, workers: number): Cost {
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
