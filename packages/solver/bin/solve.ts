import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";
import { differenceAt, parseSolvedPositions, type SolvedPosition } from "../src/solved-positions.ts";
import { solver } from "../src/solver.ts";

const HELP = `Solves positions of Connect 4 and compares the score of each, and of all its moves, with those in a file.

Usage: npm run solve -- FILE [--json]

FILE     lines "moves score s1 … s7", or such a file with gzip: the columns played, 1 to 7; +k, the side to move wins
         with its k-th last stone, −k, the other one does, 0, a draw; x for a full column
--json   prints the results as JSON
--help   prints this

Example: npm run solve -- packages/solver/fixtures/positions.txt.gz

Exit status: 0 all agree, 1 some differ, 2 nothing could be tried (wrong arguments, no such file, another format).`;

/** Differences that are printed; the rest are counted. */
const SHOWN = 10;
/** Milliseconds from one line of progress to the next. */
const PERIOD = 5000;

process.exitCode = main(process.argv.slice(2));

function main(args: string[]): number {
  let json: boolean;
  let file: string;
  let positions: SolvedPosition[];
  try {
    const options = { json: { type: "boolean" }, help: { type: "boolean", short: "h" } } as const;
    const { values, positionals } = parseArgs({ args, allowPositionals: true, options });
    if (values.help) {
      console.log(HELP);
      return 0;
    }
    if (positionals.length !== 1) throw new Error("give one file of solved positions");
    json = values.json === true;
    file = positionals[0];
    const bytes = readFileSync(file);
    positions = parseSolvedPositions((file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8"));
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${HELP}`);
    return 2;
  }

  const perfect = solver();
  const begun = performance.now();
  const cpu = process.cpuUsage();
  const differences: string[] = [];
  let due = begun + PERIOD;
  positions.forEach((position, i) => {
    const difference = attempt(() => differenceAt(perfect, position));
    if (difference) differences.push(difference);
    if (performance.now() < due) return;
    due += PERIOD;
    const rate = (1000 * (i + 1)) / (performance.now() - begun);
    const left = Math.round((positions.length - i - 1) / rate);
    console.error(`solve  ${i + 1}/${positions.length} positions  ${rate.toFixed(1)}/s  ${left}s left`);
  });
  const seconds = (performance.now() - begun) / 1000;
  const cpuSeconds = process.cpuUsage(cpu).user / 1e6;

  const passed = positions.length - differences.length;
  const result = { file, passed, failed: differences.length, seconds, cpuSeconds, nodes: perfect.nodes };
  if (json) {
    const rates = { positionsPerSecond: positions.length / seconds, nodesPerSecond: perfect.nodes / seconds };
    console.log(JSON.stringify({ ...result, ...rates, failures: differences }, null, 2));
  } else {
    const rate = (positions.length / seconds).toFixed(1);
    const nodes = `${(perfect.nodes / 1e6).toFixed(1)}M positions searched`;
    console.log(`${file}: ${passed} passed, ${differences.length} failed`);
    for (const difference of differences.slice(0, SHOWN)) console.log(`  ${difference}`);
    if (differences.length > SHOWN) console.log(`  … and ${differences.length - SHOWN} more`);
    console.log(
      `${rate} positions/s, ${nodes}, ${seconds.toFixed(1)} s (${cpuSeconds.toFixed(1)} s of processor time)`,
    );
  }
  return differences.length > 0 ? 1 : 0;
}

/** A position that no game comes to is one difference, which says why. */
function attempt(work: () => string | undefined): string | undefined {
  try {
    return work();
  } catch (error) {
    return (error as Error).message;
  }
}
