/** Replays a folder of recordings, and where solved positions of Connect 4 lie in it, has the solver check them too. */
import "./setup.mjs";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runSource } from "./run.mjs";

const REPLAY = "packages/environments/bin/conform.ts";
const SOLVE = "packages/solver/bin/solve.ts";

const args = process.argv.slice(2);
const [folder] = args.filter((arg) => !arg.startsWith("-"));
const solved = folder === undefined ? "" : join(folder, "connect4-solved", "positions.txt");
if (!existsSync(solved)) await runSource(REPLAY, args);
else if (args.includes("--json")) await printTogether();
else {
  await runSource(REPLAY, args);
  const code = process.exitCode;
  if (code < 2) await runSource(SOLVE, [solved]);
  process.exitCode = Math.max(code, process.exitCode);
}

/** One JSON object, the solver's report among those of the files. */
async function printTogether() {
  const temporary = mkdtempSync(join(tmpdir(), "magic-mask-conform-"));
  /** @returns what the program prints, as JSON; undefined if it prints nothing */
  const printed = async (entry, own) => {
    const file = join(temporary, "printed.json");
    const out = openSync(file, "w");
    await runSource(entry, own, { stdio: ["inherit", out, "inherit"] });
    closeSync(out);
    const text = readFileSync(file, "utf8");
    return text === "" ? undefined : JSON.parse(text);
  };
  try {
    const replayed = await printed(REPLAY, args);
    const code = process.exitCode;
    const report = replayed && (await printed(SOLVE, [solved, "--json"]));
    process.exitCode = Math.max(code, process.exitCode);
    if (!report) return;
    const passed = replayed.passed + report.passed;
    const failed = replayed.failed + report.failed;
    console.log(JSON.stringify({ ...replayed, passed, failed, files: [...replayed.files, report] }, null, 2));
  } finally {
    rmSync(temporary, { recursive: true });
  }
}
