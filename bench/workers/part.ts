import { availableParallelism } from "node:os";
import type { JobOptions, JobRequest, Trained } from "../job/served.ts";
import { type Child, startNode } from "../measure/child.ts";
import { digits, markdownTable, times } from "../measure/table.ts";
import type { Part } from "../part.ts";

const ROUNDS = 3;
/** Iterations of a turn. */
const ITERATIONS = 40;
const CORES = availableParallelism();
/** None, each number of cores by doubling, and one more than there are. */
const WORKERS = [0, 1, 2, 4, 8, 16, 32, 64].filter((workers) => workers <= CORES).concat(CORES + 1);

const JOBS = {
  "npm start": [],
  "npm start, 4 epochs, masks every iteration": ["training.epochs=4", "mask.every=1"],
  "npm start, policy only": ["mask.enabled=false"],
};

/** What worker threads bring: the same run on any number of them, by wall clock. */
export const workersPart: Part = {
  help: "the main job on 0, 1, 2 … worker threads: steps/s by wall clock, CPU, and that it is the same run",
  async run({ effort, progress }) {
    const rounds = Math.max(1, Math.round(ROUNDS * effort));
    const iterations = Math.max(4, Math.round(ITERATIONS * effort));
    const status = progress(Object.keys(JOBS).length * WORKERS.length * (rounds + 1));
    let turns = 0;
    const results: Result[] = [];
    for (const [job, overrides] of Object.entries(JOBS)) {
      const children: Child[] = [];
      try {
        for (const workers of WORKERS) {
          const options: JobOptions = {
            overrides: ["training.totalSteps=1000000000", ...overrides, `workers=${workers}`],
          };
          children.push(await startNode("job/served.ts", options));
        }
        const best: Trained[] = [];
        let last = "";
        for (let round = -1; round < rounds; round++) {
          const hashes = new Set<string>();
          for (const [k, child] of children.entries()) {
            const trained = await child.ask<Trained>({ iterations } satisfies JobRequest);
            hashes.add(trained.hash);
            if (round >= 0 && !(best[k]?.wallMs <= trained.wallMs)) best[k] = trained;
            status.update(++turns, { workers: WORKERS[k] });
          }
          [last] = hashes;
          if (hashes.size !== 1) throw new Error(`${job} differs with the number of workers: hashes ${[...hashes]}`);
        }
        best.forEach(({ steps, wallMs, cpuMs }, k) => {
          const [alone] = best;
          results.push({
            job,
            workers: WORKERS[k],
            stepsPerSecond: (1000 * steps) / wallMs,
            speedup: alone.wallMs / wallMs,
            cpu: cpuMs / alone.cpuMs,
            hash: last,
          });
        });
      } finally {
        for (const child of children) child.close();
      }
    }
    return { results, text: describe(results) };
  },
};

interface Result {
  readonly job: string;
  readonly workers: number;
  readonly stepsPerSecond: number;
  /** Wall time without workers over wall time with them. */
  readonly speedup: number;
  /** CPU time over CPU time without workers. */
  readonly cpu: number;
  /** Of the whole run after its last turn: the bench fails unless it is the same on any number of workers after every turn. */
  readonly hash: string;
}

function describe(results: readonly Result[]): string {
  const table = markdownTable(
    ["Connect 4", "workers", "steps/s, wall", "speed-up", "CPU", "trajectory hash"],
    results.map(({ job, workers, stepsPerSecond, speedup, cpu, hash }) => [
      job,
      String(workers),
      digits(stepsPerSecond),
      times(speedup),
      times(cpu),
      hash,
    ]),
  );
  return `Environment steps per second of wall clock on ${CORES} cores, the best of several turns of as many iterations. After every turn the runs of one job have the same trajectory hash, or there would be no table.\n\n${table}`;
}
