import { type AppendFile, openAppendFile } from "./append-file.ts";

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
