import type { Scores } from "./study/study.ts";

/**
 * Raw figures in the layout of marl-eval (github.com/instadeepai/marl-eval): environment > task > algorithm > run > step, and at the end
 * of each run its `absolute_metrics`.
 */
type MarlEval = Readonly<
  Record<string, Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, MarlEvalRun>>>>>>>
>;

type Metrics = Readonly<Record<string, readonly number[]>>;

interface MarlEvalRun {
  readonly [step: `step_${number}`]: Metrics | { readonly step_count: number };
  readonly absolute_metrics: Metrics;
}

/** What marl-eval reads, and what of the figures has no place in it. */
export interface MarlEvalBlock {
  readonly raw: MarlEval;
  /** By kind, in words; empty where it holds all. */
  readonly without: readonly string[];
}

/**
 * The suite is the environment, worlds are its tasks. marl-eval wants the same algorithms, runs, steps and metrics everywhere: of all
 * choices of arms and metrics that are defined everywhere, it is the one with the most figures, of equals that of more arms. Of these,
 * seeds are left out that any arm, world or step lacks. The absolute metric is that of the last step: nothing is picked by what it was
 * on the way.
 *
 * @param suite what it calls all worlds together
 * @returns undefined if nothing is left
 */
export function marlEvalOf(suite: string, { metrics, runs }: Scores): MarlEvalBlock | undefined {
  const distinct = <T>(values: readonly T[]) => [...new Set(values)];
  const worlds = distinct(runs.map(({ environment }) => environment));
  const allArms = distinct(runs.map(({ arm }) => arm));
  const steps = distinct(runs.map((run) => run.steps)).sort((a, b) => a - b);
  const allSeeds = distinct(runs.map(({ seed }) => seed));
  const allNames = metrics.map(({ name }) => name);
  const keyOf = (...key: (string | number)[]) => key.join("\n");
  const byKey = new Map(runs.map((run) => [keyOf(run.environment, run.arm, run.seed, run.steps), run]));
  const find = (...key: [environment: string, arm: string, seed: number, at: number]) => byKey.get(keyOf(...key));
  const isKnown = (world: string, arm: string, seed: number, at: number, name: string) =>
    typeof find(world, arm, seed, at)?.values[name] === "number";
  // A figure that no seed has is not a matter of seeds.
  const isDefined = (arm: string, name: string) =>
    worlds.every((world) => steps.every((at) => allSeeds.some((seed) => isKnown(world, arm, seed, at, name))));
  const choices = subsetsOf(allNames).map((names) => ({
    names,
    arms: allArms.filter((arm) => names.every((name) => isDefined(arm, name))),
  }));
  const { names, arms } = choices.reduce((best, each) => {
    const gain = each.names.length * each.arms.length - best.names.length * best.arms.length;
    return gain > 0 || (gain === 0 && each.arms.length > best.arms.length) ? each : best;
  });
  const seeds = allSeeds.filter((seed) =>
    worlds.every((world) =>
      arms.every((arm) => steps.every((at) => names.every((name) => isKnown(world, arm, seed, at, name)))),
    ),
  );
  if (seeds.length === 0 || names.length === 0 || arms.length === 0) return undefined;
  const figures = (environment: string, arm: string, seed: number, at: number): Metrics => {
    const values = find(environment, arm, seed, at)?.values ?? {};
    return Object.fromEntries(names.map((name) => [name, [values[name] as number]]));
  };
  const by = <T>(keys: readonly (string | number)[], of: (key: never) => T) =>
    Object.fromEntries(keys.map((key) => [key, of(key as never)]));
  const run = (environment: string, arm: string, seed: number): MarlEvalRun => ({
    ...Object.fromEntries(
      steps.map((at, i) => [`step_${i}`, { step_count: at, ...figures(environment, arm, seed, at) }]),
    ),
    absolute_metrics: figures(environment, arm, seed, steps[steps.length - 1]),
  });
  const raw = {
    [suite]: by(worlds, (world: string) =>
      by(arms, (arm: string) => Object.fromEntries(seeds.map((seed) => [`seed_${seed}`, run(world, arm, seed)]))),
    ),
  };
  const left = (kind: string, all: readonly (string | number)[], kept: readonly (string | number)[]) => {
    const lost = all.filter((each) => !kept.includes(each));
    return lost.length > 0 ? [`${kind} ${lost.join(", ")}`] : [];
  };
  const without = [
    ...left("arms", allArms, arms),
    ...left("metrics", allNames, names),
    ...left("seeds", allSeeds, seeds),
  ];
  return { raw, without };
}

/** All choices among a few, none included. */
const subsetsOf = <T>(all: readonly T[]): T[][] =>
  all.reduce<T[][]>((some, each) => some.concat(some.map((chosen) => [...chosen, each])), [[]]);
