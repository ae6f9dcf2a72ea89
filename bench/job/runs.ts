import { type Child, startNode } from "../measure/child.ts";
import type { JobOptions, JobRequest, Trained } from "./served.ts";

/** A run of the trainer's loop in a process of its own, trained a turn at a time. */
export interface JobRun {
  readonly name: string;
  /** Of all its turns, warm-up apart, the one with most steps per CPU second. */
  readonly best: () => Trained;
  /** [turns] in order. */
  readonly turns: readonly Trained[];
  readonly child: Child;
}

export interface RunInTurnsOptions {
  readonly rounds: number;
  /** CPU milliseconds of a turn. */
  readonly turn: number;
  readonly onTurn: (name: string) => void;
  /** Takes its turn after the runs in each round. */
  readonly guest?: () => Promise<void>;
}

/** Starts one run per entry of `overrides` and lets them train in turns. Close their children. */
export async function runInTurns(
  overrides: Readonly<Record<string, readonly string[]>>,
  { rounds, turn, onTurn, guest = async () => {} }: RunInTurnsOptions,
): Promise<JobRun[]> {
  const runs: (JobRun & { readonly turns: Trained[] })[] = [];
  const train = (child: Child, milliseconds: number) =>
    child.ask<Trained>({ train: milliseconds } satisfies JobRequest);
  try {
    for (const [name, each] of Object.entries(overrides)) {
      const options: JobOptions = { overrides: ["training.totalSteps=1000000000", "workers=0", ...each] };
      const child = await startNode("job/served.ts", options);
      const turns: Trained[] = [];
      const best = () => turns.reduce((a, b) => (b.steps / b.cpuMs > a.steps / a.cpuMs ? b : a));
      runs.push({ name, child, turns, best });
      // Engines compile what has run for a while.
      await train(child, Math.min(1500, turn));
      onTurn(name);
    }
    for (let round = 0; round < rounds; round++) {
      for (const { name, child, turns } of runs) {
        turns.push(await train(child, turn));
        onTurn(name);
      }
      await guest();
    }
  } catch (error) {
    for (const { child } of runs) child.close();
    throw error;
  }
  return runs;
}

/** Environment steps per CPU second. */
export const rateOf = ({ steps, cpuMs }: Trained): number => (1000 * steps) / cpuMs;
