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

it("prints a row per objective that was asked for, of both kinds, each far above chance", async () => {
  const rows = JSON.parse(await run("--json", "value_drop", "statemask_lagrangian"));
  expect(rows.map((row: { explainer: string }) => row.explainer)).toEqual(["value_drop", "statemask_lagrangian"]);
  for (const row of rows) expect(row.auroc).toBeGreaterThan(0.8);
  expect(await run("--help")).toContain("Example:");
});

it("stays a page that can be read at a sitting", () => {
  expect(readFileSync(main, "utf8").split("\n").length).toBeLessThan(80);
});
