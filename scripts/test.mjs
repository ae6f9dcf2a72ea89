/** Runs every test, or those whose path matches an argument; the last line is the count. */
import "./setup.mjs";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root, run } from "./run.mjs";

const started = performance.now();
const folder = mkdtempSync(join(tmpdir(), "magic-mask-test-"));
const results = join(folder, "results.json");
const flags = ["--json", `--outputFile=${results}`];
const code = await run(process.execPath, [`${root}node_modules/jest/bin/jest.js`, ...flags, ...process.argv.slice(2)], {
  cwd: root,
  stdio: ["ignore", 2, 2],
  env: {
    ...process.env,
    // some of jest's parts take CI=true for a terminal
    ...(process.stderr.isTTY ? {} : { NO_COLOR: "1" }),
    // packages are ES modules, which jest loads through Node's experimental vm modules
    NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ""} --experimental-vm-modules --disable-warning=ExperimentalWarning`,
  },
});
const [passed, failed, skipped, why = []] = count();
rmSync(folder, { recursive: true });
for (const name of why) console.log(`skipped: ${name}`);
console.log(
  `\nTotal time: ${((performance.now() - started) / 1000).toFixed(1)} s${skipped ? `; ${skipped} skipped` : ""}`,
);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed ? code || 1 : 0;

/** A file that could not run is one failure, and so is a run that failed without a failed test, or left no results. */
function count() {
  try {
    const result = JSON.parse(readFileSync(results, "utf8"));
    const broken = result.numFailedTests + result.numRuntimeErrorTestSuites;
    // What is missing stands behind a group's name, in brackets.
    const groups = result.testResults
      .flatMap(({ assertionResults }) => assertionResults)
      .filter(({ status, ancestorTitles }) => status === "pending" && ancestorTitles[0]?.endsWith(")"))
      .map(({ ancestorTitles }) => ancestorTitles[0]);
    const skipped = result.numPendingTests + result.numTodoTests;
    return [result.numPassedTests, broken || (code && 1), skipped, [...new Set(groups)]];
  } catch {
    return [0, 1, 0];
  }
}
