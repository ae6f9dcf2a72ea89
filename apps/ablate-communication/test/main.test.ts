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

it("prints a row per mode that was asked for: what peers tell helps agents to rank each other's decisions", async () => {
  const gains = [];
  for (const seed of [1, 2, 3]) {
    const [none, all] = JSON.parse(await run("--json", `--seed=${seed}`, "none", "all"));
    expect([none.mode, none.received, all.mode]).toEqual(["none", 0, "all"]);
    expect(all.received).toBeGreaterThan(0);
    for (const { own, fidelity } of [none, all]) expect(Math.min(own, fidelity)).toBeGreaterThan(0.75);
    gains.push({ own: all.own - none.own, fidelity: all.fidelity - none.fidelity });
  }
  // .005, .142 and .126; .011, .131 and .121 when this was written.
  for (const what of ["own", "fidelity"] as const)
    expect(gains.reduce((sum, gain) => sum + gain[what], 0) / 3).toBeGreaterThan(0.04);
  expect(await run("--help")).toContain("Example:");
}, 120_000);

it("stays a page that can be read at a sitting", () => {
  expect(readFileSync(main, "utf8").split("\n").length).toBeLessThan(80);
});
