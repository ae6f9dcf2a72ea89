import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { MagicMaskError, type RunRecord } from "@magic-mask/core";
import { stringify } from "yaml";
import { z } from "zod";
import { refused, writeFileAtomic } from "./atomic.ts";
import { makeFolder } from "./folder.ts";
import { eventFileName } from "./tensorboard.ts";

/** Where a run keeps what it knows, wants and learns. */
export interface RunFolder {
  /** Absolute. */
  readonly path: string;
  /** Name of the folder at its creation. */
  readonly id: string;
  /** `metrics.jsonl` */
  readonly metricsFile: string;
  /** `events.out.tfevents.…`: the one that is there, or a new name. */
  readonly eventFile: string;
  /** Replaces `run.json` atomically. @throws io */
  writeRecord(record: RunRecord): Promise<void>;
  /** Writes `config.yaml`. @throws io */
  writeConfig(config: unknown): Promise<void>;
  /** Path of a folder for results, created if need be. @throws io */
  resultsFolder(name: "replays" | "eval" | "report"): string;
}

const source = "trainer/run-folder";

export interface CreateRunFolderOptions {
  /** Folder that holds the runs, e.g. `runs`; created if need be. */
  readonly out: string;
  /** Id of the environment. */
  readonly environment: string;
  /** What the user calls the run: letters, digits, dots, dashes and underscores, as for `environment`. */
  readonly name: string;
  readonly seed: number;
}

/**
 * Creates `<out>/<environment>__<name>__s<seed>__<utc>-<id>/`, empty but for `checkpoints/`.
 *
 * @throws io; invalid-option for a name that does not fit into a path
 */
export function createRunFolder({ out, environment, name, seed }: CreateRunFolderOptions): RunFolder {
  for (const [option, text] of Object.entries({ environment, name })) {
    if (/^[\w.-]+$/.test(text)) continue;
    const wanted = "letters, digits, dots, dashes and underscores";
    throw new MagicMaskError(
      "invalid-option",
      source,
      `${option} must consist of ${wanted}, got ${JSON.stringify(text)}`,
    );
  }
  const utc = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  const id = `${environment}__${name}__s${seed}__${utc}-${randomBytes(3).toString("hex")}`;
  const path = resolve(out, id);
  makeFolder(source, join(path, "checkpoints"));
  return runFolder(path, id);
}

/**
 * Opens the folder of an earlier run.
 *
 * @throws io if it has no `run.json`; corrupt-file if that is damaged, foreign or of another version
 */
export function openRunFolder(path: string): RunFolder & { readonly record: RunRecord } {
  const file = join(path, "run.json");
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw refused(source, `open the run folder ${path}`, error);
  }
  const record = parseRecord(text, file);
  return { ...runFolder(resolve(path), record.id), record };
}

function runFolder(path: string, id: string): RunFolder {
  let events: string | undefined;
  return {
    path,
    id,
    metricsFile: join(path, "metrics.jsonl"),
    get eventFile() {
      events ??= readdirSync(path).find((name) => name.startsWith("events.out.tfevents.")) ?? eventFileName();
      return join(path, events);
    },
    writeRecord: (record) => writeFileAtomic(join(path, "run.json"), `${JSON.stringify(record, null, 2)}\n`),
    writeConfig: (config) => writeFileAtomic(join(path, "config.yaml"), stringify(config)),
    resultsFolder: (name) => makeFolder(source, join(path, name)),
  };
}

const count = z.number().int().nonnegative();
const runRecord = z.strictObject({
  format: z.literal(1),
  id: z.string(),
  environment: z.string(),
  seed: z.number(),
  config: z.unknown(),
  versions: z.record(z.string(), z.string()),
  commit: z.string().nullable(),
  host: z.strictObject({
    platform: z.string(),
    architecture: z.string(),
    cpus: count,
    cpu: z.string(),
    // Older records have none.
    workers: count.default(0),
  }),
  backend: z.strictObject({ name: z.string(), reason: z.string() }),
  state: z.enum(["running", "interrupted", "failed", "trained", "finished"]),
  steps: count,
  trajectoryHash: z.string(),
  // Older records have none.
  testLooks: z.array(z.strictObject({ at: z.iso.datetime(), command: z.string() })).default([]),
  // Older records have none.
  warnings: z
    .array(z.strictObject({ steps: count, what: z.string(), value: z.string(), limit: z.string(), advice: z.string() }))
    .default([]),
  startedAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});

function parseRecord(text: string, file: string): RunRecord {
  let why: string;
  try {
    const result = runRecord.safeParse(JSON.parse(text));
    if (result.success) return result.data;
    why = z.prettifyError(result.error).replaceAll("\n", " ");
  } catch (error) {
    why = (error as Error).message;
  }
  throw new MagicMaskError("corrupt-file", source, `${file} is damaged, foreign or of another version: ${why}`);
}
