import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { disk, type Files } from "./atomic.ts";
import { hasCheckpoint, loadCheckpoint, saveCheckpoint } from "./checkpoint.ts";
import { seal } from "./sealed-json.ts";

let run: string;
beforeEach(() => {
  run = mkdtempSync(join(tmpdir(), "magic-mask-"));
});
afterEach(() => rmSync(run, { recursive: true }));

/** Tests need not wait for the disk. */
const quick: Files = { ...disk, sync: async () => {}, syncFolder: async () => {} };
const save = (step: number, tree: unknown, best = false) => saveCheckpoint(run, step, tree, best, quick);
const at = (...parts: string[]) => join(run, "checkpoints", ...parts);
const names = () => readdirSync(at()).sort();
const treeOf = (mark: number) => ({
  mark,
  learner: { parameters: Float32Array.of(mark, Number.NaN), signature: Int8Array.of(-mark) },
});
const damage = (...texts: (string | RegExp)[]) =>
  texts.map((text) => expect.objectContaining({ code: "corrupt-file", message: expect.stringMatching(text) }));

describe("checkpoint", () => {
  it("comes back as it was when save was called", async () => {
    const tree = treeOf(5);
    const saved = saveCheckpoint(run, 5, tree);
    tree.learner.parameters.fill(99);
    await saved;
    expect(await loadCheckpoint(run)).toEqual({ step: 5, tree: treeOf(5) });
  });

  it("keeps the two newest, by the order of saving", async () => {
    for (const step of [0, 100, 200, 300]) await save(step, treeOf(step));
    expect(names()).toEqual(["latest.json", "step_200", "step_300"]);
    expect(await loadCheckpoint(run, 200)).toEqual({ step: 200, tree: treeOf(200) });
    // A run that went back to step 200 and on from there.
    await save(250, treeOf(250));
    expect(names()).toEqual(["latest.json", "step_250", "step_300"]);
    await save(260, treeOf(260));
    expect(names()).toEqual(["latest.json", "step_250", "step_260"]);
    await save(260, treeOf(1));
    expect(names()).toEqual(["latest.json", "step_250", "step_260"]);
    expect((await loadCheckpoint(run)).tree).toEqual(treeOf(1));
  });

  it("keeps an intact one rather than a newer damaged one", async () => {
    for (const step of [1, 2]) await save(step, treeOf(step));
    truncateSync(at("step_2", "state.safetensors"), 20);
    await save(3, treeOf(3));
    expect(names()).toEqual(["latest.json", "step_1", "step_3"]);
  });

  it("leaves what is not its own alone", async () => {
    await save(1, treeOf(1));
    writeFileSync(at("notes.tmp"), "mine");
    await save(2, treeOf(2));
    await save(3, treeOf(3));
    expect(names()).toEqual(["latest.json", "notes.tmp", "step_2", "step_3"]);
  });

  it("refuses a step that is no count and a tree that cannot be saved, before it writes", async () => {
    for (const step of [-1, 1.5, Number.NaN]) {
      await expect(save(step, {})).rejects.toMatchObject({ code: "invalid-option" });
    }
    await expect(save(1, { a: undefined })).rejects.toMatchObject({ code: "unsupported" });
    expect(readdirSync(run)).toEqual([]);
  });

  it("is told apart from a success where the folder cannot be made", async () => {
    writeFileSync(at(), "a file in its place");
    await expect(save(1, treeOf(1))).rejects.toMatchObject({
      code: "io",
      message: expect.stringMatching(/EEXIST|ENOTDIR/),
    });
    await expect(loadCheckpoint(run)).rejects.toMatchObject({ code: "io" });
    await expect(hasCheckpoint(run)).rejects.toMatchObject({ code: "io" });
  });
});

describe("loading", () => {
  it("says what there is where there is no such checkpoint", async () => {
    await expect(loadCheckpoint(run)).rejects.toMatchObject({
      code: "io",
      message: expect.stringMatching(/no checkpoint in .*none/),
    });
    for (const step of [1, 2]) await save(step, treeOf(step));
    await expect(loadCheckpoint(run, 7)).rejects.toMatchObject({
      code: "io",
      message: expect.stringMatching(/step 7 in .*: 2, 1/),
    });
  });

  it("notices a flip of any one bit", async () => {
    for (const step of [10, 30]) await save(step, treeOf(step));
    const files = ["latest.json", "step_30/state.json", "step_30/state.safetensors"];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...files), fc.nat(), fc.nat(7), async (file, position, bit) => {
        const bytes = readFileSync(at(file));
        const flipped = Buffer.from(bytes);
        flipped[position % bytes.length] ^= 1 << bit;
        writeFileSync(at(file), flipped);
        const other = file === "latest.json" ? 30 : 10;
        const error = await loadCheckpoint(run).then(
          () => "loaded",
          (reason) => reason,
        );
        writeFileSync(at(file), bytes);
        expect([error]).toEqual(damage(`${file} .*step ${other} is intact`));
      }),
      { numRuns: 200 },
    );
    expect((await loadCheckpoint(run)).step).toBe(30);
  });

  it.each<[string, RegExp, () => void]>([
    [
      "a truncated tensor file",
      /safetensors should have \d+ bytes and has 20;.*step 1 is intact/,
      () => truncateSync(at("step_2", "state.safetensors"), 20),
    ],
    ["a longer tensor file", /bytes and has/, () => appendFileSync(at("step_2", "state.safetensors"), " ")],
    [
      "a truncated state",
      /state\.json is damaged: line 1 should be/,
      () => truncateSync(at("step_2", "state.json"), 90),
    ],
    ["a longer state", /state\.json is damaged/, () => appendFileSync(at("step_2", "state.json"), " ")],
    ["an empty state", /state\.json is damaged or not one of ours/, () => truncateSync(at("step_2", "state.json"), 0)],
    [
      "a missing tensor file",
      /state\.safetensors is missing;.*step 1 is intact/,
      () => rmSync(at("step_2", "state.safetensors")),
    ],
    ["a missing state", /state\.json is missing/, () => rmSync(at("step_2", "state.json"))],
    ["a missing folder", /step_2.*state\.json is missing/, () => rmSync(at("step_2"), { recursive: true })],
    ["a missing pointer", /latest\.json is missing;.*step 2 is intact/, () => rmSync(at("latest.json"))],
    [
      "foreign JSON",
      /not one of ours: line 1 should be .* and is \{"a":1\}/,
      () => writeFileSync(at("step_2", "state.json"), '{"a":1}'),
    ],
    [
      "tensors of another step",
      /SHA-256 should be/,
      () => cpSync(at("step_1", "state.safetensors"), at("step_2", "state.safetensors")),
    ],
    [
      "a renamed folder",
      /should hold step 2 and holds step 1/,
      () => {
        rmSync(at("step_2"), { recursive: true });
        renameSync(at("step_1"), at("step_2"));
      },
    ],
    [
      "another version",
      /version 2 and is magic-mask-checkpoint version 1; use the release/,
      () => {
        writeFileSync(at("step_2", "state.json"), seal({ format: "magic-mask-checkpoint", version: 1 }));
      },
    ],
  ])("refuses %s", async (_, message, spoil) => {
    for (const step of [1, 2]) await save(step, treeOf(step));
    spoil();
    await expect(loadCheckpoint(run)).rejects.toEqual(damage(message)[0]);
  });

  it("says when no checkpoint is intact", async () => {
    await save(1, treeOf(1));
    truncateSync(at("step_1", "state.json"), 90);
    await expect(loadCheckpoint(run)).rejects.toEqual(damage(/no other checkpoint is intact$/)[0]);
  });

  it("keeps the best checkpoint, whatever comes after it", async () => {
    await save(1, treeOf(1));
    await save(2, treeOf(2), true);
    for (const step of [3, 4, 5]) await save(step, treeOf(step));
    expect(names()).toEqual(["best.json", "latest.json", "step_2", "step_4", "step_5"]);
    expect((await loadCheckpoint(run, "best")).step).toBe(2);
    expect((await loadCheckpoint(run)).step).toBe(5);
    await save(6, treeOf(6), true);
    expect(names()).toEqual(["best.json", "latest.json", "step_5", "step_6"]);
  });
});
