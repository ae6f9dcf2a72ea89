import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { isMagicMaskError, MagicMaskError, type RunRecord } from "@magic-mask/core";
import type { Comparison } from "../compare/compare.ts";
import { type Config, parseConfig } from "../config.ts";
import type { Evaluation } from "../evaluate.ts";
import type { EpisodeExplanation } from "../explanation/explanation.ts";
import { refused } from "../run/atomic.ts";
import { type MetricsRow, readMetrics } from "../run/metrics-log.ts";
import { openRunFolder } from "../run/run-folder.ts";
import type { StudyResults } from "../study/results.ts";
import type { CriticalMoment } from "./moments.ts";

export interface RunSource {
  readonly kind: "run";
  readonly path: string;
  readonly record: RunRecord;
  readonly config: Config;
  readonly metrics: readonly MetricsRow[];
  /** Absent where nobody has evaluated it on test states. */
  readonly evaluation?: Evaluation;
  readonly explanations: readonly EpisodeExplanation[];
}

export interface ComparisonSource {
  readonly kind: "comparison";
  readonly path: string;
  readonly comparison: Comparison;
  readonly moments: readonly CriticalMoment[];
}

export interface StudySource {
  readonly kind: "study";
  readonly path: string;
  readonly results: StudyResults;
  readonly moments: readonly CriticalMoment[];
}

export type Source = RunSource | ComparisonSource | StudySource;

const SOURCE = "trainer/report-sources";
/** What tells folders apart. */
const FILES = { run: "run.json", comparison: "compare.json", study: "study.json" } as const;
export const MOMENTS = "moments.json";

/**
 * What a folder holds: that of a run, of a comparison or of a study.
 *
 * @throws io where it is none of them; corrupt-file
 */
export function readSource(folder: string): Source {
  const path = resolve(folder);
  const kinds = (Object.keys(FILES) as (keyof typeof FILES)[]).filter((kind) => existsSync(join(path, FILES[kind])));
  if (kinds.length !== 1) {
    const got = kinds.length === 0 ? "none of them" : kinds.map((kind) => FILES[kind]).join(" and ");
    const wanted = "a folder of a run (run.json), a comparison (compare.json) or a study (study.json)";
    throw new MagicMaskError("io", SOURCE, `${path} must be ${wanted}; it holds ${got}`);
  }
  if (kinds[0] === "run") return readRun(path);
  const moments = existsSync(join(path, MOMENTS))
    ? (readJson(path, MOMENTS, "moments") as readonly CriticalMoment[])
    : [];
  if (kinds[0] === "comparison") {
    const comparison = readJson(path, FILES.comparison, "plan") as Comparison;
    return { kind: "comparison", path, comparison, moments };
  }
  const plain = readJson(path, FILES.study, "report") as Omit<StudyResults, "report"> & {
    readonly report: Omit<StudyResults["report"], "pictures"> & { readonly pictures: readonly string[] };
  };
  const { report } = plain;
  const results = {
    ...plain,
    report: {
      ...report,
      tables: report.tables.map((table) => ({ ...table, body: table.body.map((row) => row.map(revived)) })),
      pictures: report.pictures.map((name) => pictureOf(path, name)),
    },
  };
  return { kind: "study", path, results, moments };
}

function readRun(path: string): RunSource {
  const { record, metricsFile } = openRunFolder(path);
  const report = join(path, "report");
  const games = existsSync(report) ? readdirSync(report).filter((name) => /^game-\d+\.json$/.test(name)) : [];
  return {
    kind: "run",
    path,
    record,
    config: parseConfig(record.config),
    metrics: existsSync(metricsFile) ? readMetrics(metricsFile) : [],
    ...(existsSync(join(path, "eval", "table.json")) && {
      evaluation: readJson(join(path, "eval"), "table.json", "ranking") as Evaluation,
    }),
    explanations: games.sort().map((name) => readJson(report, name, "pictures") as EpisodeExplanation),
  };
}

/** JSON has no NaN: what became of one is NaN again. */
function revived(cell: unknown): never {
  if (cell === null) return Number.NaN as never;
  if (typeof cell !== "object") return cell as never;
  return Object.fromEntries(Object.entries(cell).map(([key, value]) => [key, value ?? Number.NaN])) as never;
}

const pictureOf = (path: string, name: string) => ({ name: basename(name), svg: readText(join(path, basename(name))) });

/** @param holds a key that the object must have, so that it is not of another kind */
function readJson(path: string, name: string, holds: string): unknown {
  const file = join(path, name);
  const value = parsed(readText(file), file);
  if (typeof value === "object" && value !== null && holds in value) {
    return holds === "moments" ? (value as Record<string, unknown>).moments : value;
  }
  throw new MagicMaskError("corrupt-file", SOURCE, `${file} has no "${holds}": it is damaged or of another version`);
}

function parsed(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new MagicMaskError("corrupt-file", SOURCE, `${file} is not JSON: ${(error as Error).message}`);
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (isMagicMaskError(error)) throw error;
    throw refused(SOURCE, `read ${file}`, error);
  }
}
