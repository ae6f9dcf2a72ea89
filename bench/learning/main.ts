/**
 * How well policies learn in each world with its preset: trains a team per seed, without masks, judges it on held-out episodes and
 * writes figures, curves and the table to `results/learning/`. Teams stay under `runs/learning/`: the same command again at the same
 * commit trains what is missing, from where it was stopped.
 *
 *   npm run bench:learning                                  # every world of ours, seeds 1 2 3
 *   npm run bench:learning -- cartpole_v1 --seeds 1,2,3,4,5
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gitCommit } from "../../apps/trainer/src/host.ts";
import { loadTeam } from "../../apps/trainer/src/load-run.ts";
import { openRunFolder } from "../../apps/trainer/src/run/run-folder.ts";
import { digits } from "../measure/table.ts";
import { type LearningCurve, plotLearning } from "./plot.ts";
import { pythonSubjects, subjects } from "./subjects.ts";
import { type Figure, learningTable, overSeeds } from "./table.ts";

/** Points of a curve. */
const POINTS = 60;
const known = { ...subjects, ...pythonSubjects };
const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = `${root}results/learning`;
/** Where the trained teams stay. */
const runs = `${root}runs/learning`;
const commit = gitCommit();

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seeds: { type: "string", default: "1,2,3" } },
});
const seeds = values.seeds.split(",").map(Number);
const worlds = positionals.length > 0 ? positionals : Object.keys(subjects);
const unknown = [...worlds.filter((id) => !Object.hasOwn(known, id)), ...seeds.filter((seed) => !(seed >= 0))];
if (unknown.length > 0) {
  console.error(`cannot learn ${unknown.join(", ")}; worlds are ${Object.keys(known).join(", ")}, seeds numbers`);
  process.exit(2);
}

mkdirSync(folder, { recursive: true });
for (const id of worlds) {
  const trained: Awaited<ReturnType<typeof trainAndJudge>>[] = [];
  for (const seed of seeds) trained.push(await trainAndJudge(id, seed));
  const [{ record }] = trained;
  const figures = overSeeds(trained.map((run) => run.figures));
  const summary = {
    world: id,
    command: `npm run bench:learning -- ${id} --seeds ${seeds.join(",")}`,
    commit: record.commit,
    machine: { cpu: cpus()[0]?.model.trim(), cores: cpus().length, node: process.version },
    backend: record.backend.name,
    steps: record.steps,
    config: record.config,
    seeds: trained.map(({ seed, seconds, record, curve }) => ({ seed, seconds, hash: record.trajectoryHash, curve })),
    figures,
  };
  writeFileSync(`${folder}/${id}.json`, `${JSON.stringify(summary, null, 2)}\n`);
  const title = `${id}: episodic return while training`;
  writeFileSync(
    `${folder}/${id}.svg`,
    plotLearning(
      title,
      trained.map(({ seed, curve }) => ({ seed, curve })),
    ),
  );
  writeFileSync(`${folder}/README.md`, overview());
}
console.log(overview());

/** @returns its figures on held-out episodes, and its curve: mean return of all agents' episodes in training */
async function trainAndJudge(id: string, seed: number) {
  const path = train(id, seed);
  const team = await loadTeam(path);
  const { record } = team;
  const seconds = Math.round((Date.parse(record.updatedAt) - Date.parse(record.startedAt)) / 1000);
  const figures: Figure[] = known[id].judge(team);
  for (const { name, value } of figures) process.stderr.write(`${id}, seed ${seed}: ${name} ${digits(value)}\n`);
  return { seed, seconds, record, figures, curve: curveOf(`${path}/metrics.jsonl`) };
}

/** Trains a team, or goes on with what an earlier try at this commit has left. @returns the run folder */
function train(id: string, seed: number): string {
  const { environment = id, overrides = [] } = known[id];
  const out = `${runs}/${id}/s${seed}`;
  mkdirSync(out, { recursive: true });
  const earlier = readdirSync(out)
    .map((name) => ({ path: `${out}/${name}`, record: openRunFolder(`${out}/${name}`).record }))
    .find(({ record }) => record.commit === commit && commit !== null && !commit.endsWith("-dirty"));
  if (earlier?.record.state === "finished") return earlier.path;
  const asked = ["--env-id", environment, "--seed", String(seed), "--out", out, "mask.enabled=false", ...overrides];
  const args = ["train", "--json", ...(earlier ? ["--resume", earlier.path] : asked)];
  const output = execFileSync(process.execPath, [`${root}scripts/magic-mask.mjs`, ...args], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 1e8,
    stdio: ["ignore", "pipe", "inherit"],
  });
  return (JSON.parse(output) as { path: string }).path;
}

/** Means over stretches of the run. */
function curveOf(file: string): LearningCurve {
  const lines: Record<string, number | null>[] = readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const count = Math.min(POINTS, lines.length);
  return Array.from({ length: count }, (_, k) => {
    const part = lines.slice(Math.floor((k * lines.length) / count), Math.floor(((k + 1) * lines.length) / count));
    const returns = part.flatMap((line) =>
      Object.entries(line).flatMap(([name, value]) =>
        name.endsWith("/episodic_return") && name.startsWith("agent/") && typeof value === "number" ? [value] : [],
      ),
    );
    const mean = returns.reduce((sum, value) => sum + value, 0) / returns.length;
    return { steps: part[part.length - 1].steps as number, mean: Number(mean.toPrecision(5)) };
  }).filter(({ mean }) => Number.isFinite(mean));
}

/** The table over all worlds that the folder holds. */
function overview(): string {
  const table = learningTable(
    readdirSync(folder)
      .filter((file) => file.endsWith(".json"))
      .map((file) => JSON.parse(readFileSync(`${folder}/${file}`, "utf8"))),
  );
  const curves = readdirSync(folder)
    .filter((file) => file.endsWith(".svg"))
    .map((file) => `![${file.replace(".svg", "")}](${file})`);
  return `# Learning

Written by \`npm run bench:learning\`. PPO with each world's preset, no masks; held-out episodes from seeds that training has not seen. Steps are
environment steps over all copies, seconds those of training by wall clock; \`<world>.json\` has the command, the commit and every seed's value.
"> x, paired" is reached where the interval of the differences, seed by seed, from another way of playing (x on the mean) is above 0.

${table}

${curves.join("\n\n")}
`;
}
