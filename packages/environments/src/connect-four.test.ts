import { describe, expect, it } from "@jest/globals";
import { type Environment, isOver, maskWidth, stream } from "@magic-mask/core";
import fc from "fast-check";
import { type ConnectFourOptions, connectFour } from "./connect-four.ts";
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
  const out = new Uint8Array(maskWidth(game.actionSpaces[agent]));
  game.legal(agent, out, 0);
  return Array.from(out);
};

/** An independent and slow referee: columns are strings from the bottom up, and a win is a run found in text. */
function referee(rows = 6, width = 7, inARow = 4) {
  const columns: string[] = Array(width).fill("");
  const fromTop = Array.from({ length: rows }, (_, row) => rows - 1 - row);
  const at = (row: number, column: number) => columns[column]?.[row] ?? "·";
  const text = () => {
    const lines: string[] = [];
    for (let row = 0; row < rows; row++) lines.push(columns.map((_, c) => at(row, c)).join(""));
    for (let c = 0; c < width; c++) lines.push(columns[c]);
    for (let d = -width; d < rows + width; d++) {
      lines.push(columns.map((_, c) => at(d - c, c)).join(""));
      lines.push(columns.map((_, c) => at(d - width + c, c)).join(""));
    }
    return lines.join("|");
  };
  return {
    open: () => columns.map((column) => Number(column.length < rows)),
    drop: (column: number, side: string) => {
      columns[column] += side;
    },
    wins: (side: string) => text().includes(side.repeat(inARow)),
    full: () => columns.every((column) => column.length === rows),
    /** Own and other's stones, top row first. */
    planes: (own: string, other: string) =>
      fromTop.flatMap((row) => columns.flatMap((_, c) => [at(row, c) === own ? 1 : 0, at(row, c) === other ? 1 : 0])),
    /** Cells where a stone out of thin air would win. */
    winningCells: (side: string) =>
      fromTop.flatMap((row) =>
        columns.map((column, c) => {
          if (row < column.length) return 0;
          // Spaces hold the stone up; they belong to nobody.
          columns[c] = column.padEnd(row, " ") + side;
          const wins = Number(text().includes(side.repeat(inARow)));
          columns[c] = column;
          return wins;
        }),
      ),
  };
}

describe("connectFour", () => {
  it.each([
    [6, 7, 4],
    [5, 6, 4],
    [8, 9, 5],
  ])(
    "agrees with an independent referee on every column of random games on %d × %d with %d in a row",
    (rows, columns, inARow) => {
      const moves = { minLength: rows * columns, maxLength: 2 * rows * columns };
      fc.assert(
        fc.property(fc.array(fc.nat(columns - 1), moves), (wishes) => {
          const game = connectFour({ rows, columns, inARow });
          game.reset(0);
          const judge = referee(rows, columns, inARow);
          const ours: string[] = [];
          const theirs: string[] = [];
          for (const wish of wishes) {
            const mover = game.acting.indexOf(1);
            const side = "XO"[mover];
            ours.push(`${legal(game, mover)} ${legal(game, 1 - mover)}`);
            theirs.push(`${judge.open()} ${Array(columns).fill(0)}`);
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
        { numRuns: 20 },
      );
    },
  );

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

  describe("on other boards", () => {
    const on = (options: ConnectFourOptions, ...moves: number[]) => {
      const game = connectFour(options);
      game.reset(0);
      for (const move of moves) play(game, move);
      return game;
    };

    it("has as many lines as can be counted by hand", () => {
      // 5 × 6, four: across 5 × 3, down 2 × 6, on each diagonal 2 × 3: 15 + 12 + 6 + 6.
      expect(linesOf(5, 6, 4).length / 4).toBe(39);
      // 8 × 9, five: across 8 × 5, down 4 × 9, on each diagonal 4 × 5: 40 + 36 + 20 + 20.
      expect(linesOf(8, 9, 5).length / 5).toBe(116);
    });

    it("has as many columns as asked for, each as high", () => {
      const game = on({ rows: 5, columns: 6 }, 5, 5, 5, 5, 5);
      expect(game.observationSpaces[1].shape).toEqual([5, 6, 2]);
      const mask = new Uint8Array(6);
      expect([game.legal(1, mask, 0), ...mask]).toEqual([5, 1, 1, 1, 1, 1, 0]);
      expect(() => play(game, 5)).toThrow(expect.objectContaining({ code: "illegal-action" }));
      expect(() => play(game, 6)).toThrow(expect.objectContaining({ code: "illegal-action" }));
    });

    it("stacks from its own bottom row", () => {
      // Cell (4, 2) of 5 × 6 is number 4 × 6 + 2 = 26.
      expect(seen(on({ rows: 5, columns: 6 }, 2), 0).indexOf(1)).toBe(26 * 2);
    });

    it("is won by as many in a row as asked for and no fewer", () => {
      const five = { rows: 8, columns: 9, inARow: 5 };
      const four = on(five, 8, 0, 8, 0, 8, 0, 8, 0);
      expect(isOver(four)).toBe(false);
      play(four, 8);
      expect([...four.rewards]).toEqual([1, -1]);
      const three = on({ rows: 3, columns: 3, inARow: 3 }, 0, 1, 0, 1);
      expect(isOver(three)).toBe(false);
      play(three, 0);
      expect([...three.rewards]).toEqual([1, -1]);
    });

    it("is drawn when it is full without a line", () => {
      // Only the two rows of 2 × 4 are lines of four: one side may own the lower one, or each row gets both colours.
      expect([...on({ rows: 2, columns: 4 }, 0, 0, 1, 1, 2, 2, 3).rewards]).toEqual([1, -1]);
      const drawn = on({ rows: 2, columns: 4 }, 0, 0, 2, 1, 1, 2, 3, 3);
      expect([...drawn.rewards, ...drawn.terminated]).toEqual([0, 0, 1, 1]);
    });

    it("marks winning cells where one more would make as many as asked for", () => {
      const game = on({ rows: 3, columns: 3, inARow: 3, observation: "threats" }, 0, 2, 1, 2);
      // player_0 has (2, 0) and (2, 1) and would win on (2, 2), which is taken; player_1 has (2, 2) and (1, 2) and wins on (0, 2).
      const planes = seen(game, 0);
      const marked = (plane: number) =>
        Array.from({ length: 9 }, (_, cell) => cell).filter((cell) => planes[4 * cell + plane]);
      expect([marked(2), marked(3)]).toEqual([[], [2]]);
    });

    it("counts eight in a row on the largest board, and marks the cell that would make them", () => {
      const game = on({ rows: 15, columns: 15, inARow: 8, observation: "threats" });
      for (let k = 0; k < 7; k++) {
        play(game, k + 7);
        play(game, k % 2);
      }
      const planes = seen(game, 0);
      const marked = Array.from({ length: 225 }, (_, cell) => cell).filter((cell) => planes[4 * cell + 2]);
      // Row 14, columns 6 and 14.
      expect(marked).toEqual([216, 224]);
      play(game, 14);
      expect([...game.rewards]).toEqual([1, -1]);
    });

    it("numbers its columns by their last digit", () => {
      expect(on({ columns: 12 }).render().split("\n")[0]).toBe("0 1 2 3 4 5 6 7 8 9 0 1");
    });
  });

  it("draws a disc for each cell, and rings on the stones that won", () => {
    const circles = (game: Environment) => game.svg?.().match(/<circle/g)?.length;
    // 42 cells and one beside the words; four rings more after a win.
    expect(circles(start(0, 1))).toBe(43);
    expect(circles(start(0, 1, 0, 1, 0, 1, 0))).toBe(47);
  });
});
