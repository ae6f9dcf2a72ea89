import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import type { CollectShares, Trained } from "../bench/job/served.ts";
import { learningTable, overSeeds } from "../bench/learning/table.ts";
import { startNode, startPython } from "../bench/measure/child.ts";
import { leastInTurns } from "../bench/measure/in-turns.ts";
import { digits, markdownTable } from "../bench/measure/table.ts";
import type { Curve } from "../bench/scaling/curve.ts";
import { fitCosts } from "../bench/scaling/fit.ts";
import { plotCurve } from "../bench/scaling/plot.ts";
import { root } from "./workspace.ts";

const bench = (...args: string[]) =>
  spawnSync(
    process.execPath,
    ["--import", "tsx", "--conditions=@magic-mask/source", join(root, "bench/main.ts"), ...args],
    { cwd: root, encoding: "utf8", env: { ...process.env, NODE_OPTIONS: "", MAGIC_MASK_PYTHON: "no-such-python" } },
  );

describe("the table of what is learned", () => {
  it("pairs a reference seed by seed: its spread over seeds is not held against what is learned", () => {
    const runs = [
      [10, 9],
      [20, 19],
      [30, 28.5],
    ].map(([value, over]) => [{ name: "return", value, over }]);
    const [figure] = overSeeds(runs);
    // Differences 1, 1 and 1.5: mean 7/6, standard error 1/6, t₂(0.975) = 4.303, so 0.450 to 1.884.
    expect(figure.over?.values).toEqual([9, 19, 28.5]);
    expect(figure.over?.difference.estimate).toBeCloseTo(7 / 6, 12);
    expect(figure.over?.difference.low).toBeCloseTo(0.4496, 3);
    expect(figure.over?.difference.high).toBeCloseTo(1.8838, 3);
    const about = { world: "w_v0", steps: 1e6, seeds: [{ seconds: 9 }] };
    expect(learningTable([{ ...about, figures: [figure] }])).toContain("| > 18.8, paired | yes, by 0.450 … 1.88 |");
  });

  it("does not take a mean above the reference's for more, nor a single seed", () => {
    const about = { world: "w_v0", steps: 1e6, seeds: [{ seconds: 9 }] };
    const rowOf = (...runs: [value: number, over: number][]) =>
      learningTable([{ ...about, figures: overSeeds(runs.map(([value, over]) => [{ name: "return", value, over }])) }]);
    // Differences 9 and −1: mean 4, but anything from −59.5 to 67.5 agrees with them.
    expect(rowOf([9, 0], [0, 1])).toContain("no, by -59.5 … 67.5");
    expect(rowOf([9, 0])).toContain("no, by –");
    const [bounded] = overSeeds([[{ name: "return", value: 5, atLeast: 4 }]]);
    expect(learningTable([{ ...about, figures: [bounded] }])).toContain("| ≥ 4.00 | yes     |");
  });
});

describe("leastInTurns", () => {
  it("takes turns, gives each as many calls as fill a turn, and keeps the least per call", async () => {
    const log: string[] = [];
    // The second contender is disturbed in all rounds but one.
    const costs = {
      steady: () => 2,
      disturbed: () => (log.filter((name) => name === "disturbed").length === 6 ? 3 : 9),
    };
    const contenders = Object.entries(costs).map(([name, cost]) => ({
      name,
      async time(count: number) {
        log.push(name);
        return count * cost();
      },
    }));
    let turns = 0;
    const least = await leastInTurns(contenders, { rounds: 4, turn: 100, onTurn: () => turns++ });
    expect(least).toEqual([2, 3]);
    expect(turns).toBe(10);
    expect(log.slice(-8)).toEqual(Array.from({ length: 4 }, () => ["steady", "disturbed"]).flat());
  });
});

describe("fitCosts", () => {
  const terms = [() => 1, (x: number) => x, (x: number) => x * x];

  it("finds the terms that a cost was made of", () => {
    const points = [1, 2, 3, 5, 8].map((x) => [x, 4 + 0.5 * x + 0.25 * x * x] as const);
    const { coefficients, error, at } = fitCosts(terms, points);
    coefficients.forEach((c, k) => {
      expect(c).toBeCloseTo([4, 0.5, 0.25][k], 9);
    });
    expect(error).toBeLessThan(1e-9);
    expect(at(10)).toBeCloseTo(34, 8);
  });

  it("leaves a term out that would be negative", () => {
    const points = [1, 2, 4, 8].map((x) => [x, 10 * x - 0.1 * x * x] as const);
    const { coefficients, error } = fitCosts(terms, points);
    expect(coefficients[2]).toBe(0);
    expect(Math.min(...coefficients)).toBeGreaterThanOrEqual(0);
    expect(error).toBeGreaterThan(0.01);
  });
});

describe("plotCurve", () => {
  it("draws each series' points and its fit into one document that stands alone", () => {
    const points = [1, 2, 4, 8].map((x) => [x, 3 * x] as const);
    const series = ["one", "other"].map((name) => ({ name, points, fit: fitCosts([(x) => x], points) }));
    const curve: Curve = {
      name: "c",
      title: "A title",
      x: "x",
      y: "y",
      logX: true,
      logY: true,
      series,
      explanation: "",
    };
    const svg = plotCurve(curve);
    expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    expect(svg.match(/<circle/g)).toHaveLength(8);
    expect(svg.match(/<path [^>]*d="M/g)?.length).toBeGreaterThanOrEqual(2);
    for (const text of ["A title", "one", "other"]) expect(svg).toContain(`>${text}<`);
    expect(svg).not.toContain("NaN");
  });
});

describe("tables", () => {
  it("show three digits", () => {
    expect([0, 0.01234, 1, 9.876, 9.996, 98.76, 987.6, 123456, Number.NaN].map(digits)).toEqual([
      "0",
      "0.0123",
      "1.00",
      "9.88",
      "10.0",
      "98.8",
      "988",
      "123,000",
      "n/a",
    ]);
  });

  it("put numbers to the right and names that begin with digits to the left", () => {
    expect(
      markdownTable(
        ["net", "rate"],
        [
          ["126-64-8", "1.5×"],
          ["4", "12 %"],
        ],
      ),
    ).toBe(["| net      | rate |", "| -------- | ---: |", "| 126-64-8 | 1.5× |", "| 4        | 12 % |"].join("\n"));
  });
});

describe("npm run bench", () => {
  it("explains itself, and refuses what it does not know", () => {
    const help = bench("--help");
    expect([help.status, help.stderr]).toEqual([0, ""]);
    expect(help.stdout).toContain("Example: npm run bench");
    const wrong = bench("network");
    expect([wrong.status, wrong.stdout]).toEqual([2, ""]);
    expect(wrong.stderr).toContain('there is no part "network"; choose from: networks');
  });

  it("writes a part with what it was measured on, prints nothing but JSON when asked to, and keeps an overview", () => {
    const folder = mkdtempSync(join(tmpdir(), "bench-"));
    try {
      const { status, stdout } = bench("environments", "--quick", "--json", "--out", folder);
      expect(status).toBe(0);
      const record = JSON.parse(stdout);
      expect(JSON.parse(readFileSync(join(folder, "environments.json"), "utf8"))).toEqual(record);
      expect(record).toMatchObject({
        part: "environments",
        command: "npm run bench -- environments --quick",
        node: process.version,
        machine: { cpus: expect.any(Number), cpu: expect.any(String) },
      });
      const cartpole = record.results.worlds.find((row: { environment: string }) => row.environment === "cartpole_v1");
      expect(cartpole.stepsPerSecond).toBeGreaterThan(1e5);
      expect(readdirSync(folder).sort()).toEqual(["README.md", "environments.json"]);
      expect(readFileSync(join(folder, "README.md"), "utf8")).toContain("## environments");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("processes of their own", () => {
  it("train a turn at a time, and say where the time went", async () => {
    const overrides = ["environment.id=planted_v0", "training.copies=8", "training.rolloutTicks=16", "sharing.every=8"];
    const child = await startNode("job/served.ts", { overrides });
    try {
      const trained = await child.ask<Trained>({ train: 200 });
      expect(trained.cpuMs).toBeGreaterThanOrEqual(200);
      expect(trained.steps % 128).toBe(0);
      expect(trained.received).toBeGreaterThan(0);
      expect(sum(Object.values(trained.shares))).toBeCloseTo(1, 9);
      expect(trained.memory.peak).toBeGreaterThan(10);
      const { environment, inference, rest } = await child.ask<CollectShares>({ takeApart: 3 });
      // The rest is what is left of two clocks' readings: on a busy machine it may come out below nothing.
      expect(Math.min(environment, inference)).toBeGreaterThan(0);
      expect(environment + inference + rest).toBeCloseTo(1, 9);
    } finally {
      child.close();
    }
  });

  it("pass on why they ended", async () => {
    await expect(startNode("job/served.ts", { overrides: ["environment.id=chess_v0"] })).rejects.toThrow(/chess_v0/);
  });

  it("are left out where there is no such Python", async () => {
    const before = process.env.MAGIC_MASK_PYTHON;
    process.env.MAGIC_MASK_PYTHON = "no-such-python";
    try {
      expect(await startPython("sb3_cartpole.py", {})).toMatch(
        /^no-such-python does not run sb3_cartpole.py: .*ENOENT/,
      );
    } finally {
      if (before === undefined) delete process.env.MAGIC_MASK_PYTHON;
      else process.env.MAGIC_MASK_PYTHON = before;
    }
  });
});

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
