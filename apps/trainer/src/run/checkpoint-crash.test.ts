import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { disk, type Files } from "./atomic.ts";
import { hasCheckpoint, loadCheckpoint, saveCheckpoint } from "./checkpoint.ts";

let run: string;
beforeEach(() => {
  run = mkdtempSync(join(tmpdir(), "magic-mask-"));
});
afterEach(() => rmSync(run, { recursive: true }));

const checkpoints = () => join(run, "checkpoints");
const treeOf = (mark: number) => ({ mark, parameters: Float32Array.of(mark, Number.NaN) });

interface Change {
  readonly from: string;
  readonly to: string;
  /** Bytes of the file that `to` was before. */
  readonly replaced: Uint8Array | undefined;
}

/** The disk until operation number `last`, which fails (a write: half-way); so do all after it if `forGood`. */
function failing(last: number, forGood: boolean) {
  let count = 0;
  let unsynced: string[] = [];
  let renames: Change[] = [];
  const operation = async (halfWay: () => unknown = () => {}) => {
    const number = count++;
    if (number < last || (number > last && !forGood)) return;
    await halfWay();
    throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
  };
  const files: Files = {
    async makeFolder(path) {
      await operation();
      await disk.makeFolder(path);
    },
    async write(path, data) {
      unsynced.push(path);
      await operation(() => writeFile(path, data.slice(0, data.length / 2)));
      await disk.write(path, data);
    },
    async sync(path) {
      await operation();
      unsynced = unsynced.filter((other) => other !== path);
    },
    async syncFolder(path) {
      await operation();
      renames = renames.filter(({ to }) => dirname(to) !== path);
    },
    async rename(from, to) {
      await operation();
      renames.push({ from, to, replaced: existsSync(to) ? readFileSync(to) : undefined });
      unsynced = unsynced.map((path) => path.replace(from, to));
      await disk.rename(from, to);
    },
    async remove(path) {
      await operation();
      await disk.remove(path);
    },
  };
  /** Takes back what was not synced: bytes, and renames but the newest `kept`. */
  const cutPower = (kept: number) => {
    for (const path of unsynced) if (existsSync(path)) truncateSync(path, Math.floor(statSync(path).size / 3));
    for (const { from, to, replaced } of renames.slice(0, renames.length - kept).reverse()) {
      if (!existsSync(from)) renameSync(to, from);
      if (replaced) writeFileSync(to, replaced);
    }
  };
  return { files, cutPower, ended: () => count <= last };
}

/** Earlier saves need not wait for the disk. */
const save = (step: number) =>
  saveCheckpoint(run, step, treeOf(step), false, { ...disk, sync: async () => {}, syncFolder: async () => {} });

const outcome = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error) => error,
  );

const modes = [
  { mode: "process killed", forGood: true, kept: undefined },
  { mode: "power cut", forGood: true, kept: 0 },
  { mode: "power cut that spares the newest name", forGood: true, kept: 1 },
  { mode: "disk full", forGood: false, kept: undefined },
];
const saves = [
  { what: "a new step", step: 3 },
  { what: "a step that is there already", step: 2 },
];

describe("a save that does not end", () => {
  it.each(modes.flatMap((mode) => saves.map((what) => ({ ...mode, ...what }))))(
    "leaves an intact checkpoint behind: $mode at any operation of saving $what",
    async ({ forGood, kept, step }) => {
      const old = { step: 2, tree: treeOf(2) };
      const fresh = { step, tree: treeOf(30) };
      let failures = 0;
      for (let ended = false; !ended; failures++) {
        rmSync(checkpoints(), { recursive: true, force: true });
        for (const earlier of [1, 2]) await save(earlier);
        const fault = failing(failures, forGood);
        const error = await outcome(saveCheckpoint(run, step, fresh.tree, false, fault.files));
        ended = fault.ended();
        if (kept !== undefined) fault.cutPower(kept);

        const loaded = await loadCheckpoint(run);
        expect([old, fresh]).toContainEqual(loaded);
        if (ended) expect([error, loaded]).toEqual([null, fresh]);
        else
          expect(error).toMatchObject({ code: "io", message: expect.stringMatching(/ENOSPC.*free some disk space/) });

        await save(4);
        expect(await loadCheckpoint(run)).toEqual({ step: 4, tree: treeOf(4) });
        expect(readdirSync(checkpoints()).sort()).toEqual(["latest.json", `step_${loaded.step}`, "step_4"]);
      }
      // At least: two files to write and one to point, each made, synced and renamed into its place.
      expect(failures).toBeGreaterThan(8);
    },
  );

  it("leaves the first checkpoint whole or none, and does not stop a later one", async () => {
    for (let last = 0, ended = false; !ended; last++) {
      rmSync(checkpoints(), { recursive: true, force: true });
      const fault = failing(last, true);
      await outcome(saveCheckpoint(run, 1, treeOf(1), false, fault.files));
      ended = fault.ended();
      if (await hasCheckpoint(run)) expect(await loadCheckpoint(run)).toEqual({ step: 1, tree: treeOf(1) });
      else expect(await outcome(loadCheckpoint(run))).toMatchObject({ code: "io" });
      await save(2);
      expect(await loadCheckpoint(run)).toEqual({ step: 2, tree: treeOf(2) });
    }
  });
});
