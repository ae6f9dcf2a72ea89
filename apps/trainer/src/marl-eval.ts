import type { Scores } from "./study/study.ts";

/**
 * Raw figures in the layout of marl-eval (github.com/instadeepai/marl-eval): environment > task > algorithm > run > step, and at the end
 * of each run its `absolute_metrics`.
 */
export type MarlEval = Readonly<
  Record<string, Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, MarlEvalRun>>>>>>>
>;

type Metrics = Readonly<Record<string, readonly number[]>>;

interface MarlEvalRun {
  readonly [step: `step_${number}`]: Metrics | { readonly step_count: number };
  readonly absolute_metrics: Metrics;
}

/**
 * The suite is the environment, worlds are its tasks. marl-eval wants the same algorithms, runs, steps and metrics everywhere, so metrics
 * that are undefined anywhere are left out, and so are seeds that any arm, world or step lacks: a run of which nothing is known is none.
 * The absolute metric is that of the last step: nothing is picked by what it was on the way.
 *
 * @param suite what it calls all worlds together
 * @returns undefined if nothing is left
 */
export function marlEvalOf(suite: string, { metrics, runs: all }: Scores): MarlEval | undefined {
  const runs = all.filter(({ values }) => Object.values(values).some((value) => value !== null));
  const distinct = <T>(values: readonly T[]) => [...new Set(values)];
  const worlds = distinct(runs.map(({ environment }) => environment));
  const arms = distinct(runs.map(({ arm }) => arm));
  const steps = distinct(runs.map((run) => run.steps)).sort((a, b) => a - b);
  const find = (environment: string, arm: string, seed: number, at: number) =>
    runs.find((run) => run.environment === environment && run.arm === arm && run.seed === seed && run.steps === at);
  const seeds = distinct(runs.map(({ seed }) => seed)).filter((seed) =>
    worlds.every((world) => arms.every((arm) => steps.every((at) => find(world, arm, seed, at) !== undefined))),
  );
  const names = metrics
    .map(({ name }) => name)
    .filter((name) => runs.every(({ seed, values }) => !seeds.includes(seed) || typeof values[name] === "number"));
  if (seeds.length === 0 || names.length === 0) return undefined;
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
  return {
    [suite]: by(worlds, (world: string) =>
      by(arms, (arm: string) => Object.fromEntries(seeds.map((seed) => [`seed_${seed}`, run(world, arm, seed)]))),
    ),
  };
}
