import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { type CreateLearner, isMagicMaskError, type LearnerState, type Policy } from "@magic-mask/core";
import { assembleTeam, assembleWorld, learnersOf, policyWork, type Team, type World } from "../assemble.ts";
import { loadBackend } from "../backend.ts";
import type { Config } from "../config.ts";
import { type JointIteration, type JointState, trainJointly } from "../joint.ts";
import { loadTeam } from "../load-run.ts";
import { withPeers } from "../perturbations.ts";
import { hasCheckpoint, loadCheckpoint, saveCheckpoint } from "../run/checkpoint.ts";
import { sha256 } from "../run/sealed-json.ts";
import { isStopped, partOf, type Signals, tellShare } from "../work/signals.ts";
import { givenPolicy, type PolicySource } from "./plan.ts";

/** A frozen team, ready to play. */
export interface FrozenTeam {
  readonly config: Config;
  readonly world: World;
  readonly team: Team;
  /** [N] */
  readonly policies: readonly Policy[];
  readonly create: CreateLearner;
}

/** What is kept of a policy that is being trained, and what is left of it at the end. */
interface SavedPolicy {
  /** Undefined once it is finished: nothing of it is needed any more. */
  readonly training?: JointState;
  readonly learners: readonly LearnerState[];
  readonly steps: number;
  /** Wall. */
  readonly seconds: number;
  readonly finished: boolean;
}

/** What training a policy has cost. */
export interface PolicyCost {
  readonly steps: number;
  readonly wallSeconds: number;
}

/** What training makes of a source: several policies for a team of unlike skill, none for one that was there beforehand. */
export function trainedParts(source: PolicySource): readonly PolicySource[] {
  if (source.mixed) return [source.mixed.others, source.mixed.by].flatMap(trainedParts);
  return source.run ? [] : [source];
}

/**
 * Trains a policy with its world's settings and no masks, and keeps it in the cache; goes on where an earlier try stopped.
 *
 * @returns whether it is finished; false if it was stopped before, its state being kept
 */
export async function trainPolicy(source: PolicySource, cache: string, signals: Signals): Promise<boolean> {
  const parts = trainedParts(source);
  for (const [k, part] of parts.entries()) {
    if (!(await trainPart(part, cache, partOf(signals, k, parts.length)))) return false;
  }
  return true;
}

async function trainPart(source: PolicySource, cache: string, signals: Signals): Promise<boolean> {
  const folder = folderOf(source, cache);
  const saved = (await hasCheckpoint(folder)) ? ((await loadCheckpoint(folder)).tree as SavedPolicy) : undefined;
  if (saved?.finished) return true;
  // Without masks nobody is blinded.
  const config = { ...source.config, mask: { ...source.config.mask, enabled: false } };
  const { world, team, backend } = await assemble(config);
  const begun = performance.now();
  let steps = saved?.steps ?? 0;
  const about = () => ({
    learners: learnersOf(team).map(({ learner }) => learner.exportState()),
    steps,
    seconds: (saved?.seconds ?? 0) + (performance.now() - begun) / 1000,
  });
  const finished = await trainKept(trainJointly(config, world, team, undefined, backend, saved?.training), {
    ...{ config, folder, signals },
    look(iteration) {
      ({ steps } = iteration);
    },
    async save(iteration): Promise<SavedPolicy> {
      return { training: await iteration.exportState(), ...about(), finished: false };
    },
  });
  if (finished) await saveCheckpoint(folder, steps, { ...about(), finished } satisfies SavedPolicy);
  return finished;
}

export interface TrainKeptOptions {
  readonly config: Pick<Config, "training" | "checkpointSeconds">;
  /** Where checkpoints go. */
  readonly folder: string;
  readonly signals: Signals;
  /** Told of every iteration. */
  look?(iteration: JointIteration): void;
  /** All that it takes to go on after an iteration. */
  save(iteration: JointIteration): Promise<object>;
}

/**
 * Trains to the end, and keeps how far it is every `checkpointSeconds`, and where it is stopped.
 *
 * @returns whether it came to the end
 * @throws diverged, which tells where the last good checkpoint is; io
 */
export async function trainKept(
  iterations: AsyncIterable<JointIteration>,
  { config, folder, signals, look, save }: TrainKeptOptions,
): Promise<boolean> {
  const { totalSteps } = config.training;
  let savedAt = performance.now();
  try {
    for await (const iteration of iterations) {
      const { steps } = iteration;
      look?.(iteration);
      tellShare(signals, Math.min(1, steps / totalSteps));
      // Signals get through here where there are no threads.
      await setImmediate();
      if (steps >= totalSteps) continue;
      const stopped = isStopped(signals);
      if (!stopped && performance.now() - savedAt < 1000 * config.checkpointSeconds) continue;
      savedAt = performance.now();
      await saveCheckpoint(folder, steps, await save(iteration));
      if (stopped) return false;
    }
    return true;
  } catch (error) {
    if (isMagicMaskError(error, "diverged")) {
      error.message += (await hasCheckpoint(folder))
        ? `\nits last good checkpoint is in ${folder}/checkpoints`
        : "\nno checkpoint was due before: checkpointSeconds says how often there is one";
    }
    throw error;
  }
}

/** A policy that is finished, on the backend of its configuration. @throws io, corrupt-file */
export async function loadPolicy(source: PolicySource, cache: string): Promise<FrozenTeam> {
  const { run, config, mixed } = source;
  if (mixed) {
    const [others, by] = [await loadPolicy(mixed.others, cache), await loadPolicy(mixed.by, cache)];
    return mix(others, mixed.agents, by);
  }
  if (run) {
    // The policies are the run's; how they are blinded is as asked.
    const { team, create } = await loadTeam(run);
    return frozen({ config, world: await withPeers(config, assembleWorld(config), create), team, create });
  }
  const fresh = await freshTeam(config);
  const { learners } = (await loadCheckpoint(folderOf(source, cache))).tree as SavedPolicy;
  learnersOf(fresh.team).forEach(({ learner }, k) => {
    learner.restoreState(learners[k]);
  });
  return fresh;
}

const frozen = ({ config, world, team, create }: Omit<FrozenTeam, "policies">): FrozenTeam => ({
  config,
  world,
  team,
  policies: team.players.map((k) => team.learners[k].policy),
  create,
});

/** A team in which some agents are played as in another. */
function mix(others: FrozenTeam, agents: readonly number[], by: FrozenTeam): FrozenTeam {
  const chosen = others.team.players.map((_, agent) => {
    const { learners, players } = (agents.includes(agent) ? by : others).team;
    return learners[players[agent]];
  });
  const learners = [...new Set(chosen)];
  const players = chosen.map((player) => learners.indexOf(player));
  return frozen({ ...others, team: { ...others.team, learners, players } });
}

/** Whether a policy is there to be loaded. */
export async function isTrained(source: PolicySource, cache: string): Promise<boolean> {
  for (const part of trainedParts(source)) {
    const folder = folderOf(part, cache);
    if (!(await hasCheckpoint(folder)) || !((await loadCheckpoint(folder)).tree as SavedPolicy).finished) return false;
  }
  return true;
}

/** @param part one of `trainedParts` */
export async function costOf(part: PolicySource, cache: string): Promise<PolicyCost> {
  const { steps, seconds } = (await loadCheckpoint(folderOf(part, cache))).tree as SavedPolicy;
  return { steps, wallSeconds: seconds };
}

/** The same with the backend that `auto` means here, and no threads: what results are named by is what ran, not what was left to choose. */
export async function settled(asked: Config): Promise<Config> {
  const work = policyWork(asked, assembleWorld(asked));
  const { name } = await loadBackend({ backend: asked.backend, workers: 0 }, work);
  return { ...asked, backend: name as Config["backend"], workers: 0 };
}

/** Finds out what a run folder holds. @throws as `loadTeam` */
export async function policyOfRun(run: string): Promise<PolicySource> {
  const { config, team, record } = await loadTeam(run);
  const parts = team.learners.map(({ learner, origin }) =>
    learner ? bytesDigest(learner.exportState().parameters) : `${origin?.sha256} ${origin?.gives}`,
  );
  const digest = sha256(parts.join());
  // Results of one policy are to be found again wherever its run was made.
  const { id: label, steps, commit, trajectoryHash } = record;
  const origin = { steps, commit, trajectoryHash };
  return givenPolicy({ run, label, config: { ...config, workers: 0 }, origin }, digest);
}

const bytesDigest = ({ buffer, byteOffset, byteLength }: Float32Array) =>
  sha256(new Uint8Array(buffer, byteOffset, byteLength));

const pathOf = ({ address }: PolicySource) => join("policies", address);
const folderOf = (source: PolicySource, cache: string) => join(cache, pathOf(source));

/** What the cache keeps of a policy: folders, relative to it. */
export const pathsOfPolicy = (source: PolicySource): string[] => trainedParts(source).map(pathOf);

/** An untrained team, ready to play. */
export async function freshTeam(config: Config): Promise<FrozenTeam> {
  const { world, team, backend } = await assemble(config);
  return frozen({ config, world, team, create: backend.create });
}

export async function assemble(config: Config) {
  const bare = assembleWorld(config);
  const backend = await loadBackend({ ...config, workers: 0 }, policyWork(config, bare));
  const world = await withPeers(config, bare, backend.create);
  const team = assembleTeam(config, world, backend.create);
  return { world, team, backend };
}
