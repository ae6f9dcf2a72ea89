import { type CreateLearner, MagicMaskError, type RunRecord } from "@magic-mask/core";
import { assembleTeam, assembleWorld, learnersOf, policyWork, type Team, type World } from "./assemble.ts";
import { loadBackend } from "./backend.ts";
import { type Config, parseConfig } from "./config.ts";
import { inFolder, isGiven } from "./given.ts";
import { withPeers } from "./perturbations.ts";
import { assemblePostHoc, isExplained, type PostHoc, type PostHocState, restorePostHoc } from "./posthoc.ts";
import { loadCheckpoint } from "./run/checkpoint.ts";
import { openRunFolder, type RunFolder } from "./run/run-folder.ts";
import { EXPLANATION, loadSaved, type SavedRun } from "./training-run.ts";

/** A trained team, ready to play. */
export interface LoadedTeam {
  readonly folder: RunFolder;
  readonly record: RunRecord;
  readonly config: Config;
  readonly world: World;
  readonly team: Team;
  /** Makes networks on the run's backend. */
  readonly create: CreateLearner;
  /** Absent where the policies were trained elsewhere. */
  readonly saved?: SavedRun;
}

/** A trained and explained team, ready to be looked at. */
export interface LoadedRun extends LoadedTeam {
  readonly postHoc: PostHoc;
  readonly postHocState: PostHocState;
}

/**
 * Reads a run folder's policies back, on the backend that they were made with.
 *
 * @throws io, corrupt-file; out-of-order if the run is not finished
 */
export const loadTeam = async (path: string): Promise<LoadedTeam> => load(path);

/**
 * Reads a run folder back, explanation included.
 *
 * @param judged whether the explanation will be held against ground truth
 * @throws as `loadTeam`; unsupported if the run has none, or if it will be judged and its world cannot be copied
 */
export async function loadRun(path: string, judged = true): Promise<LoadedRun> {
  const loaded = await load(path, (config, world) => {
    requireExplanation(config);
    if (judged) requireSnapshots(world);
  });
  const postHoc = assemblePostHoc(loaded.config, loaded.world, loaded.create);
  const postHocState = await loadExplanation(loaded);
  restorePostHoc(postHoc, postHocState);
  const world = { ...loaded.world, perturbations: postHoc.perturbations };
  return { ...loaded, world, postHoc, postHocState };
}

/** What a run's post-hoc pass left. @throws io, corrupt-file */
export const loadExplanation = async ({ folder }: Pick<LoadedTeam, "folder">): Promise<PostHocState> =>
  (await loadCheckpoint(`${folder.path}/${EXPLANATION}`)).tree as PostHocState;

async function load(path: string, check: (config: Config, world: World) => void = () => {}): Promise<LoadedTeam> {
  const folder = openRunFolder(path);
  const { record } = folder;
  if (record.state !== "finished") {
    throw new MagicMaskError(
      "out-of-order",
      "trainer/load-run",
      `${path} is ${record.state}; finish it first: magic-mask train --resume ${path}`,
    );
  }
  const config = inFolder(parseConfig(record.config), folder.path);
  const bare = assembleWorld(config);
  check(config, bare);
  const backend = record.backend.name as Config["backend"];
  const { create } = await loadBackend({ backend, workers: 0 }, policyWork(config, bare));
  const world = await withPeers(config, bare, create);
  const team = assembleTeam(config, world, create);
  const loaded = { folder, record, config, world, team, create };
  if (isGiven(config)) return loaded;
  const saved = (await loadSaved(folder)) as SavedRun;
  learnersOf(team).forEach(({ learner }, k) => {
    learner.restoreState(saved.joint.learners[k]);
  });
  return { ...loaded, saved };
}

/** @throws unsupported where no held-out decision could be branched from */
function requireSnapshots({ spec }: World): void {
  if (spec.snapshotBytes > 0) return;
  const message = `${spec.id} cannot be copied, so there is no ground truth to hold its explanation against`;
  throw new MagicMaskError("unsupported", "trainer/load-run", message);
}

/** @throws unsupported if runs of this configuration have no post-hoc explanation */
export function requireExplanation(config: Config): void {
  if (isExplained(config)) return;
  const message =
    "there is nothing to evaluate without masks and a post-hoc pass; set mask.enabled=true and posthoc.steps > 0";
  throw new MagicMaskError("unsupported", "trainer/load-run", message);
}
