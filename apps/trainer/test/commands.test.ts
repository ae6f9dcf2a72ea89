import { readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import { resolveConfig } from "../src/config.ts";
import { createProgram } from "../src/program.ts";
import { planStudy } from "../src/study/plan.ts";
import { isStudyFile, studies } from "../src/study/registry.ts";
import { askedBy } from "./asked-by.ts";

/** Every command of the program's README is read as the program reads it, and what it asks for is planned, not done. */
const text = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const commands = [...text.matchAll(/^```\n(.*?)^```/gms)]
  .flatMap(([, block]) => block.replaceAll("\\\n", " ").split("\n"))
  .map((line) => line.replace(/ +# .*$/, "").trim())
  .filter((line) => /^(?:\w+=\S+ )*magic-mask /.test(line));

describe("the program's README", () => {
  it("has commands of every kind", async () => {
    const verbs = new Set(await Promise.all(commands.map(async (line) => (await askedBy(line)).verb)));
    const { commands: all } = await createProgram();
    // What study --engine slurm writes calls it.
    const own = all.map((command) => command.name()).filter((name) => name !== "task");
    expect([...verbs].sort()).toEqual(own.sort());
  });

  it.each(commands)("%s", async (line) => {
    const { verb, args, flags } = await askedBy(line);
    const overrides = (args["key=value"] ?? []) as readonly string[];
    if (verb !== "study") {
      const environment = "envId" in flags ? { environment: { id: `${flags.envId}` } } : {};
      expect(resolveConfig({ flags: environment, overrides })).toBeDefined();
      return;
    }
    const name = `${args["id|file"]}`;
    if (isStudyFile(name)) return;
    const { quick, paper, axis } = flags as { quick?: true; paper?: true; axis?: Record<string, string[]> };
    const size = quick ? "quick" : paper ? "paper" : "default";
    const { worlds } = await planStudy(studies[name], {
      size,
      states: "dev",
      overrides,
      ...(axis && { axes: axis }),
    });
    expect(worlds.length).toBeGreaterThan(0);
  });
});
