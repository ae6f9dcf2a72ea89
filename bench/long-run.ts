/**
 * Ten million steps of the main job with all its work: 4 epochs, masks that learn from every iteration, sharing. Writes the learning
 * curve, memory over the run, the table and how long it took to `results/long-run/`.
 *
 *   npm run bench:long-run                 # some five minutes on two cores, evaluation apart
 *   npm run bench:long-run -- --seed 2
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";

const ARGUMENTS = ["--total-timesteps", "10000000", "training.epochs=4", "mask.every=1"];
/** Points of the curve. */
const POINTS = 100;

type Line = Readonly<Record<string, number>>;

const root = fileURLToPath(new URL("..", import.meta.url));
const given = process.argv.slice(2);
const output = execFileSync(
  process.execPath,
  [`${root}scripts/magic-mask.mjs`, "start", "--json", ...ARGUMENTS, ...given],
  { cwd: root, encoding: "utf8", maxBuffer: 1e8, stdio: ["ignore", "pipe", "inherit"] },
);
const { path, record, evaluation } = JSON.parse(output);
const lines: Line[] = readFileSync(`${path}/metrics.jsonl`, "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line));

const seconds = lines.reduce((sum, line) => sum + line["time/total"], 0);
/** Means over stretches of the run; a figure that is not in every line is taken over those that have it. */
const curve = Array.from({ length: POINTS }, (_, k) => {
  const part = lines.slice(Math.floor((k * lines.length) / POINTS), Math.floor(((k + 1) * lines.length) / POINTS));
  const mean = (name: string) => {
    const values = part.map((line) => line[name]).filter((value) => typeof value === "number");
    return Number((values.reduce((sum, value) => sum + value, 0) / values.length).toPrecision(5));
  };
  return {
    steps: part[part.length - 1].steps,
    winRateRandom: mean("charts/win_rate_random"),
    entropy: mean("losses/entropy"),
    kl: mean("kl/update"),
    explainedVariance: mean("losses/explained_variance"),
    stepsPerSecond: Math.round(mean("charts/SPS")),
    memoryMiB: Math.round(mean("system/memory_mib")),
  };
});

mkdirSync(`${root}results/long-run`, { recursive: true });
const summary = {
  command: ["npm run bench:long-run", ...(given.length > 0 ? ["--", ...given] : [])].join(" "),
  commit: record.commit,
  machine: { cpu: cpus()[0]?.model.trim(), cores: cpus().length, node: process.version },
  backend: record.backend.name,
  workers: record.host.workers,
  seed: record.seed,
  steps: record.steps,
  trainingSeconds: Math.round(seconds),
  stepsPerSecond: Math.round(record.steps / seconds),
  trajectoryHash: record.trajectoryHash,
  curve,
  evaluation,
};
writeFileSync(`${root}results/long-run/connect_four_v0.json`, `${JSON.stringify(summary, null, 2)}\n`);
writeFileSync(`${root}results/long-run/connect_four_v0.txt`, readFileSync(`${path}/report/evaluation.txt`));
writeFileSync(`${root}results/long-run/connect_four_v0.svg`, plot());
console.log(
  `${record.steps} steps in ${Math.round(seconds)} s of training, ${summary.stepsPerSecond} steps/s; memory ` +
    `${curve[9].memoryMiB} MiB after a tenth, ${curve[POINTS - 1].memoryMiB} MiB at the end`,
);

/** Win rate, speed and memory against steps, one above the other. */
function plot(): string {
  const { document } = parseHTML("<!DOCTYPE html><html><body></body></html>");
  const facets = [
    ["win rate against random play", "winRateRandom"],
    ["policy entropy, nats", "entropy"],
    ["steps per second", "stepsPerSecond"],
    ["memory, MiB", "memoryMiB"],
  ] as const;
  const svgs = facets.map(([label, name], k) => {
    const svg = Plot.plot({
      document: document as never,
      width: 720,
      height: 170,
      marginLeft: 60,
      style: { background: "white", fontFamily: "sans-serif", fontSize: "12px" },
      x: { label: k === facets.length - 1 ? "environment steps over all copies, millions" : null },
      y: { label, grid: true, ...(name === "winRateRandom" ? {} : { zero: true }) },
      marks: [Plot.line(curve, { x: (d) => d.steps / 1e6, y: name, stroke: "#4269d0" })],
    }) as unknown as { outerHTML: string; setAttribute(name: string, value: string): void };
    svg.setAttribute("y", String(k * 175));
    return svg.outerHTML;
  });
  const size = `width="720" height="${facets.length * 175}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size}><rect ${size} fill="white"/>${svgs.join("")}</svg>\n`;
}
