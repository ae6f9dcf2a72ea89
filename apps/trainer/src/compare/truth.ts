import { rm } from "node:fs/promises";
import { join } from "node:path";
import { isMagicMaskError, play, stream } from "@magic-mask/core";
import { collectStates, type MeasuredTruth, type States, type Truth } from "@magic-mask/metrics";
import { hasCheckpoint, loadCheckpoint, saveCheckpoint } from "../run/checkpoint.ts";
import { createBrancher, type SliceStore } from "../truth/brancher.ts";
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
  const parts = join(cache, pathOfParts(planned));
  const made = await measure(subjects, planned.agent, frozen, signals, parts);
  if (!made) return false;
  await saveCheckpoint(folderOf(planned, cache), 0, made);
  // What is kept says it all.
  await rm(parts, { recursive: true, force: true });
  return true;
}

/** What is done of a truth. */
interface SavedParts {
  readonly slices: readonly Truth[];
  /** Wall. */
  readonly seconds: number;
}

/**
 * The same without a cache.
 *
 * @param parts folder in which it keeps how far it is, every `checkpointSeconds`, and goes on from there; not kept without one
 * @returns undefined if it was stopped before
 */
export async function measure(
  { states: set, sizes }: Pick<Subjects, "states" | "sizes">,
  agent: number,
  frozen: FrozenTeam,
  signals: Signals,
  parts?: string,
): Promise<TruthSet | undefined> {
  const { config, world, policies } = frozen;
  const { make, perturbations } = world;
  const { states: count } = sizes;
  const begun = performance.now();
  const saved =
    parts !== undefined && (await hasCheckpoint(parts))
      ? ((await loadCheckpoint(parts)).tree as SavedParts)
      : undefined;
  const slices: Truth[] = [...(saved?.slices ?? [])];
  const seconds = () => (saved?.seconds ?? 0) + (performance.now() - begun) / 1000;
  let asked = 0;
  let savedAt = begun;
  const save = async () => {
    if (parts === undefined || slices.length === 0) return;
    savedAt = performance.now();
    const tree: SavedParts = { slices, seconds: seconds() };
    await saveCheckpoint(parts, slices.length, tree);
  };
  const store: SliceStore = {
    next: () => slices[asked++],
    async add(part) {
      slices.push(part);
      if (performance.now() - savedAt >= 1000 * config.checkpointSeconds) await save();
    },
  };
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
    const brancher = createBrancher(world, policies, store);
    truth = await truthOf({ config, states, seed: stream(root, "truth", agent).bits(), brancher, onProgress });
  } catch (error) {
    if (error === STOPPED) {
      await save();
      return undefined;
    }
    throw error;
  }
  return { states, truth, seconds: seconds() };
}

export const hasTruth = (planned: PlannedTruth, cache: string): Promise<boolean> =>
  hasCheckpoint(folderOf(planned, cache));

/** @throws io, corrupt-file */
export async function loadTruth(planned: PlannedTruth, cache: string): Promise<TruthSet> {
  const folder = folderOf(planned, cache);
  try {
    return (await loadCheckpoint(folder)).tree as TruthSet;
  } catch (error) {
    if (isMagicMaskError(error, "corrupt-file")) error.message += `; delete ${folder} to have that truth made anew`;
    throw error;
  }
}

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
/** The folder in which it is kept how far a truth is, until it is finished. */
export const pathOfParts = ({ address }: PlannedTruth): string => join("truth", `${address}.parts`);
const folderOf = (planned: PlannedTruth, cache: string) => join(cache, pathOfTruth(planned));

/** Thrown where the truth is given up half-way. */
const STOPPED = Symbol("stopped");
const PROBES = 16;
const FEWEST = 50;
