import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "@jest/globals";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));

it("prints one row per perturbation, each ranking the planted decisions far above chance", async () => {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  const { NODE_OPTIONS: _, ...env } = process.env;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--import", tsx, "--conditions=@magic-mask/source", main],
    { env },
  );
  const rows = stdout
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/ {2,}/));
  expect(rows.map(([name]) => name)).toEqual(["uniform", "second choice"]);
  const [uniform, second] = rows.map((row) => row.slice(1).map(Number));
  // One decision in eight is a lock with four keys: at random the key is missed in 3 of 4, by the second choice always.
  expect(uniform[0]).toBeCloseTo((1 / 8) * (3 / 4), 1);
  expect(second[0] / uniform[0]).toBeCloseTo(4 / 3, 2);
  for (const [, area] of [uniform, second]) expect(area).toBeGreaterThan(0.8);
}, 60_000);

it("stays a page that can be read at a sitting", () => {
  expect(readFileSync(main, "utf8").split("\n").length).toBeLessThan(80);
});
