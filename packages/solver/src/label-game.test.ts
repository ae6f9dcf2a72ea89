import { expect, it } from "@jest/globals";
import { labelGame } from "./label-game.ts";
import { solver } from "./solver.ts";

const perfect = solver({ tableBytes: 1024 * 1024 });
// Before the last move columns 4, 5 and 6 are open and win, lose and win: 36 stones.
const GAME = "5721142222757237344651371573434531165";

it("says of every move what was at stake and what it gave away, and leaves out what is too early", () => {
  const labelled = labelGame({ solver: perfect, moves: GAME, fromPly: 34 });
  expect(labelled.map(({ ply, column }) => `${ply}:${column + 1}`).slice(-2)).toEqual(["35:6", "36:5"]);
  expect(
    labelled
      .slice(0, 34)
      .every(({ values, criticality, loss }) => values === null && criticality === null && loss === null),
  ).toBe(true);
  // Column 5 loses where 4 and 6 win: 1 − (1 − 1 + 1) / 3, and 1 − (−1).
  const last = labelled[36];
  expect([last.criticality, last.loss]).toEqual([2 / 3, 2]);
  expect(last.values?.slice(3, 6)).toEqual([1, -1, 1]);
});

it("refuses what is no game before it searches", () => {
  expect(() => labelGame({ solver: perfect, moves: "1111111" })).toThrow(
    expect.objectContaining({ code: "illegal-action" }),
  );
  expect(() => labelGame({ solver: perfect, moves: "18" })).toThrow(
    expect.objectContaining({ code: "invalid-option" }),
  );
  expect(() => labelGame({ solver: perfect, moves: "1", fromPly: 43 })).toThrow("fromPly");
});
