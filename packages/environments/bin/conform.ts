import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";
import { isMagicMaskError } from "@magic-mask/core";
import { type Replay, replayFixture } from "../src/conformance.ts";

const HELP = `Replays recorded trajectories of other implementations and compares every column with the worlds here.

Usage: npm run conform -- FOLDER [--json]

FOLDER   holds the recordings: every *.json and *.json.gz directly in it is read
--json   prints the results as JSON
--help   prints this

A file names what recorded it in header.oracle; one that nothing here replays is skipped. A file that cannot be read is
a failure. Exit status: 0 nothing failed, 1 something failed, 2 nothing could be tried (wrong arguments, no recordings).`;

/** Failures of one file that are printed; the rest are counted. */
const SHOWN = 10;

type FileReport = Partial<Replay> & { readonly file: string; readonly passed: number; readonly failed: number };

process.exitCode = main(process.argv.slice(2));

function main(args: string[]): number {
  let parsed: ReturnType<typeof readArguments>;
  let files: string[];
  try {
    parsed = readArguments(args);
    if (parsed.help) {
      console.log(HELP);
      return 0;
    }
    if (parsed.folders.length !== 1) throw new Error("give one folder of recordings");
    files = readdirSync(parsed.folders[0])
      .filter((file) => /\.json(\.gz)?$/.test(file))
      .sort();
    if (files.length === 0) throw new Error(`there is no *.json or *.json.gz in ${parsed.folders[0]}`);
  } catch (error) {
    console.error(`${message(error)}\n\n${HELP}`);
    return 2;
  }

  const reports = files.map((file) => report(parsed.folders[0], file));
  const total = {
    passed: reports.reduce((sum, { passed }) => sum + passed, 0),
    failed: reports.reduce((sum, { failed }) => sum + failed, 0),
    skipped: reports.filter(({ skipped }) => skipped !== undefined).length,
  };
  if (parsed.json) console.log(JSON.stringify({ ...total, files: reports }, null, 2));
  else {
    for (const { file, passed, failed, failures = [], skipped } of reports) {
      console.log(skipped ? `${file}: skipped, ${skipped}` : `${file}: ${passed} passed, ${failed} failed`);
      for (const failure of failures.slice(0, SHOWN)) console.log(`  ${failure}`);
      if (failures.length > SHOWN) console.log(`  … and ${failures.length - SHOWN} more`);
    }
    console.log(`total: ${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  }
  return total.failed > 0 ? 1 : 0;
}

function readArguments(args: string[]) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { json: { type: "boolean" }, help: { type: "boolean", short: "h" } },
  });
  return { json: values.json === true, help: values.help === true, folders: positionals };
}

/** A file that cannot be read or parsed is one failure, which says why. */
function report(folder: string, file: string): FileReport {
  try {
    const bytes = readFileSync(join(folder, file));
    const text = (file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
    return { file, ...replayFixture(JSON.parse(text)) };
  } catch (error) {
    const why = isMagicMaskError(error) ? message(error) : `the file cannot be read: ${message(error)}`;
    return { file, passed: 0, failed: 1, failures: [why] };
  }
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
