import { join } from "node:path";
import { play, stream } from "@magic-mask/core";
import { collectStates, type MeasuredTruth, type States } from "@magic-mask/metrics";
import { hasCheckpoint, loadCheckpoint, saveCheckpoint } from "../run/checkpoint.ts";
import { createBrancher } from "../truth/brancher.ts";
import { truthOf } from "../truth/truth-of.ts";
import { isStopped, type Signals, tellShare } from "../work/signals.ts";
import type { PlannedTruth, Subjects } from "./plan.ts";
import type { FrozenTeam } from "./policies.ts";

/** Decisions of one agent and what is truly at stake in them. */
export interface TruthSet {
  readonly states: States;
  readonly truth: MeasuredTruth;
  /** Wall. */
  readonly seconds: number;
}

/**
 * Makes the truth of one agent's held-out decisions and keeps it in the cache.
 *
 * @returns whether it is finished; false if it was stopped before
 */
export async function makeTruth(
  subjects: Pick<Subjects, "states" | "sizes">,
  planned: PlannedTruth,
  frozen: FrozenTeam,
  cache: string,
  signals: Signals,
): Promise<boolean> {
  const made = await measure(subjects, planned.agent, frozen, signals);
  if (made) await saveCheckpoint(folderOf(planned, cache), 0, made);
  return made !== undefined;
}

/** The same without a cache. @returns undefined if it was stopped before */
export async function measure(
  { states: set, sizes }: Pick<Subjects, "states" | "sizes">,
  agent: number,
  frozen: FrozenTeam,
  signals: Signals,
): Promise<TruthSet | undefined> {
  const { config, world, policies } = frozen;
  const { make, perturbations } = world;
  const { states: count } = sizes;
  const begun = performance.now();
  // The set names the root: no state of one set is of an episode of the other.
  const root = stream(config.seed, "compare", set).bits();
  const seed = stream(root, "states").bits();
  const [states] = collectStates({
    make,
    policies,
    perturbation: perturbations[agent],
    agents: [agent],
    count,
    episodes: episodesFor(frozen, agent, count, seed),
    seed,
  });
  // How many batches there will be is not known before they are done.
  const onProgress = (share: number, batch: number) => {
    tellShare(signals, 1 - (1 - share / 2) / (batch + 1));
    if (isStopped(signals)) throw STOPPED;
  };
  let truth: MeasuredTruth;
  try {
    const brancher = createBrancher(world, policies);
    truth = await truthOf({ config, states, seed: stream(root, "truth", agent).bits(), brancher, onProgress });
  } catch (error) {
    if (error === STOPPED) return undefined;
    throw error;
  }
  return { states, truth, seconds: (performance.now() - begun) / 1000 };
}

export const hasTruth = (planned: PlannedTruth, cache: string): Promise<boolean> =>
  hasCheckpoint(folderOf(planned, cache));

/** @throws io, corrupt-file */
export const loadTruth = async (planned: PlannedTruth, cache: string): Promise<TruthSet> =>
  (await loadCheckpoint(folderOf(planned, cache))).tree as TruthSet;

/**
 * As many episodes as there are states, so that they are hardly ever of one episode, but fewer where episodes are long: forty times
 * as many decisions as states lie far enough apart, and fifty episodes are unlike enough.
 */
function episodesFor({ world, policies }: FrozenTeam, agent: number, count: number, seed: number): number {
  const probes = play({ make: world.make, policies, episodes: PROBES, seed: stream(seed, "probe").bits() });
  const N = world.spec.agents.length;
  let acted = 0;
  for (const { acting, ticks } of probes) for (let t = 0; t < ticks; t++) acted += acting[t * N + agent];
  return Math.max(Math.min(count, FEWEST), Math.min(count, Math.ceil((40 * count * PROBES) / Math.max(1, acted))));
}

/** The folder that the cache keeps of a truth, relative to it. */
export const pathOfTruth = ({ address }: PlannedTruth): string => join("truth", address);
const folderOf = (planned: PlannedTruth, cache: string) => join(cache, pathOfTruth(planned));

/** Thrown where the truth is given up half-way. */
const STOPPED = Symbol("stopped");
const PROBES = 16;
const FEWEST = 50;
