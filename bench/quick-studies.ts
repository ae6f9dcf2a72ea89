/**
 * How long `magic-mask study <id> --quick` takes from an empty cache, on all of this machine's cores: policies, truth, trials and report.
 * Runs one study after another and writes each as it is done to `results/quick-studies/`, beside those that are there.
 *
 *   npm run bench:quick-studies              # all, three quarters of an hour on two cores
 *   npm run bench:quick-studies -- main sanity
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gitCommit, hostDescription } from "../apps/trainer/src/host.ts";
import { studies } from "../apps/trainer/src/study/registry.ts";
import { formatDuration } from "../apps/trainer/src/terminal/progress.ts";
import { markdownTable } from "../apps/trainer/src/terminal/table.ts";

interface Took {
  readonly study: string;
  readonly wallSeconds: number;
  readonly trials: number;
  readonly failures: number;
  /** Of its figures. */
  readonly digest: string;
  readonly commit: string | null;
  readonly machine: object;
}

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = join(root, "results", "quick-studies");
const file = join(folder, "quick-studies.json");
const given = process.argv.slice(2);
const strange = given.filter((id) => !(id in studies));
if (strange.length > 0) {
  console.error(`there is no study ${strange.join(", ")}; there are: ${Object.keys(studies).join(", ")}`);
  process.exit(2);
}
mkdirSync(folder, { recursive: true });
for (const id of given.length > 0 ? given : Object.keys(studies)) {
  const scratch = mkdtempSync(join(tmpdir(), "magic-mask-quick-"));
  try {
    const begun = performance.now();
    const options = ["--quick", "--cache", join(scratch, "cache"), "--out", join(scratch, "out")];
    const { status } = spawnSync(process.execPath, [`${root}scripts/magic-mask.mjs`, "study", id, ...options], {
      cwd: root,
      stdio: ["ignore", "ignore", "inherit"],
    });
    const wallSeconds = Math.round((performance.now() - begun) / 1000);
    if (status !== 0) throw new Error(`study ${id} --quick ended with ${status}`);
    const { trials, failures, digest } = JSON.parse(readFileSync(join(scratch, "out", "study.json"), "utf8"));
    const took: Took = {
      study: id,
      wallSeconds,
      trials: trials.length,
      failures: failures.length,
      digest,
      commit: gitCommit(),
      machine: hostDescription(),
    };
    const known: Took[] = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : [];
    const all = Object.keys(studies).flatMap(
      (name) => (name === id ? took : known.find(({ study }) => study === name)) ?? [],
    );
    writeFileSync(file, `${JSON.stringify(all, null, 2)}\n`);
    writeFileSync(join(folder, "README.md"), tableOf(all));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function tableOf(all: readonly Took[]): string {
  const rows = all.map(({ study, wallSeconds, trials, failures, digest, commit }) => [
    ...[study, formatDuration(wallSeconds), trials, failures],
    ...[digest.slice(0, 12), commit?.slice(0, 7) ?? "unknown"],
  ]);
  return [
    "# Studies at `--quick`",
    "",
    "`magic-mask study <id> --quick`, each from an empty cache: policies, truth, trials and report. Wall time on all cores of one machine, by",
    "`npm run bench:quick-studies`; the machine stands in [quick-studies.json](quick-studies.json). To try them, not for conclusions.",
    "",
    ...markdownTable(["study", "took", "trials", "failed", "digest of its figures", "commit"], rows),
    "",
  ].join("\n");
}
