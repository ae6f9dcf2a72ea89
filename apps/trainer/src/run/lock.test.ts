import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { lockRun } from "./lock.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "magic-mask-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const file = () => join(folder, "lock.json");
const heldBy = (who: string | RegExp) => expect.objectContaining({ code: "io", message: expect.stringMatching(who) });
/** What the lock would say if this process held it, changed. */
function plant(change: object) {
  const release = lockRun(folder);
  const mine = JSON.parse(readFileSync(file(), "utf8"));
  release();
  writeFileSync(file(), JSON.stringify({ ...mine, id: "planted", ...change }));
}

describe("lock of a run", () => {
  it("is held by one at a time and given back", () => {
    const release = lockRun(folder);
    expect(() => lockRun(folder)).toThrow(
      heldBy(`process ${process.pid} on .* is writing this run; stop it first, or delete .*lock.json`),
    );
    release();
    expect(readdirSync(folder)).toEqual([]);
    lockRun(folder)();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("stands while its process lives and falls when that is killed", async () => {
    const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
    await once(child, "spawn");
    let started: string | null = null;
    if (existsSync("/proc")) started = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1].split(" ")[19];
    plant({ pid: child.pid, started });
    expect(() => lockRun(folder)).toThrow(heldBy(`process ${child.pid} `));
    child.kill("SIGKILL");
    await once(child, "exit");
    lockRun(folder)();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("is not mistaken for that of a later process with the same number", () => {
    plant({}); // our number, but not from this process's memory: a predecessor's in a container
    lockRun(folder)();
    plant({ pid: process.ppid, started: "1" });
    if (existsSync("/proc")) lockRun(folder)();
  });

  it("stands where another host holds it", () => {
    plant({ host: "elsewhere", pid: 1 });
    expect(() => lockRun(folder)).toThrow(heldBy("process 1 on elsewhere"));
  });

  it("is taken over where a power cut left half of it", () => {
    for (const remains of ["", '{"pid":1', "null"]) {
      writeFileSync(file(), remains);
      lockRun(folder)();
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  it("is not taken from its new holder when given back late", () => {
    const release = lockRun(folder);
    writeFileSync(file(), '"another"');
    release();
    expect(existsSync(file())).toBe(true);
  });

  it("cannot be had where there is no folder", () => {
    expect(() => lockRun(join(folder, "none"))).toThrow(heldBy("ENOENT"));
  });
});
