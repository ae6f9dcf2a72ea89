import { mkdir, open, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { MagicMaskError } from "@magic-mask/core";

/** The steps that durable writing is made of; a test stops between any two of them. */
export interface Files {
  /** Creates a folder and its parents; one that exists is left alone. */
  makeFolder(path: string): Promise<unknown>;
  /** Replaces a file's bytes; the power can still take them. */
  write(path: string, data: string | Uint8Array): Promise<void>;
  /** Waits until a file's bytes are on the disk. */
  sync(path: string): Promise<void>;
  /** Waits until a folder's list of names is on the disk. */
  syncFolder(path: string): Promise<void>;
  /** Atomic. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file or a folder with all in it; nothing there is no error. */
  remove(path: string): Promise<void>;
}

async function syncOpened(path: string, flags: string): Promise<void> {
  const handle = await open(path, flags);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export const disk: Files = {
  makeFolder: (path) => mkdir(path, { recursive: true }),
  write: (path, data) => writeFile(path, data),
  sync: (path) => syncOpened(path, "r+"),
  async syncFolder(path) {
    // Windows syncs no folders; NTFS keeps its list of names in order by itself.
    if (process.platform !== "win32") await syncOpened(path, "r");
  },
  rename,
  remove: (path) => rm(path, { recursive: true, force: true }),
};

/**
 * Replaces a file so that a crash at any moment leaves the old bytes or the new, never a mixture.
 *
 * @throws io
 */
export async function writeFileAtomic(path: string, data: string | Uint8Array, files: Files = disk): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    await files.write(temporary, data);
    await files.sync(temporary);
    await files.rename(temporary, path);
    await files.syncFolder(dirname(path));
  } catch (error) {
    throw refused("trainer/atomic", `write ${path}`, error);
  }
}

/** What to do about it, by the system's code. */
const advice: Readonly<Record<string, string>> = {
  ENOSPC: "free some disk space",
  EDQUOT: "free some of your disk quota",
  EACCES: "give yourself permission to this path, or choose another",
  EPERM: "give yourself permission to this path, or choose another",
  EROFS: "choose a path that is not read-only",
  ENOENT: "check the path",
};

/** What the operating system refused to do, as an `io` error; one that is ours already is handed back. */
export function refused(source: string, doing: string, error: unknown): MagicMaskError {
  if (error instanceof MagicMaskError) return error;
  const { code = "", message } = error as NodeJS.ErrnoException;
  const todo = advice[code] ? `; ${advice[code]}` : "";
  return new MagicMaskError("io", source, `cannot ${doing}: ${message}${todo}`, { cause: error });
}
