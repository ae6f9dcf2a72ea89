import { randomUUID } from "node:crypto";
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { MagicMaskError } from "@magic-mask/core";
import { refused } from "./atomic.ts";

/** What the lock file says of the process that holds it. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process started, in the system's ticks; null where the system does not tell. */
  readonly started: string | null;
  /** Tells two locks of one process apart. */
  readonly id: string;
}

const source = "trainer/lock";

/**
 * Takes the lock of a run folder, so that two processes never write one run. The lock of a process that is gone is taken
 * over; whether one on another host lives cannot be told, so its lock stands.
 *
 * @returns gives the lock back
 * @throws io, naming the holder, if another process (or this one) holds it
 */
export function lockRun(runFolder: string): () => void {
  const file = join(runFolder, "lock.json");
  const holder: Holder = { pid: process.pid, host: hostname(), started: startOf(process.pid), id: randomUUID() };
  const mine = JSON.stringify(holder);
  const aside = join(runFolder, `lock.${holder.id}.tmp`);
  try {
    // Written aside and linked, so that nobody ever sees half a lock.
    writeFileSync(aside, mine);
    while (!linked(aside, file)) removeIfStale(file, `${aside}.stale`);
    held.add(mine);
  } catch (error) {
    throw refused(source, `lock ${runFolder}`, error);
  } finally {
    rmSync(aside, { force: true });
  }
  return () => {
    held.delete(mine);
    if (read(file) === mine) rmSync(file);
  };
}

/** Locks that this process holds. */
const held = new Set<string>();

/** Gives a file a second name, unless that name is taken. */
function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** @throws io if the lock's holder lives */
function removeIfStale(file: string, aside: string): void {
  const text = read(file);
  if (text === null) return;
  const holder = parse(text);
  if (holder && lives(holder, text)) {
    const who = `process ${holder.pid} on ${holder.host} is writing this run`;
    throw new MagicMaskError("io", source, `${who}; stop it first, or delete ${file} if you know that it is gone`);
  }
  try {
    renameSync(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  // Another process may have taken the stale lock over in between: then this was its lock, and goes back.
  if (read(aside) !== text) linked(aside, file);
  rmSync(aside);
}

function read(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/** Null for what a power cut left of a lock. */
function parse(text: string): Holder | null {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function lives({ pid, host, started }: Holder, text: string): boolean {
  if (host !== hostname()) return true;
  // In a container a restarted process often gets its predecessor's number.
  if (pid === process.pid) return held.has(text);
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  return started === startOf(pid);
}

/** Field 22 of /proc/<pid>/stat: tells a process from a later one with its number. Null for a zombie, and where there is no /proc. */
function startOf(pid: number): string | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").pop()?.split(" ") ?? [];
    return fields[0] === "Z" ? null : fields[19];
  } catch {
    return null;
  }
}
