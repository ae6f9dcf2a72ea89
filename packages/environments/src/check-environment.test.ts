import { describe, expect, it } from "@jest/globals";
import type { Environment } from "@magic-mask/core";
import { checkEnvironment } from "./check-environment.ts";
import { connectFour } from "./connect-four.ts";
import { planted } from "./planted.ts";

describe("checkEnvironment", () => {
  it("lets sound worlds pass", () => {
    expect(() => checkEnvironment(connectFour)).not.toThrow();
  });

  it.each<[string, (world: Environment) => Partial<Environment>, string]>([
    ["an ignored end", () => ({ acting: new Uint8Array(2) }), "starts clean"],
    ["an id without a version", () => ({ id: "planted" }), "declares"],
    ["a mask of zeros", () => ({ legal: () => 0 }), "legal action"],
    ["a return out of range", () => ({ returnRange: [0, 0] }), "declared range"],
    [
      "a snapshot that forgets",
      ({ restore }) => ({ restore: (from, offset) => restore(from.slice().fill(0, offset, offset + 8), offset) }),
      "snapshot",
    ],
    [
      "a crash",
      () => ({
        render: () => {
          throw new TypeError("no picture");
        },
      }),
      "no picture",
    ],
  ])("names the law that %s breaks", (_, change, law) => {
    const make = () => {
      const world = planted();
      return { ...world, ...change(world) };
    };
    expect(() => checkEnvironment(make)).toThrow(
      expect.objectContaining({
        code: "law-broken",
        message: expect.stringMatching(new RegExp(`law ".*${law}`)),
      }),
    );
  });
});
