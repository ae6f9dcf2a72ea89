/** What does a comparison's tasks, in the main thread or in one of its own; `schedule.ts` names this file. */

import type { Signals } from "../work/signals.ts";
import { makeCells } from "./cells.ts";
import { type Cell, type Plan, truthsOf } from "./plan.ts";
import { type FrozenTeam, loadPolicy, trainPolicy } from "./policies.ts";
import { loadTruth, makeTruth } from "./truth.ts";

/** One piece of work; each leaves what it makes in the cache. */
export type Task =
  | { readonly kind: "policy"; readonly policy: number }
  | { readonly kind: "truth"; readonly policy: number; readonly agent: number }
  | { readonly kind: "cells"; readonly policy: number; readonly cells: readonly Cell[] };

/** As structured cloning carries them. */
export interface BenchOptions {
  readonly plan: Plan;
  /** Folder that keeps what is done. */
  readonly cache: string;
  readonly signals: Signals;
}

export interface Bench {
  /** @returns whether the task is done; false if it was stopped before. @throws whatever stands in its way */
  run(task: Task): Promise<boolean>;
}

export function openBench({ plan, cache, signals }: BenchOptions): Bench {
  let frozen: { readonly policy: number; readonly team: FrozenTeam } | undefined;
  const load = async (policy: number) => {
    if (frozen?.policy !== policy) frozen = { policy, team: await loadPolicy(plan.policies[policy], cache) };
    return frozen.team;
  };
  const truths = (policy: number) => truthsOf(plan).filter((truth) => truth.policy === policy);

  return {
    async run(task) {
      const { policy } = task;
      if (task.kind === "policy") return trainPolicy(plan.policies[policy], cache, signals);
      const team = await load(policy);
      if (task.kind === "truth") return makeTruth(plan, truths(policy)[task.agent], team, cache, signals);
      const known = await Promise.all(truths(policy).map((truth) => loadTruth(truth, cache)));
      return makeCells(plan, task.cells, team, known, cache, signals);
    },
  };
}
