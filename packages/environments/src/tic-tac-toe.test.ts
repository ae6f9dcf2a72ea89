import { describe, expect, it } from "@jest/globals";
import { ticTacToe } from "./tic-tac-toe.ts";

const start = (...cells: number[]) => {
  const game = ticTacToe();
  game.reset(0);
  for (const cell of cells) game.step(new Float32Array(2).fill(cell));
  return game;
};

describe("ticTacToe", () => {
  it("counts each of the eight lines", () => {
    const lines = [
      [0, 1, 2],
      [3, 4, 5],
      [6, 7, 8],
      [0, 3, 6],
      [1, 4, 7],
      [2, 5, 8],
      [0, 4, 8],
      [2, 4, 6],
    ];
    for (const [a, b, c] of lines) {
      const [x, y] = [0, 1, 2, 3, 4, 5, 6, 7, 8].filter((cell) => ![a, b, c].includes(cell));
      const game = start(a, x, b, y, c);
      expect([...game.rewards, ...game.terminated]).toEqual([1, -1, 1, 1]);
    }
  });

  it("has no other lines: every full game without one is a draw, and 255,168 games end as they should", () => {
    // The counts are those of the full game tree: 131,184 won by the first, 77,904 by the second, 46,080 drawn.
    const game = ticTacToe();
    const actions = new Float32Array(2);
    const ends = { first: 0, second: 0, draw: 0 };
    const snapshots = Array.from({ length: 10 }, () => new Uint8Array(game.snapshotBytes));
    const visit = (depth: number) => {
      if (game.terminated[0]) {
        ends[game.rewards[0] > 0 ? "first" : game.rewards[0] < 0 ? "second" : "draw"]++;
        return;
      }
      const mask = new Uint8Array(9);
      game.legal(depth % 2, mask, 0);
      game.snapshot(snapshots[depth], 0);
      for (let cell = 0; cell < 9; cell++) {
        if (!mask[cell]) continue;
        game.restore(snapshots[depth], 0);
        game.step(actions.fill(cell));
        visit(depth + 1);
      }
    };
    game.reset(0);
    visit(0);
    expect(ends).toEqual({ first: 131184, second: 77904, draw: 46080 });
  });

  it("takes a line on the last empty cell for a win, not a draw", () => {
    // X: 0 1 5 6, then 2 makes the top row (0 1 2); O: 3 4 7 8.
    const game = start(0, 3, 1, 4, 5, 7, 6, 8);
    expect(Array.from(game.terminated)).toEqual([0, 0]);
    game.step(new Float32Array(2).fill(2));
    expect(Array.from(game.rewards)).toEqual([1, -1]);
  });

  it("numbers its cells row by row", () => {
    expect(start(1, 3).render()).toBe("· ● ·\n○ · ·\n· · ·\n● player_1 to move");
    expect(start().actionSpaces[0]).toMatchObject({ n: 9, labels: expect.arrayContaining(["centre"]) });
  });
});
