import type { Environment } from "@magic-mask/core";
import { lineGame, type OpenActions } from "./line-game.ts";
import { refuseUnknown } from "./options.ts";

/**
 * Tic-Tac-Toe, as PettingZoo 1.27.0 plays `tictactoe_v3`.
 *
 * Agents: `player_1` moves first, `player_2` second (PettingZoo counts from 1 here). No chance.
 * Observation: [3, 3, 2] = 18 numbers in C order: own stones, other's stones.
 * Action: 0 … 8, the cell ⌊i / 3⌋, i mod 3, row by row (PettingZoo's own picture runs down the columns; its arrays do not);
 *   legal while the cell is empty.
 * Reward and end: +1 / −1 on the move that makes three in a line, 0 / 0 when the board is full; never truncated.
 *
 * @throws unknown-key: there are no options
 */
export function ticTacToe(options: Readonly<Record<string, never>> = {}): Environment & OpenActions {
  refuseUnknown("environments/tic-tac-toe", options);
  return lineGame({
    id: "tictactoe_v0",
    agents: ["player_1", "player_2"],
    rows: 3,
    columns: 3,
    inARow: 3,
    gravity: false,
    labels: ["top-left", "top", "top-right", "left", "centre", "right", "bottom-left", "bottom", "bottom-right"],
    threats: false,
  });
}
