import { readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { MagicMaskError } from "@magic-mask/core";
import { refused, writeFileAtomic } from "../../run/atomic.ts";
import { makeFolder } from "../../run/folder.ts";
import type { FailedTask } from "../status.ts";
import type { Stage } from "./tasks-file.ts";

/** What an element of an array says of itself when it begins, after each task, every `BEAT`, and when it ends. */
export interface ElementReport {
  readonly stage: Stage;
  readonly element: number;
  readonly failures: readonly FailedTask[];
  readonly hasEnded: boolean;
  readonly startedAt: string;
  /** When it said so. */
  readonly saidAt: string;
}

/** Milliseconds from one word of an element at work to the next. */
export const BEAT = 30_000;

const SOURCE = "trainer/slurm-report";
/** Beside the file of tasks. */
const folderOf = (tasks: string) => join(dirname(tasks), "elements");

/** Forgets what was said of other tasks. @param tasks the file of tasks @throws io */
export function clearReports(tasks: string): void {
  try {
    rmSync(folderOf(tasks), { recursive: true, force: true });
  } catch (error) {
    throw refused(SOURCE, `remove ${folderOf(tasks)}`, error);
  }
  makeFolder(SOURCE, folderOf(tasks));
}

/** @throws io */
export const writeReport = (tasks: string, report: ElementReport): Promise<void> =>
  writeFileAtomic(join(folderOf(tasks), `${report.stage}-${report.element}.json`), `${JSON.stringify(report)}\n`);

/** Of all elements that have begun. @throws io, corrupt-file */
export function readReports(tasks: string): ElementReport[] {
  const folder = folderOf(tasks);
  try {
    // Others are still being written.
    const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
    return names.sort().map((name) => parse(join(folder, name)));
  } catch (error) {
    throw refused(SOURCE, `read ${folder}`, error);
  }
}

function parse(file: string): ElementReport {
  const text = readFileSync(file, "utf8");
  try {
    return JSON.parse(text);
  } catch {
    throw new MagicMaskError("corrupt-file", SOURCE, `${file} is not what an element of an array says`);
  }
}
