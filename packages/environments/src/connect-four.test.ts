import { describe, expect, it } from "@jest/globals";
import { type Environment, isOver, stream } from "@magic-mask/core";
import fc from "fast-check";
import { connectFour } from "./connect-four.ts";
import { linesOf } from "./line-game.ts";

const start = (...columns: number[]): Environment => {
  const game = connectFour();
  game.reset(0);
  for (const column of columns) play(game, column);
  return game;
};
const play = (game: Environment, action: number) => game.step(new Float32Array(2).fill(action));
const seen = (game: Environment, agent: number) => {
  const out = new Float32Array(game.observationSpaces[agent].shape.reduce((a, b) => a * b));
  game.observe(agent, out, 0);
  return out;
};
const legal = (game: Environment, agent: number) => {
  const out = new Uint8Array(7);
  game.legal(agent, out, 0);
  return Array.from(out);
};

/** An independent and slow referee: columns are strings from the bottom up, and a win is a run found in text. */
function referee() {
  const columns = ["", "", "", "", "", "", ""];
  const at = (row: number, column: number) => columns[column]?.[row] ?? "·";
  const text = () => {
    const lines: string[] = [];
    for (let row = 0; row < 6; row++) lines.push(columns.map((_, c) => at(row, c)).join(""));
    for (let c = 0; c < 7; c++) lines.push(columns[c]);
    for (let d = -6; d < 12; d++) {
      lines.push(columns.map((_, c) => at(d - c, c)).join(""));
      lines.push(columns.map((_, c) => at(d - 6 + c, c)).join(""));
    }
    return lines.join("|");
  };
  return {
    open: () => columns.map((column) => Number(column.length < 6)),
    drop: (column: number, side: string) => {
      columns[column] += side;
    },
    wins: (side: string) => text().includes(side.repeat(4)),
    full: () => columns.every((column) => column.length === 6),
    /** Own and other's stones, top row first. */
    planes: (own: string, other: string) =>
      [5, 4, 3, 2, 1, 0].flatMap((row) =>
        columns.flatMap((_, c) => [at(row, c) === own ? 1 : 0, at(row, c) === other ? 1 : 0]),
      ),
    /** Cells where a stone out of thin air would make four. */
    winningCells: (side: string) =>
      [5, 4, 3, 2, 1, 0].flatMap((row) =>
        columns.map((column, c) => {
          if (row < column.length) return 0;
          // Spaces hold the stone up; they belong to nobody.
          columns[c] = column.padEnd(row, " ") + side;
          const wins = Number(text().includes(side.repeat(4)));
          columns[c] = column;
          return wins;
        }),
      ),
  };
}

describe("connectFour", () => {
  it("agrees with an independent referee on every column of random games", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(6), { minLength: 42, maxLength: 120 }), (wishes) => {
        const game = start();
        const judge = referee();
        const ours: string[] = [];
        const theirs: string[] = [];
        for (const wish of wishes) {
          const mover = game.acting.indexOf(1);
          const side = "XO"[mover];
          ours.push(`${legal(game, mover)} ${legal(game, 1 - mover)}`);
          theirs.push(`${judge.open()} 0,0,0,0,0,0,0`);
          if (!judge.open()[wish]) {
            expect(() => play(game, wish)).toThrow(expect.objectContaining({ code: "illegal-action" }));
            continue;
          }
          play(game, wish);
          judge.drop(wish, side);
          const won = judge.wins(side);
          const pay = !won ? "0,0" : mover === 0 ? "1,-1" : "-1,1";
          ours.push(`${seen(game, 0)} ${seen(game, 1)} ${isOver(game)} ${game.rewards}`);
          theirs.push(`${judge.planes("X", "O")} ${judge.planes("O", "X")} ${won || judge.full()} ${pay}`);
          if (isOver(game)) break;
        }
        expect(ours).toEqual(theirs);
      }),
      { numRuns: 60 },
    );
  });

  it("marks the winning cells that the referee finds by trying each", () => {
    const game = connectFour({ observation: "threats" });
    const choose = stream(2, "threats");
    for (let episode = 0; episode < 12; episode++) {
      const judge = referee();
      game.reset(0);
      while (!isOver(game)) {
        const mover = game.acting.indexOf(1);
        const open = [0, 1, 2, 3, 4, 5, 6].filter((column) => judge.open()[column]);
        const column = open[choose.below(open.length)];
        play(game, column);
        judge.drop(column, "XO"[mover]);
        if (isOver(game)) break;
        for (const [agent, own, other] of [
          [0, "X", "O"],
          [1, "O", "X"],
        ] as const) {
          const planes = seen(game, agent);
          const cells = Array.from({ length: 42 }, (_, cell) => [0, 1, 2, 3].map((k) => planes[4 * cell + k]));
          const stones = judge.planes(own, other);
          const [ownWins, otherWins] = [judge.winningCells(own), judge.winningCells(other)];
          const wanted = cells.map((_, cell) => [
            stones[2 * cell],
            stones[2 * cell + 1],
            ownWins[cell],
            otherWins[cell],
          ]);
          expect(cells.join(" ")).toBe(wanted.join(" "));
        }
      }
    }
  });

  it("has 69 lines of four, and as many through a cell as can be counted by hand", () => {
    // Across 6 rows × 4 starts, down 3 × 7, and on each diagonal 3 × 4: 24 + 21 + 12 + 12 = 69.
    const lines = linesOf(6, 7, 4);
    expect(lines.length / 4).toBe(69);
    // Through the bottom-left corner: one across, one up, one diagonal.
    expect(lines.filter((cell) => cell === 35)).toHaveLength(3);
    // Through the middle of the third row: 4 across, 3 up, 3 on each diagonal.
    expect(lines.filter((cell) => cell === 17)).toHaveLength(13);
  });

  it("stacks stones from the bottom row, and shows each agent its own first", () => {
    const game = start(3, 3);
    // Cell (5, 3), the bottom of column 3, is number 5 × 7 + 3 = 38; the one above it is 31.
    expect(
      Array.from(seen(game, 0).entries())
        .filter(([, x]) => x)
        .map(([i]) => i),
    ).toEqual([31 * 2 + 1, 38 * 2]);
    expect(
      Array.from(seen(game, 1).entries())
        .filter(([, x]) => x)
        .map(([i]) => i),
    ).toEqual([31 * 2, 38 * 2 + 1]);
  });

  it("counts four in a line in each direction, and more than four", () => {
    const wins: Record<string, number[]> = {
      "up a column": [0, 1, 0, 1, 0, 1, 0],
      "along a row": [0, 0, 1, 1, 2, 2, 3],
      rising: [0, 1, 1, 2, 2, 3, 2, 3, 3, 6, 3],
      falling: [3, 2, 2, 1, 1, 0, 1, 0, 0, 6, 0],
      "seven in a row": [0, 0, 1, 1, 2, 2, 4, 4, 5, 5, 6, 6, 3],
    };
    for (const [name, moves] of Object.entries(wins)) {
      const game = start(...moves.slice(0, -1));
      expect([name, isOver(game)]).toEqual([name, false]);
      play(game, moves[moves.length - 1]);
      expect([name, ...game.rewards]).toEqual([name, 1, -1]);
      expect([...game.terminated, ...game.truncated]).toEqual([1, 1, 0, 0]);
    }
  });

  it("ends in a draw on a full board without a line", () => {
    // Columns filled two at a time so that no four meet: each row reads X X O O X X O or its opposite, in pairs of rows.
    const moves = [
      0, 1, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1, 2, 3, 2, 3, 3, 2, 3, 2, 2, 3, 2, 3, 4, 5, 4, 5, 5, 4, 5, 4, 4, 5, 4, 5, 6, 6,
      6, 6, 6, 6,
    ];
    const game = start(...moves);
    expect([...game.terminated, ...game.rewards]).toEqual([1, 1, 0, 0]);
  });

  it("draws itself, with the columns numbered and who is to move", () => {
    expect(start(3, 3, 4).render()).toBe(
      [
        "0 1 2 3 4 5 6",
        ". . . . . . .",
        ". . . . . . .",
        ". . . . . . .",
        ". . . . . . .",
        ". . . o . . .",
        ". . . x x . .",
        "o player_1 to move",
      ]
        .join("\n")
        .replaceAll("x", "●")
        .replaceAll(/o(?= [.p])/g, "○")
        .replaceAll(".", "·"),
    );
    expect(start(0, 1, 0, 1, 0, 1, 0).render()).toMatch(/● player_0 won$/);
  });

  it("says which columns are open when one is not", () => {
    expect(() => play(start(6, 6, 6, 6, 6, 6), 6)).toThrow(
      "[environments/connect_four_v0] player_0 may play column-0, column-1, column-2, column-3, column-4, column-5; got action 6",
    );
  });
});
