/** Speed, each figure with the command that made it. `npm run bench -- --help` says how. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { totalmem } from "node:os";
import { basename, dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { gitCommit, hostDescription } from "../apps/trainer/src/host.ts";
import { createProgress, formatDuration } from "../apps/trainer/src/terminal/progress.ts";
import { environmentsPart } from "./environments/part.ts";
import { jobPart } from "./job/part.ts";
import { networksPart } from "./networks/part.ts";
import type { Part, PartResult } from "./part.ts";
import { peersPart } from "./peers/part.ts";
import { recordsPart } from "./records/part.ts";
import { scalingPart } from "./scaling/part.ts";
import { workersPart } from "./workers/part.ts";

const PARTS: Readonly<Record<string, Part>> = {
  networks: networksPart,
  environments: environmentsPart,
  job: jobPart,
  workers: workersPart,
  peers: peersPart,
  scaling: scalingPart,
  records: recordsPart,
};

const HELP = `Measures speed. Every figure is a ratio or rate taken in one run, in CPU time unless it says wall clock, the best of several rounds in turns.

Usage: npm run bench -- [PART …] [--quick] [--json] [--out PATH]

${Object.entries(PARTS)
  .map(([name, { help }]) => `${name.padEnd(13)} ${help}`)
  .join("\n")}

--quick       a tenth of the time, to see that all runs; the figures are rough
--json        prints one JSON object
--out PATH    writes PATH/<part>.json with the machine's description, the plots, and PATH/README.md over all parts there;
              for a single part PATH may be the .json file itself
--help        prints this

Figures beside Python's need one with torch and stable-baselines3: MAGIC_MASK_PYTHON names it (python3 by default); they
are left out where there is none.

Example: npm run bench -- networks peers --out results/bench`;

interface Written {
  readonly part: string;
  readonly command: string;
  readonly commit: string | null;
  readonly measuredAt: string;
  readonly node: string;
  readonly machine: object;
  readonly seconds: number;
  readonly results: unknown;
  readonly text: string;
}

process.exitCode = await main();

async function main(): Promise<number> {
  let asked: ReturnType<typeof readArguments>;
  try {
    asked = readArguments();
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${HELP}`);
    return 2;
  }
  if (asked.help) {
    console.log(HELP);
    return 0;
  }
  const written: Written[] = [];
  for (const name of asked.parts) {
    const begun = performance.now();
    const result = await PARTS[name].run({
      effort: asked.quick ? 0.1 : 1,
      progress: (total) => createProgress({ label: name, total, unit: "measurements" }),
    });
    const seconds = (performance.now() - begun) / 1000;
    process.stderr.write(`${name}: measured in ${formatDuration(seconds)}\n`);
    const record = describe(name, asked.quick, seconds, result);
    written.push(record);
    if (!asked.json) console.log(`\n## ${name}\n\n${result.text}\n`);
    if (asked.out !== undefined) write(asked.out, record, result);
  }
  if (asked.json) console.log(JSON.stringify(written.length === 1 ? written[0] : written, null, 2));
  return 0;
}

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      out: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const parts = positionals.length > 0 ? positionals : Object.keys(PARTS);
  const unknown = parts.find((name) => !Object.hasOwn(PARTS, name));
  if (unknown !== undefined) {
    throw new Error(`there is no part "${unknown}"; choose from: ${Object.keys(PARTS).join(", ")}`);
  }
  if (values.out?.endsWith(".json") && parts.length > 1) {
    throw new Error(`--out must be a folder for ${parts.length} parts, got ${values.out}`);
  }
  return { ...values, parts };
}

function describe(part: string, quick: boolean, seconds: number, { results, text }: PartResult): Written {
  return {
    part,
    command: `npm run bench -- ${part}${quick ? " --quick" : ""}`,
    commit: gitCommit(),
    measuredAt: new Date().toISOString(),
    node: process.version,
    machine: { ...hostDescription(), memoryGiB: Math.round(totalmem() / 2 ** 30) },
    seconds: Math.round(seconds),
    results,
    text,
  };
}

function write(out: string, record: Written, { plots = {} }: PartResult) {
  const file = out.endsWith(".json") ? out : join(out, `${record.part}.json`);
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, `${JSON.stringify(record, null, 2)}\n`);
  for (const [name, svg] of Object.entries(plots)) writeFileSync(join(folder, name), svg);
  if (basename(file) === `${record.part}.json`) writeFileSync(join(folder, "README.md"), overview(folder));
}

/** All parts that a folder holds, for people. */
function overview(folder: string): string {
  const records = Object.keys(PARTS)
    .map((name) => join(folder, `${name}.json`))
    .filter((file) => existsSync(file))
    .map((file) => JSON.parse(readFileSync(file, "utf8")) as Written);
  const intro =
    "Written by `npm run bench -- --out <this folder>`. Figures are CPU time, the best of several rounds in turns: rates are per\n" +
    "core, and ratios hold on a busy machine too.";
  const sections = records.map(({ part, text, command, commit, node, machine, measuredAt }) => {
    const { cpu, cpus } = machine as { cpu: string; cpus: number };
    return `## ${part}\n\n\`${command}\`, ${measuredAt.slice(0, 10)}, Node ${node}, ${cpu} (${cpus} cores), commit ${commit ?? "unknown"}\n\n${text}`;
  });
  return `${["# Speed", intro, ...sections].join("\n\n")}\n`;
}
