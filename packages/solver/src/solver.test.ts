import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { KERNEL } from "./kernel.generated.ts";
import { COLUMNS, isOpen, isWon, parsePosition, play, positionAfter, ROWS, stonesOf } from "./position.ts";
import { differenceAt, parseSolvedPositions } from "./solved-positions.ts";
import { solver } from "./solver.ts";
import { games } from "./test-games.ts";

const SMALL = 1024 * 1024;
const perfect = solver({ tableBytes: SMALL });

/** Plain alpha-beta over an array of cells: another way to write down the same rules. */
function plainScore(columns: readonly number[]): number {
  const board = Array.from({ length: COLUMNS }, () => [] as number[]);
  columns.forEach((column, ply) => {
    board[column].push(ply % 2);
  });
  const count = (column: number, row: number, side: number, dx: number, dy: number): number =>
    board[column]?.[row] === side ? 1 + count(column + dx, row + dy, side, dx, dy) : 0;
  const makesFour = (column: number, side: number) => {
    const row = board[column].length - 1;
    return [
      [1, 0],
      [0, 1],
      [1, 1],
      [1, -1],
    ].some(([dx, dy]) => count(column, row, side, dx, dy) + count(column, row, side, -dx, -dy) - 1 >= 4);
  };
  const search = (ply: number, alpha: number, beta: number): number => {
    if (ply === ROWS * COLUMNS) return 0;
    let best = -99;
    for (let column = 0; column < COLUMNS && best < beta; column++) {
      if (board[column].length === ROWS) continue;
      board[column].push(ply % 2);
      // A win with this stone leaves the side ⌊(41 − ply) / 2⌋ stones: it was its last but that many.
      const score = makesFour(column, ply % 2)
        ? Math.floor((41 - ply) / 2) + 1
        : -search(ply + 1, -beta, -Math.max(alpha, best));
      board[column].pop();
      best = Math.max(best, score);
    }
    return best;
  };
  return search(columns.length, -99, 99) + 0;
}

describe("solver", () => {
  it("agrees with others on solved positions, in every move's score", () => {
    const file = new URL("../fixtures/positions.txt.gz", import.meta.url);
    const positions = parseSolvedPositions(gunzipSync(readFileSync(file)).toString("utf8"));
    expect(positions.length).toBe(800);
    const sample = positions.filter((_, i) => i % 20 === 7);
    expect(sample.flatMap((each) => differenceAt(perfect, each) ?? [])).toEqual([]);
  });

  it("agrees with plain alpha-beta where at most 10 cells are empty", () => {
    fc.assert(
      fc.property(games({ min: 32, max: 41 }), (columns) => {
        expect(perfect.score(positionAfter(columns))).toBe(plainScore(columns));
      }),
      { numRuns: 150, seed: 1 },
    );
  });

  it("counts a win by the winner's stones that are left", () => {
    // Three in the bottom row: the fourth is the first player's 4th stone of 21, so 17 are left behind it.
    expect(perfect.moveScore(parsePosition("112233"), 3)).toBe(18);
    // The second player must lose to its 4th stone: two open ends.
    expect(perfect.score(parsePosition("33445"))).toBe(-18);
  });

  it("scores a position as the best of its moves, and a move as the position after it does, the other way round", () => {
    fc.assert(
      fc.property(games({ min: 24, max: 41 }), (columns) => {
        const position = positionAfter(columns);
        const scores = perfect.moveScores(position);
        const expected = Array.from(scores.keys(), (column) => {
          if (!isOpen(position, column)) return Number.NaN;
          const next = play(position, column);
          if (isWon(next)) return Math.floor((43 - columns.length) / 2);
          return stonesOf(next) === 42 ? 0 : 0 - perfect.score(next);
        });
        expect([...scores]).toEqual(expected);
        expect(perfect.score(position)).toBe(Math.max(...scores.filter((score) => !Number.isNaN(score))));
      }),
      { numRuns: 100, seed: 2 },
    );
  });

  it("scores a position as its mirror image", () => {
    fc.assert(
      fc.property(games({ min: 22, max: 41 }), (columns) => {
        const mirrored = positionAfter(columns.map((column) => COLUMNS - 1 - column));
        expect(perfect.score(positionAfter(columns))).toBe(perfect.score(mirrored));
      }),
      { numRuns: 100, seed: 3 },
    );
  });

  it("gives as value the sign of the score", () => {
    // A table of its own, or it would know the scores already.
    const signs = solver({ tableBytes: SMALL });
    fc.assert(
      fc.property(games({ min: 24, max: 41 }), (columns) => {
        const position = positionAfter(columns);
        expect(signs.value(position)).toBe(Math.sign(perfect.score(position)));
        expect(signs.moveValues(position)).toEqual(perfect.moveScores(position).map(Math.sign));
      }),
      { numRuns: 100, seed: 4 },
    );
  });

  it("gives the same with the least table, and remembers what took long", () => {
    const position = parsePosition("2171661372765722");
    const least = solver({ tableBytes: 65_536 });
    expect([...least.moveScores(position)]).toEqual([-10, -10, -9, 13, -1, -9, -10]);
    const first = least.nodes;
    least.moveScores(parsePosition("13152313357737"));
    least.moveScores(parsePosition("44444335355777"));
    const before = least.nodes;
    expect(before).toBeGreaterThan(5 * first);
    least.moveScores(position);
    expect(least.nodes - before).toBeLessThan(100);
  });

  it("refuses games that are over, tables of no size, and columns that are none", () => {
    const won = parsePosition("1212121");
    const code = (wanted: string) => expect.objectContaining({ code: wanted });
    for (const ask of [perfect.score, perfect.value, perfect.moveScores, perfect.moveValues]) {
      expect(() => ask(won)).toThrow(code("out-of-order"));
    }
    expect(() => perfect.moveScore(parsePosition("1"), 7)).toThrow(code("invalid-option"));
    for (const tableBytes of [0, 65_535, 2 ** 31 + 1, Number.NaN]) {
      expect(() => solver({ tableBytes })).toThrow(code("invalid-option"));
    }
  });

  it("has a kernel that browsers compile at once", () => {
    expect(atob(KERNEL).length).toBeLessThan(8192);
  });
});
