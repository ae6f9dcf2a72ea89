import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { isMagicMaskError, MagicMaskError } from "@magic-mask/core";
import { disk, type Files, refused, writeFileAtomic } from "./atomic.ts";
import { FORMAT, listSteps, newestIntact, readPointer, readStep, stepOf } from "./checkpoint-reader.ts";
import { seal, sha256 } from "./sealed-json.ts";
import { splitTree } from "./state-tree.ts";
import { encodeTensors } from "./tensors.ts";

const source = "trainer/checkpoint";

/**
 * Writes a state tree (see `splitTree`) to `checkpoints/step_<N>/`: typed arrays to `state.safetensors`, all else to
 * `state.json`, which also holds the digests of both. Then `checkpoints/latest.json` points there (`best.json` too if
 * it is the best so far), and all checkpoints go but this one, the best, and the newest intact one before it.
 *
 * A crash or an error at any moment leaves the one before as it was: everything is written under another name, synced and
 * renamed, and what an interrupted save left is cleared away by the next. The tree is read before this returns its
 * promise, so its arrays may change meanwhile; but await it before the next save.
 *
 * @param step environment steps, an integer ≥ 0
 * @param best whether this is the best checkpoint so far
 * @throws io; invalid-option for another step; unsupported if the tree holds what cannot be saved
 */
export async function saveCheckpoint(
  runFolder: string,
  step: number,
  tree: unknown,
  best = false,
  files: Files = disk,
): Promise<void> {
  if (!Number.isSafeInteger(step) || step < 0) {
    throw new MagicMaskError("invalid-option", source, `step must be an integer ≥ 0, got ${step}`);
  }
  const { json, arrays } = splitTree(tree);
  const tensors = encodeTensors(arrays);
  const digest = { bytes: tensors.length, sha256: sha256(tensors) };
  const contents = Object.entries({
    "state.safetensors": tensors,
    "state.json": seal({ ...FORMAT, step, tensors: digest, tree: json }),
  });

  const folder = join(runFolder, "checkpoints");
  const target = join(folder, `step_${step}`);
  const temporary = `${target}.tmp`;
  try {
    await files.makeFolder(folder);
    await clearLeftovers(folder, files);
    const before = await newestIntact(folder, step);

    await files.makeFolder(temporary);
    for (const [name, data] of contents) {
      await files.write(join(temporary, name), data);
      await files.sync(join(temporary, name));
    }
    await files.syncFolder(temporary);
    if ((await readdir(folder)).includes(`step_${step}`)) await files.rename(target, `${target}.old`);
    await files.rename(temporary, target);
    await files.syncFolder(folder);
    const pointer = seal({ ...FORMAT, step });
    await writeFileAtomic(join(folder, "latest.json"), pointer, files);
    if (best) await writeFileAtomic(join(folder, "best.json"), pointer, files);

    const leader = await readPointer(folder, "best").catch(() => undefined);
    for (const name of await readdir(folder)) {
      const old = stepOf(name);
      const kept = old === undefined || old === before || old === leader || name === `step_${step}`;
      if (!kept) await files.remove(join(folder, name));
    }
  } catch (error) {
    throw refused(source, `save step ${step} in ${folder} (earlier checkpoints still stand)`, error);
  }
}

/** Whether a run has any checkpoint, damaged ones included: if not, it is to start from the beginning. @throws io */
export async function hasCheckpoint(runFolder: string): Promise<boolean> {
  const folder = join(runFolder, "checkpoints");
  try {
    return (await listSteps(folder)).length > 0;
  } catch (error) {
    throw refused(source, `read ${folder}`, error);
  }
}

/**
 * Reads a checkpoint back; every byte of it is checked.
 *
 * @param which a step, the newest, or the best
 * @returns `tree` equal to the one saved, with arrays of its own
 * @throws io if there is no such checkpoint; corrupt-file if a byte of it has changed, saying which other one is intact
 */
export async function loadCheckpoint(
  runFolder: string,
  which: "latest" | "best" | number = "latest",
): Promise<{ step: number; tree: unknown }> {
  const folder = join(runFolder, "checkpoints");
  let step = typeof which === "number" ? which : undefined;
  try {
    const steps = await listSteps(folder);
    if (step === undefined ? steps.length === 0 : !steps.includes(step)) {
      const wanted = step === undefined ? "checkpoint" : `checkpoint of step ${step}`;
      throw new MagicMaskError(
        "io",
        source,
        `there is no ${wanted} in ${folder}; it has: ${steps.join(", ") || "none"}`,
      );
    }
    step ??= which === "best" ? await readPointer(folder, "best") : await latestStep(folder, steps);
    return { step, tree: await readStep(folder, step) };
  } catch (error) {
    if (!isMagicMaskError(error, "corrupt-file")) throw refused(source, `read the checkpoints in ${folder}`, error);
    const other = await newestIntact(folder, step);
    error.message +=
      other === undefined
        ? "; no other checkpoint is intact"
        : `; the checkpoint of step ${other} is intact: add --step ${other} to resume from it`;
    throw error;
  }
}

/** Where the pointer points. One checkpoint without a pointer is a first save that was cut off when all but that was done. */
async function latestStep(folder: string, steps: readonly number[]): Promise<number> {
  const unpointed = steps.length === 1 && !(await readdir(folder)).includes("latest.json");
  return unpointed ? steps[0] : readPointer(folder);
}

/** What an interrupted save left behind. A checkpoint that it had put aside comes back where the new one is missing. */
async function clearLeftovers(folder: string, files: Files): Promise<void> {
  const names = await readdir(folder);
  for (const name of names) {
    const [, kept, ending] = /^(step_\d+|latest\.json|best\.json)\.(tmp|old)$/.exec(name) ?? [];
    if (kept === undefined) continue;
    if (ending === "old" && !names.includes(kept)) await files.rename(join(folder, name), join(folder, kept));
    else await files.remove(join(folder, name));
  }
}
