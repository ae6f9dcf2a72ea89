import { execFileSync } from "node:child_process";
import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { commandTyped, quoted } from "./typed.ts";

describe("a command as it was typed", () => {
  it("is read back by a shell as it was", () => {
    const word = fc.string({ unit: fc.constantFrom(..."ab1 >$'\"\\*;&|=,:/-".split("")), minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), (words) => {
        const echoed = execFileSync("sh", ["-c", `printf '%s\\n' ${words.map(quoted).join(" ")}`], {
          encoding: "utf8",
        });
        expect(echoed).toBe(words.map((each) => `${each}\n`).join(""));
      }),
      { numRuns: 25 },
    );
    expect(commandTyped(["study", "transfer", "--axis", "environment=connect_four_v0:6x7>5x6"])).toBe(
      "magic-mask study transfer --axis 'environment=connect_four_v0:6x7>5x6'",
    );
  });

  it("tells no password", () => {
    for (const words of [
      ["study", "main", "--redis-password", "hidden", "--quick"],
      ["study", "main", "--redis-password=hidden", "--quick"],
    ])
      expect(commandTyped(words)).toBe("magic-mask study main --quick");
    expect(commandTyped(["--redis", "redis://me:hidden@host:6379/1"])).toBe(
      "magic-mask --redis redis://me@host:6379/1",
    );
    expect(commandTyped(["--redis=redis://me:hid@den@host"])).toBe("magic-mask --redis=redis://me@host");
    expect(commandTyped(["--redis=rediss://:hid:den@host"])).toBe("magic-mask --redis=rediss://@host");
    expect(commandTyped(["--redis", "redis://host:6379"])).toBe("magic-mask --redis redis://host:6379");
  });
});
