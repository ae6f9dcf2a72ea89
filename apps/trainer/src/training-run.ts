import { existsSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { isMagicMaskError, MagicMaskError, play, type RunRecord, stream, trajectoryHash } from "@magic-mask/core";
import { meanReturn, winRate } from "@magic-mask/metrics";
import {
  assembleExplanation,
  assembleTeam,
  assembleWorld,
  type Explanation,
  policyWork,
  type Team,
  type World,
} from "./assemble.ts";
import { type Backend, loadBackend } from "./backend.ts";
import { type Config, parseConfig } from "./config.ts";
import { asDiverged } from "./diagnostics/divergence.ts";
import { createWatch, STOPPED, warningInWords } from "./diagnostics/watch.ts";
import { describeGiven, inFolder, isGiven, keepModels } from "./given.ts";
import { gitCommit, hostDescription, packageVersions } from "./host.ts";
import { exportLearned, type JointState, trainJointly } from "./joint.ts";
import { logIteration } from "./log-iteration.ts";
import { withLearned, withPeers } from "./perturbations.ts";
import { randomPlayer } from "./policies.ts";
import { assemblePostHoc, explainPostHoc, isExplained, type PostHoc, type PostHocState } from "./posthoc.ts";
import { hasCheckpoint, loadCheckpoint, saveCheckpoint } from "./run/checkpoint.ts";
import { lockRun } from "./run/lock.ts";
import { createMetricsLog, type MetricsLog, readMetrics } from "./run/metrics-log.ts";
import { createRunFolder, openRunFolder, type RunFolder } from "./run/run-folder.ts";
import { createEventWriter, type EventWriter } from "./run/tensorboard.ts";
import { createInterrupt } from "./terminal/interrupt.ts";
import { createProgress, formatCount, formatDuration } from "./terminal/progress.ts";

export type TrainingRunOptions =
  | { readonly config: Config; readonly out: string }
  /** Path of a run folder to continue, from its newest checkpoint, its best or that of a given step. */
  | {
      readonly resume: string;
      readonly step?: number | "best" | undefined;
      /** Instead of the run's own: results do not depend on it. */
      readonly workers?: number | string | undefined;
    };

/** What a training run came to. */
export interface TrainingOutcome {
  readonly path: string;
  readonly record: RunRecord;
  /** What to exit with: 0, or 130 or 143 after an interrupt. */
  readonly exitCode: number;
}

/** What a checkpoint of training holds. */
export interface SavedRun {
  /** Id of the run that it is of. */
  readonly run: string;
  readonly joint: JointState;
  /** Bytes of the logs that go with it. */
  readonly offsets: { readonly metrics: number; readonly events: number };
  readonly hash: string;
  /** kl/update of the first policy, nats: of the latest iterations, and the largest so far. */
  readonly kl: { readonly recent: readonly number[]; readonly largest: number };
  /** What was warned of so far. Older checkpoints have none. */
  readonly warnings?: RunRecord["warnings"];
  /** The latest look at the team's strength, which of the probes it was, and the best at a checkpoint so far. */
  readonly probe: { readonly index: number; readonly strength: number; readonly best: number };
}

/** Where in a run folder the post-hoc explanation is kept, as a checkpoint of its own. */
export const EXPLANATION = "explanation";

/** Trains, explains post hoc and keeps it all in a run folder; continues there when resumed. @throws MagicMaskError */
export async function runTraining(options: TrainingRunOptions): Promise<TrainingOutcome> {
  const earlier = "resume" in options ? openRunFolder(options.resume) : undefined;
  const asked =
    "config" in options ? options.config : parseConfig(withWorkers(earlier?.record.config, options.workers));
  const config = earlier ? inFolder(asked, earlier.path) : asked;
  const bare = assembleWorld(config);
  const backend = await loadBackend(
    earlier ? { ...config, backend: earlier.record.backend.name } : config,
    policyWork(config, bare),
  );
  const known = await withPeers(config, bare, backend.create);
  // Everything is put together before anything is written, so that what cannot be leaves nothing behind.
  const team = assembleTeam(config, known, backend.create);
  const enabled = config.mask.enabled && !isGiven(config);
  const joint = stream(config.seed, "joint").bits();
  const explanation = enabled ? assembleExplanation(config, known, backend.create, joint, false) : undefined;
  const world = explanation ? withLearned(config, known, explanation, joint) : known;
  const postHoc = isExplained(config) ? assemblePostHoc(config, known, backend.create) : undefined;
  const folder =
    earlier ??
    createRunFolder({
      out: (options as { out: string }).out,
      environment: config.environment.id,
      name: config.name,
      seed: config.seed,
    });
  /** As the folder keeps it. */
  const kept = earlier ? asked : keepModels(config, folder.path);
  const unlock = lockRun(folder.path);
  const saved = await loadSaved(folder, "resume" in options ? options.step : undefined).catch((error) => {
    unlock();
    throw error;
  });
  const interrupt = createInterrupt();
  const now = () => new Date().toISOString();
  const host = { ...hostDescription(), workers: backend.workers };
  let record: RunRecord = earlier?.record ?? {
    format: 1,
    id: folder.id,
    environment: config.environment.id,
    seed: config.seed,
    config: kept,
    versions: packageVersions(),
    commit: gitCommit(),
    host,
    backend: { name: backend.name, reason: backend.reason },
    state: "running",
    steps: 0,
    trajectoryHash: trajectoryHash().digest(),
    testLooks: [],
    warnings: [],
    startedAt: now(),
    updatedAt: now(),
  };
  const note = async (changes: Partial<RunRecord>) => {
    record = { ...record, ...changes, updatedAt: now() };
    await folder.writeRecord(record);
  };

  let begun = false;
  try {
    // What cannot be continued leaves the record as it was.
    const logs = isGiven(config) ? undefined : openLogs(folder, saved);
    begun = true;
    await note({ state: "running", config: kept, host, warnings: saved?.warnings ?? [] });
    await folder.writeConfig(kept);
    const threads = backend.workers === 0 ? "" : `, worker threads: ${backend.workers}`;
    process.stderr.write(`run ${folder.path}\nbackend ${backend.name}${threads}: ${backend.reason}\n`);
    const finished = logs
      ? await trainPolicies(
          config,
          world,
          team,
          explanation,
          backend,
          folder,
          saved,
          logs,
          note,
          () => interrupt.requested,
        )
      : { hash: trajectoryHash().digest() };
    if (!finished) {
      await note({ state: "interrupted" });
      return { path: folder.path, record, exitCode: interrupt.exitCode };
    }
    // From here on a signal may end the process at once: the pass is short, and repeated exactly when resumed.
    await note({ state: "trained" });
    interrupt.restore();
    for (const line of describeGiven(team, world.spec)) process.stderr.write(`${line}\n`);
    process.stderr.write(`policies saved; if you stop now, finish with: magic-mask train --resume ${folder.path}\n`);
    const hash = postHoc ? await explainPolicies(config, world, team, postHoc, backend, folder, record.steps) : "";
    await note({ state: "finished", trajectoryHash: chained(finished.hash, hash) });
    return { path: folder.path, record, exitCode: 0 };
  } catch (error) {
    // The first trouble is the one to report, even if the disk is too full to note it.
    if (begun) await note({ state: "failed", ...(await stoppedBy(error, folder, record)) }).catch(() => {});
    throw error;
  } finally {
    interrupt.restore();
    unlock();
    await backend.close();
  }
}

/**
 * What a run's record keeps of what ended it. Where training diverged, or lost a worker, the error is told where to go on.
 *
 * @param record as the last checkpoint left it
 */
async function stoppedBy(
  error: unknown,
  { path }: Pick<RunFolder, "path">,
  { steps, warnings }: RunRecord,
): Promise<Partial<RunRecord>> {
  const isSaved = await hasCheckpoint(path);
  if (isMagicMaskError(error, "worker-lost") && isSaved) {
    error.message += `\nthe run is saved up to ${steps} steps; go on with: magic-mask train --resume ${path}`;
  }
  if (!isMagicMaskError(error, "diverged")) return {};
  const value = error.message;
  error.message += isSaved
    ? `\nthe last good checkpoint is that of step ${steps}${steps === 0 ? ", before the first update" : ""}, in ${path}/checkpoints/step_${steps}; change config.training in ${path}/run.json, and go on from it with: magic-mask train --resume ${path} (unchanged it comes to the same end${existsSync(`${path}/checkpoints/best.json`) ? "; --step best is the strongest so far" : ""})`
    : "\nthere is no checkpoint: nothing was trained here";
  const advice = "lower training.learningRate or training.maxGradNorm, or raise training.entropyCoefficient";
  return {
    warnings: [
      ...warnings,
      {
        steps,
        what: STOPPED,
        value,
        limit: "something is not finite, an update is absurd, or a policy has collapsed",
        advice,
      },
    ],
  };
}

interface Logs {
  readonly metrics: MetricsLog;
  readonly events: EventWriter;
}

/** Opens both logs where a checkpoint left them. @throws io; corrupt-file if one is shorter than that */
function openLogs(folder: RunFolder, saved: SavedRun | undefined): Logs {
  const metrics = createMetricsLog(folder.metricsFile, saved?.offsets.metrics);
  try {
    return { metrics, events: createEventWriter(folder.eventFile, saved?.offsets.events) };
  } catch (error) {
    metrics.close();
    throw error;
  }
}

/** Joint training up to its end or an interrupt. Closes the logs. @returns undefined if interrupted */
async function trainPolicies(
  config: Config,
  world: World,
  team: Team,
  explanation: Explanation | undefined,
  backend: Backend,
  folder: RunFolder,
  saved: SavedRun | undefined,
  { metrics, events }: Logs,
  note: (changes: Partial<RunRecord>) => Promise<void>,
  interrupted: () => boolean,
): Promise<{ readonly hash: string } | undefined> {
  const progress = createProgress({ label: "train", total: config.training.totalSteps, unit: "steps" });
  const begun = performance.now();
  /** What the progress line says: the last that was known of each figure. */
  const shown: Record<string, number> = {};
  let hash = saved?.hash ?? trajectoryHash().digest();
  let steps = saved?.joint.train?.steps ?? 0;
  let savedAt = performance.now();
  let probe = saved?.probe ?? { index: -1, strength: Number.NaN, best: Number.NEGATIVE_INFINITY };
  let kl: SavedRun["kl"] = saved?.kl ?? { recent: [], largest: 0 };
  const watch = createWatch(saved?.warnings);
  const warn = async (warnings: RunRecord["warnings"]) => {
    for (const warning of warnings) progress.done(`warning at step ${warning.steps}: ${warningInWords(warning)}`);
    if (warnings.length > 0) await note({ warnings: watch.warnings });
  };

  const save = async (joint: JointState) => {
    metrics.sync();
    events.sync();
    const best = probe.strength > probe.best;
    if (best) probe = { ...probe, best: probe.strength };
    const tree: SavedRun = {
      run: folder.id,
      joint,
      offsets: { metrics: metrics.offset, events: events.offset },
      hash,
      kl,
      warnings: watch.warnings,
      probe,
    };
    await saveCheckpoint(folder.path, steps, tree, best);
    await note({ steps, trajectoryHash: hash });
    savedAt = performance.now();
  };

  try {
    // Even where the first update is the last, there is a checkpoint to go on from.
    if (!saved) await save(exportLearned(world, team, explanation));
    for await (const iteration of trainJointly(config, world, team, explanation, backend, saved?.joint)) {
      ({ steps, hash } = iteration);
      // Without threads nothing gives way to the event loop; here signals get through.
      await setImmediate();
      const index = Math.floor(iteration.progress * PROBES);
      if (index > probe.index) probe = { ...probe, index, strength: probeStrength(config, world, team) };
      const line = logIteration(iteration, config, world.spec, team.players, probe.strength, metrics, events, watch);
      await warn(line.warnings);
      if (!Number.isNaN(line.kl)) {
        kl = { recent: [...kl.recent, line.kl].slice(-RECENT), largest: Math.max(kl.largest, line.kl) };
      }
      for (const [name, value] of Object.entries(line.shown)) if (!Number.isNaN(value)) shown[name] = value;
      progress.update(steps, shown);
      const last = steps >= config.training.totalSteps;
      if (last) {
        const late = watch.lookBack(readMetrics(folder.metricsFile), explanation ? config.blinding.floor : Number.NaN);
        for (const warning of late) events.text("diagnostics/warning", warningInWords(warning), steps);
        await warn(late);
      }
      if (last || interrupted() || performance.now() - savedAt >= 1000 * config.checkpointSeconds)
        await save(await iteration.exportState());
      if (interrupted() && !last) return undefined;
    }
    progress.done(
      `trained ${formatCount(steps)} steps in ${formatDuration((performance.now() - begun) / 1000)}, hash ${hash}`,
    );
    return { hash };
  } catch (error) {
    if (isMagicMaskError(error, "diverged")) events.text("diagnostics/stopped", error.message, steps);
    throw error;
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
  backend: Backend,
  folder: RunFolder,
  steps: number,
) {
  const path = `${folder.path}/${EXPLANATION}`;
  if (await hasCheckpoint(path)) {
    const kept = await loadCheckpoint(path).catch((error) => {
      if (isMagicMaskError(error, "corrupt-file")) error.message += `; to explain the policies anew, delete ${path}`;
      throw error;
    });
    return (kept.tree as PostHocState).hash;
  }
  const progress = createProgress({ label: "post hoc", total: 100, unit: "%" });
  const begun = performance.now();
  const state = await explainPostHoc(config, world, team, postHoc, backend, (share) =>
    progress.update(Math.round(100 * share)),
  ).catch((error) => {
    throw asDiverged(error, steps);
  });
  await saveCheckpoint(path, steps, state);
  const seconds = (performance.now() - begun) / 1000;
  progress.done(
    `explained post hoc on ${formatCount(state.steps)} steps in ${formatDuration(seconds)}, hash ${state.hash}`,
  );
  state.scout?.perturbations.forEach(({ divergence, harm }, agent) => {
    const what = `${config.mask.perturbation} of ${world.spec.agents[agent]}`;
    process.stderr.write(
      `${what}: ${divergence.toPrecision(3)} nats from its base, harm ${harm.toPrecision(3)} estimated\n`,
    );
  });
  return state.hash;
}

const withWorkers = (config: unknown, workers: number | string | undefined): unknown =>
  workers === undefined ? config : { ...(config as Config), workers };

/**
 * What a run left at a step, by default its last; one that was stopped before its first checkpoint starts over.
 *
 * @throws as `loadCheckpoint`; corrupt-file if it is another run's
 */
export async function loadSaved(
  { path, id }: Pick<RunFolder, "path" | "id">,
  step?: number | "best",
): Promise<SavedRun | undefined> {
  if (step === undefined && !(await hasCheckpoint(path))) return undefined;
  const saved = (await loadCheckpoint(path, step ?? "latest")).tree as SavedRun;
  if (saved.run === id) return saved;
  const message = `the checkpoint in ${path} is of run ${saved.run}, not of ${id}; put that run's own checkpoints back`;
  throw new MagicMaskError("corrupt-file", "trainer/training-run", message);
}

/** Iterations whose kl/update is remembered. */
const RECENT = 20;
/** How often per run the win rate against random play is looked at. */
const PROBES = 20;

/** Win rate of the first agent against random play, its return where nobody wins; on seeds apart from training's and evaluation's. */
function probeStrength(config: Config, { make, spec }: World, { learners, players }: Team): number {
  const episodes = config.evaluation.probeEpisodes;
  if (episodes === 0) return Number.NaN;
  const policies = spec.actionSpaces.map((space, agent) =>
    agent === 0 ? learners[players[0]].policy : randomPlayer(space),
  );
  const seed = stream(config.seed, "probe").bits();
  const played = play({ make, policies, episodes, seed });
  return (spec.zeroSum ? winRate : meanReturn)(played, 0, { seed, draws: 100 }).estimate;
}

/** One digest for training and the post-hoc pass. */
function chained(training: string, postHoc: string): string {
  const hash = trajectoryHash();
  hash.restore(training);
  hash.update(new TextEncoder().encode(postHoc));
  return hash.digest();
}
