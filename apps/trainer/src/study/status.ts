import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { MagicMaskError } from "@magic-mask/core";
import { refused, writeFileAtomic } from "../run/atomic.ts";
import { formatDuration } from "../terminal/progress.ts";

/** How a study stands; kept in its folder. */
export interface Status {
  readonly format: 1;
  readonly study: string;
  readonly command: string;
  readonly state: "running" | "stopped" | "finished" | "failed";
  /** Of the process that works on it. */
  readonly pid: number;
  readonly host: string;
  /** How many tasks were worked on side by side. */
  readonly workers: number;
  readonly policies: Progress;
  readonly truths: Progress;
  readonly trials: Progress;
  /** Share of all work that is done, and how fast it goes. */
  readonly share: number;
  readonly trialsPerHour: number | null;
  readonly secondsLeft: number | null;
  readonly failures: readonly FailedTask[];
  readonly startedAt: string;
  readonly updatedAt: string;
}

interface Progress {
  readonly done: number;
  readonly total: number;
}

/** What was given up, and why. */
export interface FailedTask {
  readonly what: string;
  /** 0 for what needs something else that was given up. */
  readonly tries: number;
  readonly error: string;
}

const SOURCE = "trainer/study-status";
/** Milliseconds without a word after which a process on another machine is taken to be gone; it writes every second that something happens. */
const SILENCE = 600_000;
const fileOf = (folder: string) => join(folder, "status.json");

/** @throws io */
export const writeStatus = (folder: string, status: Status): Promise<void> =>
  writeFileAtomic(fileOf(folder), `${JSON.stringify(status, null, 2)}\n`);

/**
 * How the study in this folder stands; one whose process is gone without a word is `stopped`.
 *
 * @throws io, corrupt-file
 */
export function readStatus(folder: string): Status {
  const file = fileOf(folder);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw refused(SOURCE, `read ${file} (is this the folder of a study's results?)`, error);
  }
  let status: Status | undefined;
  try {
    status = JSON.parse(text);
  } catch {
    // Said below.
  }
  if (status?.format !== 1 || typeof status.study !== "string") {
    throw new MagicMaskError("corrupt-file", SOURCE, `${file} is not the status of a study`);
  }
  return status.state === "running" && !lives(status) ? { ...status, state: "stopped", secondsLeft: null } : status;
}

/** Of a process elsewhere there is no telling but by how lately it wrote. */
function lives({ pid, host, updatedAt }: Status): boolean {
  if (host !== hostname()) return Date.now() - Date.parse(updatedAt) < SILENCE;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

export function formatStatus(status: Status): string {
  const { study, state, policies, truths, trials, share, trialsPerHour, secondsLeft, failures, updatedAt } = status;
  const of = (name: string, { done, total }: Progress) => `${name} ${done}/${total}`;
  return [
    `${study}: ${state}, ${Math.floor(100 * share)} % of the work`,
    [of("policies", policies), of("truths", truths), of("trials", trials)].join("  "),
    ...(state === "running"
      ? [
          `${trialsPerHour === null ? "no trial yet" : `${Math.round(trialsPerHour)} trials an hour`}, ${formatDuration(secondsLeft ?? Number.NaN)} left`,
        ]
      : []),
    `as of ${updatedAt}`,
    ...(failures.length > 0 ? [`failures: ${failures.length}`, ...formatFailures(failures)] : ["failures: none"]),
    ...(state === "stopped" ? [`go on with: ${status.command}`] : []),
  ].join("\n");
}

/** A line for each, and one for all that failed alike. */
export function formatFailures(failures: readonly FailedTask[]): string[] {
  const alike = new Map<string, FailedTask[]>();
  for (const failure of failures) {
    const how = inWords(failure);
    alike.set(how, [...(alike.get(how) ?? []), failure]);
  }
  return [...alike].map(([how, [{ what }, ...others]]) => {
    const more = others.length > 0 ? ` and ${others.length} more like it` : "";
    return `  ${what}${more}: ${how}`;
  });
}

const inWords = ({ tries, error }: FailedTask): string =>
  `${tries === 0 ? "not tried, as something that it needs failed: " : `failed ${tries === 1 ? "once" : `${tries} times`}: `}${error.split("\n")[0]}`;
