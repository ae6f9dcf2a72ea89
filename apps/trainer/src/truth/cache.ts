import { mkdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { isMagicMaskError, MagicMaskError } from "@magic-mask/core";
import type { MeasuredTruth } from "@magic-mask/metrics";
import { refused, writeFileAtomic } from "../run/atomic.ts";
import { seal, sha256, unseal } from "../run/sealed-json.ts";
import { joinTree, splitTree } from "../run/state-tree.ts";
import { decodeTensors, encodeTensors } from "../run/tensors.ts";

const SOURCE = "trainer/truth-cache";
/** Raised whenever the same address would be another truth, or a file changes its meaning. */
const FORMAT = { format: "magic-mask-truth", version: 1 } as const;

/**
 * The name of a truth: the digest of all that it depends on.
 *
 * @param parts plain data; typed arrays count by their type and bytes
 */
export function addressOf(parts: unknown): string {
  const { json, arrays } = splitTree(parts);
  const digests = [...arrays].map(([name, array]) => [
    name,
    array.constructor.name,
    sha256(new Uint8Array(array.buffer, array.byteOffset, array.byteLength)),
  ]);
  return sha256(JSON.stringify([FORMAT, json, digests]));
}

/**
 * The truth of that name, if it is kept in `folder`. A file that is damaged, or not what its name says, is none: `onDamage` is told
 * so, and whoever makes the truth anew replaces it.
 *
 * @throws io
 */
export async function readTruth(
  folder: string,
  address: string,
  onDamage: (message: string) => void,
): Promise<MeasuredTruth | undefined> {
  const file = fileOf(folder, address);
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw refused(SOURCE, `read ${file}`, error);
  }
  try {
    const content = unseal(bytes, file);
    if (content.format !== FORMAT.format || content.version !== FORMAT.version || content.address !== address) {
      const came = `${content.format} version ${content.version} of ${content.address}`;
      throw new MagicMaskError("corrupt-file", SOURCE, `${file} should hold truth ${address} and holds ${came}`);
    }
    return joinTree(content.tree, decodeTensors(Buffer.from(content.tensors as string, "base64"))) as MeasuredTruth;
  } catch (error) {
    if (!isMagicMaskError(error, "corrupt-file")) throw error;
    onDamage(error.message);
    return undefined;
  }
}

/** Keeps a truth, atomically. @throws io */
export async function writeTruth(folder: string, address: string, truth: MeasuredTruth): Promise<void> {
  const file = fileOf(folder, address);
  const { json, arrays } = splitTree(truth);
  const tensors = Buffer.from(encodeTensors(arrays)).toString("base64");
  // Under a name of this process's own first: another may be making the same truth.
  const aside = `${file}.${process.pid}`;
  try {
    await mkdir(folder, { recursive: true });
    await writeFileAtomic(aside, seal({ ...FORMAT, address, tree: json, tensors }));
    await rename(aside, file);
  } catch (error) {
    throw refused(SOURCE, `write ${file}`, error);
  }
}

const fileOf = (folder: string, address: string) => join(folder, `${address}.json`);
