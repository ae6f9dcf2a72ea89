import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { refused, writeFileAtomic } from "../run/atomic.ts";
import { seal, unsealNamed } from "../run/sealed-json.ts";
import type { Trial } from "./plan.ts";
import type { Measured } from "./study.ts";

/** A trial as it is kept. */
export interface Kept extends Measured<unknown> {
  /** That the program was at. */
  readonly commit: string | null;
}

const SOURCE = "trainer/study-store";

/** Keeps what came of a trial, atomically. @throws io */
export const keepTrial = ({ address, at }: Trial, cache: string, kept: Kept): Promise<void> =>
  keep(join(cache, "trials"), address, { at, ...kept });

/** The file that the cache keeps of a trial, relative to it. */
export const pathOfTrial = ({ address }: Trial): string => join("trials", `${address}.json`);

/** A trial that is done; undefined if there is none. @throws io, corrupt-file */
export const readTrial = ({ address }: Trial, cache: string): Promise<Kept | undefined> =>
  read(join(cache, "trials"), address) as Promise<Kept | undefined>;

/** Keeps a result under its address. @throws io */
export async function keep(folder: string, address: string, content: object): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw refused(SOURCE, `create ${folder}`, error);
  }
  await writeFileAtomic(join(folder, `${address}.json`), seal({ address, ...content }));
}

/** The result of that address; undefined if there is none. @throws io, corrupt-file */
export async function read(folder: string, address: string): Promise<object | undefined> {
  const file = join(folder, `${address}.json`);
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw refused(SOURCE, `read ${file}`, error);
  }
  return unsealNamed(bytes, file, address);
}
