/** What a study's tasks are made of, wherever they are done. */
import { type PolicySource, truthsOf } from "../compare/plan.ts";
import { isTrained, pathsOfPolicy } from "../compare/policies.ts";
import { hasTruth, pathOfParts, pathOfTruth } from "../compare/truth.ts";
import type { Task } from "./bench.ts";
import type { StudyPlan } from "./plan.ts";
import { pathOfTrial, readTrial } from "./store.ts";

/** Tasks that make what a study's figures depend on. */
export type Making = Exclude<Task, { kind: "pilot" }>;

/** Files and folders of the cache, relative to it. */
export interface Paths {
  /** What others must have made. */
  readonly needs: readonly string[];
  /** What it leaves; part of it lets it go on where it was stopped. */
  readonly makes: readonly string[];
}

/** The policy that is to be trained. */
export function sourceOf({ worlds }: StudyPlan, task: Extract<Task, { kind: "policy" }>): PolicySource {
  const { subjects, companions } = worlds[task.world];
  return (task.companion ? companions : subjects.policies)[task.policy];
}

export function pathsOf(plan: StudyPlan, task: Making): Paths {
  const { subjects, companions } = plan.worlds[task.world];
  if (task.kind === "policy") return { needs: [], makes: pathsOfPolicy(sourceOf(plan, task)) };
  const policy = pathsOfPolicy(subjects.policies[task.policy]);
  const truths = truthsOf(subjects).filter((truth) => truth.policy === task.policy);
  if (task.kind === "truth")
    return { needs: policy, makes: [pathOfTruth, pathOfParts].map((path) => path(truths[task.agent])) };
  const companion = companions.slice(task.policy, task.policy + 1).flatMap(pathsOfPolicy);
  return {
    needs: [...policy, ...companion, ...truths.map(pathOfTruth)],
    makes: task.trials.flatMap((trial) => [pathOfTrial(trial), ...(trial.keeps ?? [])]),
  };
}

/** Whether all that a task makes is in the cache. @throws io, corrupt-file */
export async function isMade(plan: StudyPlan, task: Making, cache: string): Promise<boolean> {
  const { subjects } = plan.worlds[task.world];
  if (task.kind === "policy") return isTrained(sourceOf(plan, task), cache);
  if (task.kind === "truth") {
    const truths = truthsOf(subjects).filter(({ policy }) => policy === task.policy);
    return hasTruth(truths[task.agent], cache);
  }
  const known = await Promise.all(task.trials.map((trial) => readTrial(trial, cache)));
  return known.every((kept) => kept !== undefined);
}

/** What a task makes, for people. */
export function nameOf({ worlds, axes }: StudyPlan, task: Task): string {
  const { environment, subjects } = worlds[task.world];
  if (task.kind === "pilot") return `timing of ${environment}`;
  const seed = `${environment}, seed ${axes.seed[task.policy]}`;
  if (task.kind === "policy") return `${task.companion ? "companion" : "policy"} of ${seed}`;
  if (task.kind === "truth") return `truth of ${seed}, ${subjects.agents[task.agent]}`;
  const points = task.trials.map(({ at: { environment: _, seed: __, ...at } }) => Object.values(at).join(" "));
  return `trials of ${seed}: ${points.join(", ")}`;
}
