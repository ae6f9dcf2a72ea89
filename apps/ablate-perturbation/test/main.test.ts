import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "@jest/globals";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));

async function run(...args: string[]) {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  const { NODE_OPTIONS: _, ...env } = process.env;
  const all = ["--import", tsx, "--conditions=@magic-mask/source", main, ...args];
  return (await promisify(execFile)(process.execPath, all, { env })).stdout;
}

it("prints one row per perturbation, each ranking the planted decisions far above chance", async () => {
  const stdout = await run();
  const rows = stdout
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/ {2,}/));
  expect(rows.map(([name]) => name)).toEqual(["uniform", "second_choice", "policy_noise", "adversary", "minimal"]);
  const [uniform, second, noise, adversary, minimal] = rows.map((row) => row.slice(1).map(Number));
  // One decision in eight is a lock with four keys, whose key the policy takes with probability .85: at random .25, as the second
  // choice never. (.85 and .05)^(1/5) are .968 and .549: .37 by noise.
  expect(uniform[0]).toBeCloseTo((1 / 8) * 0.6, 2);
  expect(second[0] / uniform[0]).toBeCloseTo(0.85 / 0.6, 2);
  expect(noise[0] / uniform[0]).toBeCloseTo(0.48 / 0.6, 1);
  // Learned to cost more than uniform, and to cost as much with what the policy finds less improbable.
  expect(adversary[0]).toBeGreaterThan(1.2 * uniform[0]);
  expect(minimal[0] / uniform[0]).toBeCloseTo(1, 0);
  expect(minimal[3]).toBeGreaterThan(uniform[3]);
  for (const [, area] of [uniform, second, noise, adversary, minimal]) expect(area).toBeGreaterThan(0.8);
});

it("takes names and gives JSON", async () => {
  const rows = JSON.parse(await run("--json", "uniform"));
  expect(rows).toMatchObject([{ perturbation: "uniform", loss: expect.closeTo(0.075, 2) }]);
  expect(await run("--help")).toContain("Example:");
});

it("stays a page that can be read at a sitting", () => {
  expect(readFileSync(main, "utf8").split("\n").length).toBeLessThan(80);
});
