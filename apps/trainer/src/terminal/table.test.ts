import { describe, expect, it } from "@jest/globals";
import { formatInterval, formatNumber, formatTable, visibleWidth } from "./table.ts";

describe("formatTable", () => {
  it("aligns words left, numbers and intervals right, and ends no line in a space", () => {
    const rows = [
      ["magic-mask", 12, { estimate: 0.834, low: 0.79, high: 0.8651 }],
      ["uniform", 7.5, { estimate: Number.NaN, low: 0, high: 1 }],
      ["x", Number.NaN, { estimate: -0.5, low: -1, high: 0 }],
    ];
    expect(formatTable(rows, ["mask", "n", "fidelity"]).split("\n")).toEqual([
      "mask           n           fidelity",
      "magic-mask    12  0.83 [0.79, 0.87]",
      "uniform     7.50                n/a",
      "x            n/a      -0.50 [-1, 0]",
    ]);
  });

  it("does without a header and without rows", () => {
    expect(
      formatTable([
        ["a", "b"],
        ["long", "c"],
      ]),
    ).toBe("a     b\nlong  c");
    expect(formatTable([], ["a", "b"])).toBe("a  b");
    expect(formatTable([])).toBe("");
  });

  it("colours the header only where colours are wanted, and the columns stay where they are", () => {
    const plain = formatTable([["aa", 1]], ["n", "value"], false);
    expect(plain).toBe("n   value\naa      1");
    expect(formatTable([["aa", 1]], ["n", "value"], true)).toBe("\x1b[1mn   value\x1b[22m\naa      1");
    expect(
      formatTable([
        ["\x1b[31mred\x1b[39m", "x"],
        ["plain", "y"],
      ]),
    ).toBe("\x1b[31mred\x1b[39m    x\nplain  y");
  });

  it("goes by what is seen", () => {
    expect(["abc", "−0.5", "e\u0301", "日本", "🙂", "↔", "\x1b[1mb\x1b[22m"].map(visibleWidth)).toEqual([
      3, 4, 1, 4, 2, 1, 1,
    ]);
  });
});

describe("numbers", () => {
  it("keep two decimals, or two digits where small", () => {
    expect([0, 3, -2, 0.5, 12.345, 0.0123, -0.02, 0.0949, 0.0951, 3.2e-7].map(formatNumber)).toEqual([
      "0",
      "3",
      "-2",
      "0.50",
      "12.35",
      "0.012",
      "-0.02",
      "0.095",
      "0.10",
      "3.2e-7",
    ]);
    expect([Number.NaN, Number.POSITIVE_INFINITY].map(formatNumber)).toEqual(["n/a", "Infinity"]);
  });

  it("come with their interval", () => {
    expect(formatInterval({ estimate: 0.83, low: 0.79, high: 0.87 })).toBe("0.83 [0.79, 0.87]");
    expect(formatInterval({ estimate: 0.5, low: Number.NaN, high: Number.NaN })).toBe("0.50 [n/a, n/a]");
  });
});
