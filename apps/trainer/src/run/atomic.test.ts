import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { MagicMaskError } from "@magic-mask/core";
import { disk, refused, writeFileAtomic } from "./atomic.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "magic-mask-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("writeFileAtomic", () => {
  it("creates and replaces, and leaves nothing else behind", async () => {
    const file = join(folder, "a");
    await writeFileAtomic(file, "one");
    await writeFileAtomic(file, Uint8Array.of(116, 119, 111));
    expect(readFileSync(file, "utf8")).toBe("two");
    expect(readdirSync(folder)).toEqual(["a"]);
  });

  it("keeps the old bytes where any operation fails", async () => {
    const file = join(folder, "a");
    writeFileSync(file, "old");
    for (const operation of ["write", "sync", "rename"] as const) {
      const full = () => Promise.reject(Object.assign(new Error("ENOSPC: no space left"), { code: "ENOSPC" }));
      const writing = writeFileAtomic(file, "new", { ...disk, [operation]: full });
      const message = `[trainer/atomic] cannot write ${file}: ENOSPC: no space left; free some disk space`;
      await expect(writing).rejects.toMatchObject({ code: "io", message });
      expect(readFileSync(file, "utf8")).toBe("old");
    }
  });

  it("says what the system refused", async () => {
    await expect(writeFileAtomic(join(folder, "none", "a"), "x")).rejects.toMatchObject({
      code: "io",
      message: expect.stringMatching(/ENOENT.*; check the path$/),
      cause: expect.objectContaining({ code: "ENOENT" }),
    });
  });

  // The superuser may write anywhere, and Windows knows no such mode.
  const guarded = process.getuid !== undefined && process.getuid() !== 0;
  (guarded ? it : it.skip)("cannot write into a read-only folder", async () => {
    const closed = join(folder, "closed");
    mkdirSync(closed);
    chmodSync(closed, 0o500);
    await expect(writeFileAtomic(join(closed, "a"), "x")).rejects.toMatchObject({
      code: "io",
      message: expect.stringMatching(/EACCES.*permission/),
    });
  });
});

describe("refused", () => {
  it("hands our own errors back", () => {
    const ours = new MagicMaskError("corrupt-file", "a/b", "c");
    expect(refused("x/y", "do it", ours)).toBe(ours);
  });
});
