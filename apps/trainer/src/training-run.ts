import { setImmediate } from "node:timers/promises";
import { play, type RunRecord, stream, trajectoryHash } from "@magic-mask/core";
import { winRate } from "@magic-mask/metrics";
import {
  assembleExplanation,
  assembleTeam,
  assembleWorld,
  type Explanation,
  loadBackend,
  type Team,
  type World,
} from "./assemble.ts";
import { type Config, parseConfig } from "./config.ts";
import { gitCommit, hostDescription, packageVersions } from "./host.ts";
import { type JointIteration, type JointState, trainJointly } from "./joint.ts";
import { logIteration } from "./log-iteration.ts";
import { perturbationPlayer } from "./policies.ts";
import { assemblePostHoc, explainPostHoc, type PostHoc, type PostHocState } from "./posthoc.ts";
import { hasCheckpoint, loadCheckpoint, saveCheckpoint } from "./run/checkpoint.ts";
import { lockRun } from "./run/lock.ts";
import { createMetricsLog } from "./run/metrics-log.ts";
import { createRunFolder, openRunFolder, type RunFolder } from "./run/run-folder.ts";
import { createEventWriter } from "./run/tensorboard.ts";
import { createInterrupt } from "./terminal/interrupt.ts";
import { createProgress, formatCount, formatDuration } from "./terminal/progress.ts";

export type TrainingRunOptions =
  | { readonly config: Config; readonly out: string }
  /** Path of a run folder to continue. */
  | { readonly resume: string };

/** What a training run came to. */
export interface TrainingOutcome {
  readonly path: string;
  readonly record: RunRecord;
  /** What to exit with: 0, or 130 or 143 after an interrupt. */
  readonly exitCode: number;
}

/** What a checkpoint of training holds. */
export interface SavedRun {
  readonly joint: JointState;
  /** Bytes of the logs that go with it. */
  readonly offsets: { readonly metrics: number; readonly events: number };
  readonly hash: string;
  /** kl/update of the latest iterations, nats. */
  readonly recentKl: readonly number[];
  /** The latest win rate against random play and at which of the probes it was taken. */
  readonly probe: { readonly index: number; readonly win: number };
}

/** Where in a run folder the post-hoc explanation is kept, as a checkpoint of its own. */
export const EXPLANATION = "explanation";

/** Trains, explains post hoc and keeps it all in a run folder; continues there when resumed. @throws MagicMaskError */
export async function runTraining(options: TrainingRunOptions): Promise<TrainingOutcome> {
  const earlier = "resume" in options ? openRunFolder(options.resume) : undefined;
  const config = "config" in options ? options.config : parseConfig(earlier?.record.config);
  const world = assembleWorld(config);
  const backend = await loadBackend(earlier ? { ...config, backend: earlier.record.backend.name } : config);
  // Everything is put together before anything is written, so that what cannot be leaves nothing behind.
  const team = assembleTeam(config, world, backend.create);
  const explanation = assembleExplanation(config, world, backend.create, stream(config.seed, "joint").bits(), false);
  const postHoc = assemblePostHoc(config, world, backend.create);
  const folder =
    earlier ??
    createRunFolder({
      out: (options as { out: string }).out,
      environment: config.environment.id,
      name: config.name,
      seed: config.seed,
    });
  const unlock = lockRun(folder.path);
  const interrupt = createInterrupt();
  const now = () => new Date().toISOString();
  let record: RunRecord = earlier?.record ?? {
    format: 1,
    id: folder.id,
    environment: config.environment.id,
    seed: config.seed,
    config,
    versions: packageVersions(),
    commit: gitCommit(),
    host: hostDescription(),
    backend: { name: backend.name, reason: backend.reason },
    state: "running",
    steps: 0,
    trajectoryHash: trajectoryHash().digest(),
    startedAt: now(),
    updatedAt: now(),
  };
  const note = async (changes: Partial<RunRecord>) => {
    record = { ...record, ...changes, updatedAt: now() };
    await folder.writeRecord(record);
  };

  try {
    await note({ state: "running" });
    await folder.writeConfig(config);
    process.stderr.write(`run ${folder.path}\nbackend ${backend.name}: ${backend.reason}\n`);
    const finished = await trainPolicies(config, world, team, explanation, folder, note, () => interrupt.requested);
    if (!finished) {
      await note({ state: "interrupted" });
      return { path: folder.path, record, exitCode: interrupt.exitCode };
    }
    // From here on a signal may end the process at once: the pass is short, and repeated exactly when resumed.
    await note({ state: "trained" });
    interrupt.restore();
    const hash = await explainPolicies(config, world, team, postHoc, folder, record.steps);
    await note({ state: "finished", trajectoryHash: chained(finished.hash, hash) });
    return { path: folder.path, record, exitCode: 0 };
  } catch (error) {
    // The first trouble is the one to report, even if the disk is too full to note it.
    await note({ state: "failed" }).catch(() => {});
    throw error;
  } finally {
    interrupt.restore();
    unlock();
  }
}

/** Joint training up to its end or an interrupt. @returns undefined if interrupted */
async function trainPolicies(
  config: Config,
  world: World,
  team: Team,
  explanation: Explanation,
  folder: RunFolder,
  note: (changes: Partial<RunRecord>) => Promise<void>,
  interrupted: () => boolean,
): Promise<{ readonly hash: string } | undefined> {
  const saved = await latest(folder.path);
  const metrics = createMetricsLog(folder.metricsFile, saved?.offsets.metrics);
  const events = createEventWriter(folder.eventFile, saved?.offsets.events);
  const progress = createProgress({ label: "train", total: config.training.totalSteps, unit: "steps" });
  const begun = performance.now();
  let hash = saved?.hash ?? trajectoryHash().digest();
  let steps = saved?.joint.train.steps ?? 0;
  let savedAt = performance.now();
  let probe = saved?.probe ?? { index: -1, win: Number.NaN };
  let recentKl: readonly number[] = saved?.recentKl ?? [];

  const save = async (iteration: JointIteration) => {
    metrics.sync();
    events.sync();
    const tree: SavedRun = {
      joint: iteration.exportState(),
      offsets: { metrics: metrics.offset, events: events.offset },
      hash,
      recentKl,
      probe,
    };
    await saveCheckpoint(folder.path, steps, tree);
    await note({ steps, trajectoryHash: hash });
    savedAt = performance.now();
  };

  try {
    for await (const iteration of trainJointly(config, world, team, explanation, saved?.joint)) {
      ({ steps, hash } = iteration);
      // Updates do not give way to the event loop; here signals get through.
      await setImmediate();
      const index = Math.floor(iteration.progress * PROBES);
      if (world.spec.zeroSum && index > probe.index) probe = { index, win: probeWinRate(config, world, team) };
      const line = logIteration(iteration, config, world.spec, probe.win, metrics, events);
      recentKl = [...recentKl, line.KL].slice(-RECENT);
      progress.update(steps, line);
      const last = steps >= config.training.totalSteps;
      if (last || interrupted() || performance.now() - savedAt >= 1000 * config.checkpointSeconds)
        await save(iteration);
      if (interrupted() && !last) return undefined;
    }
    progress.done(
      `trained ${formatCount(steps)} steps in ${formatDuration((performance.now() - begun) / 1000)}, hash ${hash}`,
    );
    return { hash };
  } finally {
    try {
      metrics.close();
    } finally {
      events.close();
    }
  }
}

/** The post-hoc pass, unless the folder has its result already. @returns its digest */
async function explainPolicies(
  config: Config,
  world: World,
  team: Team,
  postHoc: PostHoc,
  folder: RunFolder,
  steps: number,
) {
  if (!config.mask.enabled || config.posthoc.steps === 0) return "";
  const path = `${folder.path}/${EXPLANATION}`;
  if (await hasCheckpoint(path)) return ((await loadCheckpoint(path)).tree as PostHocState).hash;
  const progress = createProgress({ label: "post hoc", total: 100, unit: "%" });
  const begun = performance.now();
  const state = await explainPostHoc(config, world, team, postHoc, (share) => progress.update(Math.round(100 * share)));
  await saveCheckpoint(path, steps, state);
  const seconds = (performance.now() - begun) / 1000;
  progress.done(
    `explained post hoc on ${formatCount(state.steps)} steps in ${formatDuration(seconds)}, hash ${state.hash}`,
  );
  return state.hash;
}

/** A run that was stopped before its first checkpoint starts over. */
async function latest(path: string): Promise<SavedRun | undefined> {
  return (await hasCheckpoint(path)) ? ((await loadCheckpoint(path)).tree as SavedRun) : undefined;
}

/** Iterations whose kl/update is remembered. */
const RECENT = 20;
/** How often per run the win rate against random play is looked at. */
const PROBES = 20;

/** Win rate of the first agent against random play, on seeds apart from training's and evaluation's. */
function probeWinRate(config: Config, { make, perturbations }: World, { learners, players }: Team): number {
  const policies = perturbations.map((perturbation, agent) =>
    agent === 0 ? learners[players[0]].policy : perturbationPlayer(perturbation),
  );
  const seed = stream(config.seed, "probe").bits();
  return winRate(play({ make, policies, episodes: 100, seed }), 0, { seed, draws: 100 }).estimate;
}

/** One digest for training and the post-hoc pass. */
function chained(training: string, postHoc: string): string {
  const hash = trajectoryHash();
  hash.restore(training);
  hash.update(new TextEncoder().encode(postHoc));
  return hash.digest();
}
