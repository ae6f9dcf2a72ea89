import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { missingRedis, startTestRedis, type TestRedis } from "@magic-mask/comm/redis/testing";
import { Redis } from "ioredis";
import { redisQueue } from "../src/study/queue/engine.ts";
import { readQueue } from "../src/study/queue/standing.ts";
import { runWorker } from "../src/study/queue/worker.ts";
import { runStudy } from "../src/study/run-study.ts";
import { writeReport } from "../src/study/slurm/element-report.ts";
import { formatSlurm, readSlurm } from "../src/study/slurm/standing.ts";
import { writeSlurm } from "../src/study/slurm/write-slurm.ts";
import { magicMask, start, temporaryFolder, until } from "./command-line.ts";
import { tinyStudy } from "./tiny-study.ts";

const folder = temporaryFolder();
const file = tinyStudy(folder);
/** Seconds of training, of which something is kept four times a second. */
const overrides = ["training.totalSteps=140000", "checkpointSeconds=0.25"];
const axes = { budget: [10], arm: ["1", "2"] };
const about = (name: string) => ({
  study: file,
  size: "quick" as const,
  axes,
  overrides,
  workers: 1,
  cache: join(folder, name, "cache"),
  out: join(folder, name, "out"),
  command: "magic-mask study tiny.mjs",
});
/** A net under tests that start a dozen processes, on however busy a machine; nothing is timed by it. */
const PATIENCE = 900_000;
/** What processes of this machine come to. */
let straight: string | undefined;
beforeAll(async () => {
  straight = (await runStudy(about("local"))).results?.digest;
  // What takes how long is known from here on.
  for (const name of ["queue", "slurm"]) {
    cpSync(join(about("local").cache, "pilots"), join(about(name).cache, "pilots"), { recursive: true });
  }
  // One policy of two is there.
  const [policy] = readdirSync(join(about("local").cache, "policies"));
  const [from, to] = ["local", "slurm"].map((name) => join(about(name).cache, "policies", policy));
  cpSync(from, to, { recursive: true });
}, PATIENCE);

const missing = missingRedis();
(missing ? describe.skip : describe)(`a study by way of Redis${missing ? ` (${missing})` : ""}`, () => {
  let redis: TestRedis;
  let client: Redis;
  const running: ReturnType<typeof start>[] = [];
  const started = (...args: string[]) => {
    const process = start(...args);
    running.push(process);
    return process;
  };
  beforeAll(async () => {
    redis = await startTestRedis();
    client = new Redis(redis.url);
  });
  afterAll(async () => {
    for (const { child } of running) child.kill("SIGKILL");
    await Promise.all(running.map(({ ended }) => ended));
    client.disconnect();
    await redis.close();
  });

  const { cache, out } = about("queue");
  const study = () => runStudy({ ...about("queue"), engine: redisQueue({ url: redis.url }) });
  const worker = (name: string) =>
    started("worker", `--redis=${redis.url}`, `--cache=${join(folder, name)}`, "--jobs=1", "--patience=2", "--json");
  /** So that no worker can tell that it sees this folder: as on another machine. */
  const hideCache = async () => {
    const mark = join(cache, "cache-id");
    await until(async () => existsSync(mark) && (await keys("study:*:about")).length > 0, "a study");
    rmSync(mark);
  };
  const keys = (pattern: string) => client.keys(`magic-mask:${pattern}`);
  /** What Redis holds of policies, said in short; "" for nothing. */
  const held = async () => {
    const [key] = await keys("study:*:parcels");
    return key === undefined ? "" : (await client.hvals(key)).join();
  };

  it(
    "comes to the same, stopped and gone on with, and with a worker killed in the middle",
    async () => {
      const first = study();
      await hideCache();
      const a = worker("a");
      const standing = () => readQueue({ url: redis.url });
      await until(async () => (await standing()).workers.length > 0, "a worker");
      expect(await standing()).toMatchObject({
        studies: [{ study: "tiny", state: "running" }],
        workers: [{ jobs: 1 }],
      });
      await until(held, "a checkpoint");
      // Ctrl-C.
      process.emit("SIGINT", "SIGINT");
      expect((await first).exitCode).toBe(130);
      expect([await keys("tasks-*:wait"), await keys("tasks-*:active")]).toEqual([[], []]);
      expect(JSON.parse(readFileSync(join(out, "status.json"), "utf8"))).toMatchObject({ state: "stopped" });
      // How far it came is here by now.
      expect(readdirSync(join(cache, "policies"))).toHaveLength(1);

      for (const key of await keys("study:*")) await client.del(key);
      a.child.kill("SIGINT");
      await a.ended;
      const second = study();
      // Who is there already might look before that is done.
      await hideCache();
      const c = worker("killed");
      await until(held, "what there was");
      const before = await held();
      await until(async () => (await held()) !== before, "another checkpoint");
      c.child.kill("SIGKILL");
      const b = worker("b");
      const { exitCode, results } = await second;
      expect([exitCode, results?.failures, results?.digest]).toEqual([0, [], straight]);
      expect((await c.ended).stderr).toContain("policy of planted_v0, seed 1: goes on from where another was");
      b.child.kill("SIGINT");
      const last = await b.ended;
      expect(last.code).toBe(130);
      expect(last.stderr).toMatch(/policy of planted_v0, seed \d: goes on from where another was/);
      expect(JSON.parse(last.stdout)).toMatchObject({ failed: 0 });
      // What is over leaves how it ended.
      expect(await keys("study:*")).toEqual([expect.stringMatching(/^magic-mask:study:\w+:status$/)]);
      expect([await keys("tasks-*:wait"), await keys("tasks-*:active"), await keys("tasks-*:completed")]).toEqual([
        [],
        [],
        [],
      ]);
    },
    PATIENCE,
  );

  it("refuses workers that would come to other figures, and says why", async () => {
    await client.flushall();
    const options = { server: { url: redis.url }, cache: join(folder, "c"), jobs: 1, patience: 30 };
    const program = { version: "0", commit: null, changes: null, architecture: "vax", node: "20" };
    await client.sadd("magic-mask:studies", "other");
    await client.set("magic-mask:study:other:about", JSON.stringify({ id: "other", study: "tiny", program }));
    // Nobody waits for that study any more: a worker of today may wait for others.
    const today = runWorker(options);
    await until(async () => (await readQueue({ url: redis.url })).workers.length > 0, "a worker");
    process.emit("SIGINT", "SIGINT");
    expect((await today).exitCode).toBe(130);
    await client.set("magic-mask:study:other:alive", "1");
    const why = /tiny: was begun by magic-mask 0, Node 20, vax, and this is magic-mask/;
    await expect(runWorker(options)).rejects.toMatchObject({
      code: "unsupported",
      message: expect.stringMatching(why),
    });
    await expect(runWorker({ ...options, jobs: 0 })).rejects.toThrow(
      "--jobs must be a whole number in [1, 256], got 0",
    );
    await expect(runWorker({ ...options, patience: 0 })).rejects.toThrow("--patience");
  });

  it("asks for a server before any work", async () => {
    const nowhere = await magicMask("study", file, "--engine=bullmq");
    expect([nowhere.code, nowhere.stderr]).toEqual([2, expect.stringContaining("give --redis redis://host:port")]);
  });
});

describe("a study on Slurm", () => {
  /** Does at once what Slurm would do some time. */
  const SBATCH = `#!/bin/bash
last=0; output=/dev/null; depends=
while [[ "$1" == --* ]]; do
  case "$1" in --array=0-*) last="\${1#--array=0-}";; --output=*) output="\${1#--output=}";; --dependency=*) depends="$1";; esac
  shift
done
echo "$depends $*" >> submitted.txt
for ((i = 0; i <= last; i++)); do SLURM_ARRAY_TASK_ID=$i bash "$@" > "\${output/\\%a/$i}" 2>&1; done
wc -l < submitted.txt
`;

  it(
    "comes to the same, an element after the other",
    async () => {
      const { out } = about("slurm");
      const { submit, elements, exitCode } = await writeSlurm(about("slurm"));
      expect([exitCode, elements]).toEqual([0, { policies: 1, truths: 1, trials: 1 }]);
      expect(await readSlurm(out)).toMatchObject({
        stages: { policies: { done: 0, total: 1 }, trials: { done: 0, total: 2 } },
        ...{ share: 0, running: 0, trialsPerHour: null, secondsLeft: null, failures: [] },
      });
      const tasks = join(out, "slurm", "tasks.json");
      // An element that was killed can't say so.
      const killed = { stage: "trials", element: 0, failures: [], hasEnded: false } as const;
      const [startedAt, saidAt] = [20, 6].map((minutes) => new Date(Date.now() - 60_000 * minutes).toISOString());
      await writeReport(tasks, { ...killed, startedAt, saidAt: new Date().toISOString() });
      expect(await readSlurm(out)).toMatchObject({ running: 1, silent: [] });
      await writeReport(tasks, { ...killed, startedAt, saidAt });
      const { running, silent } = await readSlurm(out);
      expect([running, silent]).toEqual([0, [{ stage: "trials", element: 0, since: saidAt }]]);
      expect(formatSlurm(await readSlurm(out))).toContain(
        `\nelement 0 of trials has said nothing since ${saidAt}: killed`,
      );
      // Before there is a policy to explain.
      const early = await magicMask("task", tasks, "trials", "0");
      expect(early.code).toBe(1);
      expect(formatSlurm(await readSlurm(out))).toMatch(
        /\nfailures: 2\n( {2}trials of .*: failed once: .+\n){2}still to come/,
      );
      const bin = temporaryFolder();
      writeFileSync(join(bin, "sbatch"), SBATCH);
      chmodSync(join(bin, "sbatch"), 0o755);
      const { NODE_OPTIONS: _, ...env } = process.env;
      const { stdout, stderr, status } = spawnSync("bash", [submit, "--partition=cpu"], {
        env: { ...env, PATH: `${bin}:${env.PATH}` },
        encoding: "utf8",
      });
      expect([status, stderr]).toEqual([0, ""]);
      expect(stdout).toBe(
        "policies: job 1, 1 elements\ntruths: job 2, 1 elements\ntrials: job 3, 1 elements\nresults: job 4\n",
      );
      expect(readFileSync(join(out, "slurm", "submitted.txt"), "utf8").split("\n")).toEqual([
        " element.sh policies",
        "--dependency=afterany:1 element.sh truths",
        "--dependency=afterany:2 element.sh trials",
        "--dependency=afterany:3 gather.sh",
        "",
      ]);
      expect(await readSlurm(out)).toMatchObject({ share: 1, running: 0, silent: [], failures: [], missing: [] });
      // The last job found all of it there.
      expect(readFileSync(join(out, "slurm", "logs", "results.txt"), "utf8")).not.toContain("policies 0/");
      expect(JSON.parse(readFileSync(join(out, "study.json"), "utf8")).digest).toBe(straight);
      const again = await magicMask("task", tasks, "policies", "1");
      expect([again.code, again.stderr]).toEqual([
        2,
        expect.stringContaining("element must be a whole number in [0, 0], got 1"),
      ]);
    },
    PATIENCE,
  );
});
