import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "@jest/globals";
import { parseSolvedPositions } from "./solved-positions.ts";

const RIGHT = "572114222275723734465137157343453116 3 x x x 3 -3 3 x";
const WRONG = "572114222275723734465137157343453116 3 x x x 3 -3 -3 x";
const code = (wanted: string) => expect.objectContaining({ code: wanted });

it("parseSolvedPositions reads a position a line", () => {
  const none = Number.NaN;
  const moves = "572114222275723734465137157343453116";
  expect(parseSolvedPositions(`${RIGHT}\r\n\n`)).toEqual([
    { moves, score: 3, moveScores: [none, none, none, 3, -3, 3, none] },
  ]);
  for (const text of ["", "12 0 0 0 0", `${RIGHT}\n12x 0 0 0 0 0 0 0 0`]) {
    expect(() => parseSolvedPositions(text)).toThrow(code("corrupt-file"));
  }
});

describe("npm run solve", () => {
  const solve = (...args: string[]) => {
    const program = fileURLToPath(new URL("../bin/solve.ts", import.meta.url));
    const flags = ["--import", "tsx", "--conditions=@magic-mask/source"];
    return spawnSync(process.execPath, [...flags, program, ...args], {
      encoding: "utf8",
      env: { PATH: process.env.PATH },
    });
  };

  it("compares a file's scores, says what differs, and what it took", () => {
    const folder = mkdtempSync(join(tmpdir(), "solve-"));
    try {
      writeFileSync(join(folder, "right.txt.gz"), gzipSync("2171661372765722 13 -10 -10 -9 13 -1 -9 -10"));
      const sound = solve(join(folder, "right.txt.gz"), "--json");
      expect({ status: sound.status, stderr: sound.stderr }).toEqual({ status: 0, stderr: "" });
      expect(JSON.parse(sound.stdout)).toMatchObject({ passed: 1, failed: 0, failures: [] });
      expect(JSON.parse(sound.stdout).nodesPerSecond).toBeGreaterThan(0);
      writeFileSync(join(folder, "wrong.txt"), `${RIGHT}\n${WRONG}\n1111111 0 0 0 0 0 0 0 0\n`);
      const damaged = solve(join(folder, "wrong.txt"));
      expect(damaged.status).toBe(1);
      expect(damaged.stdout).toContain("1 passed, 2 failed");
      expect(damaged.stdout).toContain("the score of column 6 is 3 here, -3 there");
      expect(damaged.stdout).toContain("that column is full");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("says how it is called", () => {
    const wrong = solve("/nowhere/at/all");
    expect([wrong.status, wrong.stdout]).toEqual([2, ""]);
    expect(wrong.stderr).toContain("Usage: npm run solve");
    expect(solve("--help")).toMatchObject({ status: 0, stderr: "" });
  });
});
