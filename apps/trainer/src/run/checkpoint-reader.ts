import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { MagicMaskError } from "@magic-mask/core";
import { sha256, unseal } from "./sealed-json.ts";
import { joinTree } from "./state-tree.ts";
import { decodeTensors } from "./tensors.ts";

/** Opens every JSON file of a checkpoint. The version is raised whenever a file changes its meaning. */
export const FORMAT = { format: "magic-mask-checkpoint", version: 2 } as const;

/** The step that the name of a checkpoint's folder tells (`.old`: about to be replaced); undefined for other names. */
export function stepOf(name: string): number | undefined {
  const found = /^step_(0|[1-9]\d*)(\.old)?$/.exec(name);
  return found ? Number(found[1]) : undefined;
}

/** Steps that have a checkpoint, highest first. */
export async function listSteps(folder: string): Promise<number[]> {
  const names = await readdir(folder).catch((error) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  const steps = names.map(stepOf).filter((step) => step !== undefined);
  return [...new Set(steps)].sort((a, b) => b - a);
}

/** The newest intact checkpoint but that of step `except`: the one pointed to, else the highest. */
export async function newestIntact(folder: string, except: number | undefined): Promise<number | undefined> {
  const pointed = await readPointer(folder).catch(() => undefined);
  const steps = await listSteps(folder);
  for (const step of pointed === undefined ? steps : [pointed, ...steps]) {
    if (step === except) continue;
    const intact = await readStep(folder, step).then(
      () => true,
      () => false,
    );
    if (intact) return step;
  }
}

/** The step that a pointer names. @throws corrupt-file */
export async function readPointer(folder: string, pointer: "latest" | "best" = "latest"): Promise<number> {
  return (await readSealed(join(folder, `${pointer}.json`))).step as number;
}

/** The tree of one checkpoint. @throws corrupt-file */
export async function readStep(folder: string, step: number): Promise<unknown> {
  const names = await readdir(folder);
  const from = join(folder, names.includes(`step_${step}`) ? `step_${step}` : `step_${step}.old`);
  const state = await readSealed(join(from, "state.json"));
  if (state.step !== step) corrupt(`${from} should hold step ${step} and holds step ${state.step}`);
  const wanted = state.tensors as { bytes: number; sha256: string };
  const path = join(from, "state.safetensors");
  const tensors = await readOrCorrupt(path);
  if (tensors.length !== wanted.bytes) corrupt(`${path} should have ${wanted.bytes} bytes and has ${tensors.length}`);
  const came = sha256(tensors);
  if (came !== wanted.sha256) corrupt(`${path} is damaged: its SHA-256 should be ${wanted.sha256} and is ${came}`);
  return joinTree(state.tree, decodeTensors(tensors));
}

async function readSealed(path: string): Promise<Record<string, unknown>> {
  const content = unseal(await readOrCorrupt(path), path);
  const { format, version } = content;
  if (format === FORMAT.format && version === FORMAT.version) return content;
  const wanted = `${FORMAT.format} version ${FORMAT.version}`;
  return corrupt(`${path} should be ${wanted} and is ${format} version ${version}; use the release that wrote it`);
}

/** A checkpoint's file that is not there is damage; other troubles are the system's. */
const readOrCorrupt = (path: string): Promise<Uint8Array> =>
  readFile(path).catch((error) => {
    if (error.code !== "ENOENT") throw error;
    return corrupt(`${path} is missing`);
  });

function corrupt(why: string): never {
  throw new MagicMaskError("corrupt-file", "trainer/checkpoint", why);
}
