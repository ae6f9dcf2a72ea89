/** What does a study's tasks, in a process of its own (`worker.ts`). */

import { setImmediate } from "node:timers/promises";
import { MagicMaskError } from "@magic-mask/core";
import { type PolicySource, truthsOf } from "../compare/plan.ts";
import { type FrozenTeam, loadPolicy, trainPolicy } from "../compare/policies.ts";
import { loadTruth, makeTruth } from "../compare/truth.ts";
import { gitCommit } from "../host.ts";
import { isStopped, partOf, type Signals, tellShare } from "../work/signals.ts";
import { requireEqualBudgets, type Spent } from "./equal-budgets.ts";
import { makePilot } from "./pilot.ts";
import type { StudyPlan, Trial } from "./plan.ts";
import { keepTrial, readTrial } from "./store.ts";
import type { Place, Study, Subject } from "./study.ts";
import { sourceOf } from "./tasks.ts";

/** One piece of work; each leaves what it makes in the cache. */
export type Task =
  /** Finds out how long the others take. */
  | { readonly kind: "pilot"; readonly world: number }
  /** Trains a policy, or its companion. */
  | { readonly kind: "policy"; readonly world: number; readonly policy: number; readonly companion: boolean }
  | { readonly kind: "truth"; readonly world: number; readonly policy: number; readonly agent: number }
  | { readonly kind: "trials"; readonly world: number; readonly policy: number; readonly trials: readonly Trial[] };

export interface Bench {
  /** @returns whether the task is done; false if it was stopped before. @throws whatever stands in its way */
  run(task: Task): Promise<boolean>;
}

/** @param cache folder that keeps what is done */
export function openBench(study: Study, plan: StudyPlan, cache: string, signals: Signals): Bench {
  const commit = gitCommit();
  let frozen: { readonly name: string; readonly team: FrozenTeam } | undefined;
  const load = async (world: number, policy: number) => {
    const name = `${world} ${policy}`;
    if (frozen?.name !== name) {
      frozen = { name, team: await loadPolicy(plan.worlds[world].subjects.policies[policy], cache) };
    }
    return frozen.team;
  };
  const accompanied = async (world: number, policy: number) => {
    const source: PolicySource | undefined = plan.worlds[world].companions[policy];
    return source ? { companion: await loadPolicy(source, cache) } : {};
  };

  const makeTrials = async (
    { world, trials: asked }: Extract<Task, { kind: "trials" }>,
    about: Omit<Subject, "place">,
    place: Omit<Place, "signals">,
  ) => {
    // What an earlier try has made stays, and what was made of the arms beside counts.
    const isAsked = ({ address }: Trial) => asked.some((trial) => trial.address === address);
    const group = plan.worlds[world].groups.find(({ trials: all }) => all.some(isAsked))?.trials ?? asked;
    const kept = await Promise.all(group.map((trial) => readTrial(trial, cache)));
    const spent = group.flatMap(({ at }, i): Spent[] => (kept[i] ? [{ at, steps: kept[i].steps }] : []));
    const trials = group.filter((trial, i) => kept[i] === undefined && isAsked(trial));
    let done = 0;
    const whereabouts: Place = {
      ...place,
      // A trial speaks of itself alone.
      get signals() {
        return partOf(signals, done, trials.length);
      },
    };
    const measured = study.run(
      trials.map(({ at }) => at),
      { ...about, place: whereabouts },
    );
    for await (const result of measured) {
      spent.push({ at: trials[done].at, steps: result.steps });
      requireEqualBudgets(spent);
      await keepTrial(trials[done++], cache, { ...result, commit });
      tellShare(signals, done / trials.length);
      await setImmediate();
      if (isStopped(signals)) return done === trials.length;
    }
    if (done < trials.length && !isStopped(signals)) {
      const message = `${study.id} made ${done} of ${trials.length} trials; its run must yield one for each`;
      throw new MagicMaskError("invalid-option", "trainer/study-bench", message);
    }
    return done === trials.length;
  };

  return {
    async run(task) {
      tellShare(signals, 0);
      const { subjects } = plan.worlds[task.world];
      if (task.kind === "pilot") return makePilot(study, plan, task.world, cache, signals);
      const { policy } = task;
      if (task.kind === "policy") return trainPolicy(sourceOf(plan, task), cache, signals);
      const team = await load(task.world, policy);
      const truths = truthsOf(subjects).filter((truth) => truth.policy === policy);
      if (task.kind === "truth") return makeTruth(subjects, truths[task.agent], team, cache, signals);
      const known = await Promise.all(truths.map((truth) => loadTruth(truth, cache)));
      const about = { frozen: team, truths: known, ...(await accompanied(task.world, policy)) };
      return makeTrials(task, about, { subjects, policy, cache });
    },
  };
}
