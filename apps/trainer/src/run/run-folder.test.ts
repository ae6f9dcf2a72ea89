import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { RunRecord } from "@magic-mask/core";
import { parse } from "yaml";
import { createRunFolder, openRunFolder } from "./run-folder.ts";

let out: string;
beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), "magic-mask-"));
});
afterEach(() => rmSync(out, { recursive: true }));

const create = () =>
  createRunFolder({ out: join(out, "runs"), environment: "tictactoe_v0", name: "first.try-2", seed: 7 });
const record: RunRecord = {
  format: 1,
  id: "r",
  environment: "tictactoe_v0",
  seed: 7,
  config: { a: [1, null] },
  versions: { node: "20.0.0" },
  commit: null,
  host: { platform: "linux", architecture: "x64", cpus: 2, cpu: "c", workers: 2 },
  backend: { name: "cpu", reason: "asked for" },
  state: "running",
  steps: 0,
  trajectoryHash: "c9dc5118811c9dc5",
  testLooks: [],
  warnings: [],
  startedAt: "2025-01-02T03:04:05.678Z",
  updatedAt: "2025-01-02T03:04:05.678Z",
};

describe("createRunFolder", () => {
  it("names the folder after the run, never twice the same", () => {
    const folder = create();
    expect(folder.id).toMatch(/^tictactoe_v0__first\.try-2__s7__\d{8}T\d{6}Z-[0-9a-f]{6}$/);
    expect(folder.path).toBe(join(out, "runs", folder.id));
    expect(readdirSync(folder.path)).toEqual(["checkpoints"]);
    expect(create().id).not.toBe(folder.id);
  });

  it("refuses a name that is no part of a path", () => {
    for (const name of ["", "a/b", "a b", "ä", "a\\b"]) {
      const creating = () => createRunFolder({ out, environment: "e", name, seed: 1 });
      expect(creating).toThrow(
        expect.objectContaining({ code: "invalid-option", message: expect.stringContaining(JSON.stringify(name)) }),
      );
    }
    expect(readdirSync(out)).toEqual([]);
  });

  it("cannot create below a file", () => {
    writeFileSync(join(out, "runs"), "");
    expect(create).toThrow(expect.objectContaining({ code: "io" }));
  });
});

describe("run folder", () => {
  it("keeps the record and the configuration", async () => {
    const folder = create();
    await folder.writeRecord(record);
    await folder.writeRecord({ ...record, state: "finished", steps: 9 });
    await folder.writeConfig({ environment: { id: "tictactoe_v0" }, list: [1, 2] });
    expect(openRunFolder(folder.path).record).toEqual({ ...record, state: "finished", steps: 9 });
    expect(parse(readFileSync(join(folder.path, "config.yaml"), "utf8"))).toEqual({
      environment: { id: "tictactoe_v0" },
      list: [1, 2],
    });
    expect(readdirSync(folder.path).sort()).toEqual(["checkpoints", "config.yaml", "run.json"]);
  });

  it("names the event file once, also for whoever opens the folder later", async () => {
    const folder = create();
    await folder.writeRecord(record);
    expect(basename(folder.eventFile)).toMatch(/^events\.out\.tfevents\.\d+\./);
    expect(folder.eventFile).toBe(folder.eventFile);
    writeFileSync(join(folder.path, "events.out.tfevents.12.h"), "");
    expect(openRunFolder(folder.path).eventFile).toBe(join(folder.path, "events.out.tfevents.12.h"));
  });

  it("makes folders for results on demand", () => {
    const folder = create();
    expect(folder.resultsFolder("replays")).toBe(join(folder.path, "replays"));
    folder.resultsFolder("replays");
    expect(existsSync(join(folder.path, "replays"))).toBe(true);
    expect(existsSync(join(folder.path, "eval"))).toBe(false);
  });
});

describe("openRunFolder", () => {
  it("needs a run.json", () => {
    for (const path of [out, join(out, "none")]) {
      expect(() => openRunFolder(path)).toThrow(
        expect.objectContaining({ code: "io", message: expect.stringMatching(/ENOENT.*check the path/) }),
      );
    }
  });

  it.each<[string, string, string]>([
    ["half a record", JSON.stringify(record).slice(0, 50), "JSON"],
    ["nothing", "", "JSON"],
    ["foreign JSON", '{"name":"x","version":1}', "format"],
    ["another version", JSON.stringify({ ...record, format: 2 }), "format"],
    ["a state that is none", JSON.stringify({ ...record, state: "paused" }), "state"],
    ["a field too many", JSON.stringify({ ...record, extra: 1 }), "extra"],
  ])("refuses %s", (_, text, where) => {
    writeFileSync(join(out, "run.json"), text);
    expect(() => openRunFolder(out)).toThrow(
      expect.objectContaining({
        code: "corrupt-file",
        message: expect.stringMatching(new RegExp(`run\\.json is damaged, foreign.*${where}`)),
      }),
    );
  });
});
