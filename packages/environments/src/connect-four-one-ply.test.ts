import { describe, expect, it } from "@jest/globals";
import { boxSize, episodeReturn, ILLEGAL, type Policy, play } from "@magic-mask/core";
import { connectFour } from "./connect-four.ts";
import { connectFourOnePly } from "./connect-four-one-ply.ts";
import { withRandomOpening } from "./random-opening.ts";

/** Probabilities of the seven columns after `moves`, read from both observations, which must agree. */
function probabilities(...moves: number[]): number[] {
  const [planes, threats] = (["planes", "threats"] as const).map((observation) => {
    const game = connectFour({ observation });
    game.reset(0);
    for (const move of moves) game.step(new Float32Array(2).fill(move));
    const agent = game.acting.indexOf(1);
    const batch = {
      count: 1,
      observations: new Float32Array(boxSize(game.observationSpaces[agent])),
      legal: new Uint8Array(7),
    };
    game.observe(agent, batch.observations, 0);
    game.legal(agent, batch.legal, 0);
    const row = new Float32Array(7);
    const values = new Float32Array(1).fill(9);
    connectFourOnePly({ observation }).evaluate(batch, row, values);
    expect(values[0]).toBe(0);
    return Array.from(row, (x) => (x === ILLEGAL ? 0 : Math.exp(x)));
  });
  expect(threats).toEqual(planes);
  return planes;
}

const uniform: Policy = {
  evaluate({ count, legal }, parameters, values) {
    values.fill(0, 0, count);
    for (let row = 0; row < count; row++) {
      const open = legal.subarray(row * 7, row * 7 + 7);
      const ways = open.reduce((sum, bit) => sum + bit, 0);
      open.forEach((bit, a) => {
        parameters[row * 7 + a] = bit ? -Math.log(ways) : ILLEGAL;
      });
    }
  },
};

describe("connectFourOnePly", () => {
  it("plays anything at first, each column with probability 1/7", () => {
    for (const p of probabilities()) expect(p).toBeCloseTo(1 / 7, 6);
  });

  it("wins where it can, even if it must also block", () => {
    // player_0 has three on column 0 and player_1 three on column 1: player_0 moves and wins.
    expect(probabilities(0, 1, 0, 1, 0, 1)).toEqual([1, 0, 0, 0, 0, 0, 0]);
  });

  it("blocks where the other would win", () => {
    expect(probabilities(0, 1, 0, 1, 0)).toEqual([1, 0, 0, 0, 0, 0, 0]);
  });

  it("shares between two winning columns", () => {
    // player_0 owns 2, 3, 4 on the bottom row, with both ends open, and player_1 has stones above them.
    const p = probabilities(2, 2, 3, 3, 4, 4);
    [0, 0.5, 0, 0, 0, 0.5, 0].forEach((wanted, column) => {
      expect(p[column]).toBeCloseTo(wanted, 6);
    });
  });

  it("takes no column for a win whose winning cell still hangs in the air", () => {
    // player_0 owns 1, 2, 3 on the second row; its ends are 0 and 4 on the second row, above empty cells.
    const p = probabilities(2, 1, 1, 3, 3, 6, 2, 6);
    for (const x of p) expect(x).toBeCloseTo(1 / 7, 6);
  });

  it("beats random play in nearly every game, from either chair", () => {
    const make = withRandomOpening(connectFour, 2);
    for (const agent of [0, 1]) {
      const policies = agent === 0 ? [connectFourOnePly(), uniform] : [uniform, connectFourOnePly()];
      const episodes = play({ make, policies, episodes: 200, seed: 3 });
      const mean = episodes.reduce((sum, episode) => sum + episodeReturn(episode, agent), 0) / 200;
      expect(mean).toBeGreaterThan(0.6);
    }
  });

  it("refuses a mask of zeros", () => {
    const batch = { count: 1, observations: new Float32Array(84), legal: new Uint8Array(7) };
    expect(() => connectFourOnePly().evaluate(batch, new Float32Array(7), new Float32Array(1))).toThrow(
      expect.objectContaining({ code: "no-legal-action" }),
    );
  });

  it("wins and blocks on other boards, and refuses what is too short for its own", () => {
    const options = { rows: 5, columns: 8, inARow: 3 };
    const game = connectFour(options);
    game.reset(0);
    const policy = connectFourOnePly(options);
    const batch = { count: 1, observations: new Float32Array(80), legal: new Uint8Array(8) };
    const row = new Float32Array(8);
    const choice = () => {
      const agent = game.acting.indexOf(1);
      game.observe(agent, batch.observations, 0);
      game.legal(agent, batch.legal, 0);
      policy.evaluate(batch, row, new Float32Array(1));
      return Array.from(row, (x) => (x === ILLEGAL ? 0 : Math.exp(x)));
    };
    // player_0 stands on 6 and 7 of the bottom row: player_1 blocks on 5.
    for (const move of [6, 6, 7]) game.step(new Float32Array(2).fill(move));
    expect(choice()).toEqual([0, 0, 0, 0, 0, 1, 0, 0]);
    for (const move of [1, 0, 1, 0]) game.step(new Float32Array(2).fill(move));
    // Now player_1 has two up column 1 and wins there, though 5 is still open.
    expect(choice()).toEqual([0, 1, 0, 0, 0, 0, 0, 0]);
    expect(() => connectFourOnePly().evaluate(batch, row, new Float32Array(1))).toThrow(
      expect.objectContaining({ code: "shape-mismatch" }),
    );
    // 7 × 6 has as many cells as 6 × 7, and one column fewer.
    const turned = { count: 1, observations: new Float32Array(84), legal: new Uint8Array(6) };
    expect(() => connectFourOnePly().evaluate(turned, row, new Float32Array(1))).toThrow(
      expect.objectContaining({ code: "shape-mismatch" }),
    );
    expect(() => connectFourOnePly({ rows: 1 })).toThrow(expect.objectContaining({ code: "invalid-option" }));
  });
});
