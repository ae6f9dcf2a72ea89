import { describe, expect, it } from "@jest/globals";
import { box, type Environment, isOver } from "@magic-mask/core";
import { market } from "@magic-mask/core/testing";
import { connectFour } from "./connect-four.ts";
import { planted } from "./planted.ts";
import { withRandomOpening } from "./random-opening.ts";

const opened = (ticks: number, seed: number) => {
  const game = withRandomOpening(connectFour, ticks)();
  game.reset(seed);
  return game;
};
const stones = (game: Environment) => {
  const out = new Float32Array(84);
  game.observe(0, out, 0);
  return out.reduce((sum, x) => sum + x, 0);
};

describe("withRandomOpening", () => {
  it("plays as many ticks as asked, differently by seed and equally for one", () => {
    expect(stones(opened(0, 1))).toBe(0);
    expect(stones(opened(5, 1))).toBe(5);
    expect(opened(5, 1).render()).toBe(opened(5, 1).render());
    expect(new Set([1, 2, 3, 4, 5, 6].map((seed) => opened(5, seed).render())).size).toBe(6);
  });

  it("starts clean even where many random openings end the game", () => {
    // Of 20 random moves about half end a game of Connect Four.
    for (let seed = 0; seed < 50; seed++) {
      const game = opened(20, seed);
      expect([stones(game), isOver(game), ...game.rewards]).toEqual([20, false, 0, 0]);
    }
  });

  it("plays each first column about equally often", () => {
    const counts = new Float64Array(7);
    const game = opened(1, 0);
    const out = new Float32Array(84);
    for (let seed = 0; seed < 700; seed++) {
      game.reset(seed);
      game.observe(0, out, 0);
      counts[(out.indexOf(1) / 2) % 7]++;
    }
    // 700 / 7 = 100, standard deviation √(700 · 1/7 · 6/7) = 9.3; 4 of them = 37.
    for (const count of counts) expect(Math.abs(count - 100)).toBeLessThan(37);
  });

  it("has an id of its own and keeps what the world can do besides", () => {
    const game = opened(4, 1);
    expect([game.id, game.returnRange, game.snapshotBytes]).toEqual(["random_opening_4_connect_four_v0", [-1, 1], 43]);
    expect("openActions" in game).toBe(true);
  });

  it("draws candidates, too", () => {
    const offered = (seed: number) => {
      const world = withRandomOpening(market, 2)();
      world.reset(seed);
      return world.render();
    };
    expect(offered(1)).toMatch(/^tick 2 of 8/);
    expect(offered(1)).toBe(offered(1));
    expect(new Set([1, 2, 3, 4].map(offered)).size).toBe(4);
  });

  it("refuses what it cannot do", () => {
    expect(() => withRandomOpening(connectFour, -1)).toThrow(expect.objectContaining({ code: "invalid-option" }));
    expect(() => withRandomOpening(connectFour, 1.5)).toThrow(expect.objectContaining({ code: "invalid-option" }));
    expect(() => opened(43, 0)).toThrow(expect.objectContaining({ code: "unsupported" }));
    // Luck pays at every tick here, so that no opening is unpaid.
    expect(() => withRandomOpening(planted, 1)().reset(0)).toThrow(expect.objectContaining({ code: "unsupported" }));
    const continuous = () => ({ ...planted(), actionSpaces: [box([1], 0, 1), box([1], 0, 1)] });
    expect(() => withRandomOpening(continuous, 1)()).toThrow(expect.objectContaining({ code: "unsupported" }));
  });
});
