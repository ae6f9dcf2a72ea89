import { mkdirSync, mkdtempSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "@jest/globals";
import { makeFolder } from "./folder.ts";

const folder = mkdtempSync(join(tmpdir(), "magic-mask-folder-"));

it("creates what is missing, and leaves alone what is there", () => {
  const path = join(folder, "a/b/c");
  expect(makeFolder("x", path)).toBe(path);
  expect(statSync(path).isDirectory()).toBe(true);
  writeFileSync(join(path, "kept"), "");
  makeFolder("x", path);
  expect(statSync(join(path, "kept")).size).toBe(0);
});

it("says what stands in its way, and comes back where there can be no folder", () => {
  writeFileSync(join(folder, "file"), "");
  mkdirSync(join(folder, "d"));
  for (const path of [join(folder, "file"), join(folder, "file/below"), "/proc/no/such"]) {
    expect(() => makeFolder("trainer/x", path)).toThrow(
      expect.objectContaining({ code: "io", message: expect.stringContaining(`[trainer/x] cannot create ${path}`) }),
    );
  }
});
