import { readFileSync } from "node:fs";
import { MagicMaskError } from "@magic-mask/core";
import { type AppendFile, openAppendFile } from "./append-file.ts";
import { refused } from "./atomic.ts";

/** A row of `metrics.jsonl`: what was known after so many steps; null where undefined. */
export type MetricsRow = Readonly<Record<string, number | string | null>> & { readonly steps: number };

/** `metrics.jsonl`: one JSON object a line, in the order of the steps. */
export interface MetricsLog extends Omit<AppendFile, "append"> {
  /** Adds one line. JSON has no NaN and no infinities: they become null. */
  append(record: Readonly<Record<string, unknown>>): void;
}

/** @param offset length of the part to keep, as a checkpoint noted it; 0 starts afresh. @throws as `openAppendFile` */
export function createMetricsLog(file: string, offset = 0): MetricsLog {
  const lines = openAppendFile(file, offset);
  const encoder = new TextEncoder();
  return {
    get offset() {
      return lines.offset;
    },
    append: (record) => lines.append(encoder.encode(`${JSON.stringify(record)}\n`)),
    flush: lines.flush,
    sync: lines.sync,
    close: lines.close,
  };
}

/** All rows of the file. @throws io; corrupt-file */
export function readMetrics(file: string): MetricsRow[] {
  let lines: string[];
  try {
    lines = readFileSync(file, "utf8").split("\n");
  } catch (error) {
    throw refused("trainer/metrics-log", `read ${file}`, error);
  }
  return lines.flatMap((line, i) => {
    if (line === "") return [];
    try {
      return [JSON.parse(line) as MetricsRow];
    } catch (error) {
      const message = `line ${i + 1} of ${file} is not JSON: ${(error as Error).message}`;
      throw new MagicMaskError("corrupt-file", "trainer/metrics-log", message);
    }
  });
}
