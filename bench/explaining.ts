/**
 * What the default run learns and how well it is explained, over seeds: runs `magic-mask start` once per seed and writes every
 * seed's figures, with t-intervals over seeds, to `results/explaining/connect_four_v0.json`.
 *
 *   npm run bench:explaining                 # seeds 1 2 3, about three minutes each on two cores
 *   npm run bench:explaining -- 4 5 6
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { tInterval } from "@magic-mask/metrics";

interface Result {
  readonly record: {
    readonly commit: string;
    readonly trajectoryHash: string;
    readonly backend: { readonly name: string };
    readonly host: { readonly workers: number };
    readonly steps: number;
    readonly startedAt: string;
    readonly updatedAt: string;
  };
  readonly evaluation: {
    readonly opponents: readonly { opponent: string; play: string; value: { estimate: number } }[];
    readonly truth: readonly { agent: string; reliability: number }[];
    readonly ranking: readonly {
      agent: string;
      explainer: string;
      auroc: { estimate: number };
      spearman: { estimate: number };
    }[];
    readonly drops: readonly { agent: string; order: string; drop: { estimate: number }; budget: number }[];
    readonly fidelity: { readonly shared: number; readonly unshared: number };
  };
}

const root = fileURLToPath(new URL("..", import.meta.url));
const seeds = process.argv.length > 2 ? process.argv.slice(2) : ["1", "2", "3"];

const results = seeds.map((seed) => {
  const args = [`${root}scripts/magic-mask.mjs`, "start", "--seed", seed, "--json"];
  const started = performance.now();
  const result: Result = JSON.parse(
    execFileSync(process.execPath, args, {
      cwd: root,
      encoding: "utf8",
      maxBuffer: 1e8,
      stdio: ["ignore", "pipe", "inherit"],
    }),
  );
  // A record's last change is its end: the evaluation comes after it.
  const { startedAt, updatedAt } = result.record;
  const trainingSeconds = Math.round((Date.parse(updatedAt) - Date.parse(startedAt)) / 1000);
  return { seed: Number(seed), seconds: Math.round((performance.now() - started) / 1000), trainingSeconds, result };
});

/** One row per figure: its value for every seed and the 95 % t-interval of the mean. */
const rows = new Map<string, number[]>();
for (const { result } of results) {
  const add = (name: string, value: number) => rows.set(name, [...(rows.get(name) ?? []), value]);
  const { opponents, truth, ranking, drops, fidelity } = result.evaluation;
  for (const { opponent, play, value } of opponents) add(`win_rate/${opponent}/${play}`, value.estimate);
  for (const { agent, reliability } of truth) add(`truth/${agent}/reliability`, reliability);
  for (const { agent, explainer, auroc, spearman } of ranking) {
    add(`auroc@10/${agent}/${explainer}`, auroc.estimate);
    add(`spearman/${agent}/${explainer}`, spearman.estimate);
  }
  for (const { agent, order, drop, budget } of drops) {
    add(`reward_drop@10/${agent}/${order}`, drop.estimate);
    add(`budget/${agent}/${order}`, budget);
  }
  add("inter_agent_fidelity/shared", fidelity.shared);
  add("inter_agent_fidelity/unshared", fidelity.unshared);
}

const summary = {
  command: `npm run bench:explaining -- ${seeds.join(" ")}`,
  commit: results[0].result.record.commit,
  machine: { cpu: cpus()[0]?.model.trim(), cores: cpus().length, node: process.version },
  backend: results[0].result.record.backend.name,
  workers: results[0].result.record.host.workers,
  steps: results[0].result.record.steps,
  /** Seconds of all, and of training with its post-hoc pass, evaluation apart. */
  seeds: results.map(({ seed, seconds, trainingSeconds, result }) => ({
    seed,
    seconds,
    trainingSeconds,
    trajectoryHash: result.record.trajectoryHash,
  })),
  figures: Object.fromEntries([...rows].map(([name, values]) => [name, { ...tInterval(values), values }])),
};
mkdirSync(`${root}results/explaining`, { recursive: true });
writeFileSync(`${root}results/explaining/connect_four_v0.json`, `${JSON.stringify(summary, null, 2)}\n`);
for (const [name, { estimate, low, high }] of Object.entries(summary.figures)) {
  console.log(name.padEnd(46), estimate.toFixed(3), `[${low.toFixed(3)}, ${high.toFixed(3)}]`);
}
