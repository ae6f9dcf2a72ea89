import { describe, expect, it } from "@jest/globals";
import { isOpen, isWon, parsePosition, play, positionAfter, positionSeen, stonesOf } from "./position.ts";

const code = (wanted: string) => expect.objectContaining({ code: wanted });

/** Planes of a picture, the top row first: x are own stones, o the other's. */
const planesOf = (picture: string) =>
  Float32Array.from([...picture.replace(/\s/g, "")].flatMap((cell) => [cell === "x" ? 1 : 0, cell === "o" ? 1 : 0]));

const EMPTY = ".......\n";

describe("positions", () => {
  it("have bit 7c + r for the cell in row r of column c", () => {
    // Columns 0, 0, 6: the second player, who moves, has the second cell of column 0.
    expect(positionAfter([0, 0, 6])).toEqual({ own: 2n, all: 3n | (1n << 42n) });
    expect(parsePosition("117")).toEqual(positionAfter([0, 0, 6]));
    expect(stonesOf(positionAfter([0, 0, 6]))).toBe(3);
  });

  it("know the four directions of a line, none of which runs around the edge", () => {
    expect(isWon(parsePosition("1212121"))).toBe(true);
    expect(isWon(parsePosition("1122334"))).toBe(true);
    expect(isWon(parsePosition("12233434474"))).toBe(true);
    expect(isWon(parsePosition("76655454414"))).toBe(true);
    // The second player's: the top three of column 0 and the lowest of column 1.
    expect(isWon(parsePosition("1111716172"))).toBe(false);
    expect(isWon(parsePosition("112233"))).toBe(false);
  });

  it("fill a column from the bottom, six cells high", () => {
    const five = parsePosition("11112");
    expect(isOpen(parsePosition("1111"), 0)).toBe(true);
    expect(isOpen(parsePosition("111111"), 0)).toBe(false);
    expect(stonesOf(play(five, 0))).toBe(6);
  });

  it("refuse moves that cannot be", () => {
    expect(() => parsePosition("18")).toThrow(code("invalid-option"));
    expect(() => parsePosition("1a")).toThrow(code("invalid-option"));
    expect(() => parsePosition("1 2")).toThrow(code("invalid-option"));
    expect(() => positionAfter([0, 1.5])).toThrow(code("invalid-option"));
    expect(() => parsePosition("1111111")).toThrow(code("illegal-action"));
    expect(() => parsePosition("12121213")).toThrow(code("illegal-action"));
  });
});

describe("positionSeen", () => {
  const board = `${EMPTY.repeat(4)}
    ...o...
    x..xo..`;

  it("reads own stones and the other's, the top row first", () => {
    // Played in the order 4 5 … : columns 3 (x), 4 (o), 0 (x), 3 (o).
    expect(positionSeen(planesOf(board), 0, "planes")).toEqual(parsePosition("4514"));
  });

  it("reads the first two of four planes, from an offset", () => {
    const planes = planesOf(board);
    const threats = new Float32Array(3 + 168).fill(1);
    for (let cell = 0; cell < 42; cell++) threats.set(planes.subarray(2 * cell, 2 * cell + 2), 3 + 4 * cell);
    expect(positionSeen(threats, 3, "threats")).toEqual(parsePosition("4514"));
  });

  it.each([
    ["a stone that floats", `${EMPTY.repeat(4)} ...x... ....o..`],
    ["too many own stones", `${EMPTY.repeat(5)} ...x...`],
    ["too many of the other's", `${EMPTY.repeat(5)} ...o.o.`],
    ["a game that is over", `${EMPTY.repeat(5)} ooooxxx`],
  ])("refuses %s", (_, picture) => {
    expect(() => positionSeen(planesOf(picture), 0, "planes")).toThrow(code("invalid-option"));
  });

  it("refuses numbers that are no stones, and arrays that are too short", () => {
    const half = planesOf(EMPTY.repeat(6));
    half[80] = 0.5;
    expect(() => positionSeen(half, 0, "planes")).toThrow(code("invalid-option"));
    expect(() => positionSeen(planesOf(EMPTY.repeat(6)), 1, "planes")).toThrow(code("shape-mismatch"));
    expect(() => positionSeen(half, 0, "plains" as "planes")).toThrow(code("unknown-name"));
  });
});
