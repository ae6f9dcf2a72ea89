import { checkCount, type Environment, MagicMaskError } from "@magic-mask/core";
import { lineGame, type OpenActions } from "./line-game.ts";
import { refuseUnknown } from "./options.ts";

/** The usual board. */
export const CONNECT_FOUR = { rows: 6, columns: 7, inARow: 4 } as const;
/** The longest side of a board, so that a cell's number and the lines through it fit their tables. */
const LONGEST = 15;
/** The longest line; see `markWins`. */
const LONGEST_LINE = 8;

export interface ConnectFourOptions {
  /** 2 to 15. */
  readonly rows?: number;
  /** 2 to 15. */
  readonly columns?: number;
  /** Stones in a line that win, 2 to 8, and no more than the longer side of the board has room for. */
  readonly inARow?: number;
  /** What is seen of the board; see below. */
  readonly observation?: "planes" | "threats";
}

/**
 * Connect Four, as PettingZoo 1.27.0 plays `connect_four_v3`, on its board of 6 × 7 or on another one.
 *
 * Agents: `player_0` moves first, `player_1` second. No chance.
 * Observation, `planes`: [rows, columns, 2] (84 numbers on 6 × 7) in C order, row 0 at the top: own stones, other's stones.
 *   `threats`: [rows, columns, 4]: own stones, other's stones, own winning cells, other's winning cells. A winning cell
 *   is an empty one where that side would have `inARow` in a line, whether it can be reached now or not.
 * Action: 0 … columns − 1, the column; legal while its top cell is empty.
 * Reward and end: +1 / −1 on the move that makes `inARow` in a line, 0 / 0 when the board is full; never truncated.
 *
 * @throws invalid-option, unknown-key
 */
export function connectFour({
  rows = CONNECT_FOUR.rows,
  columns = CONNECT_FOUR.columns,
  inARow = CONNECT_FOUR.inARow,
  observation = "planes",
  ...unknown
}: ConnectFourOptions = {}): Environment & OpenActions {
  const source = "environments/connect-four";
  refuseUnknown(source, unknown);
  if (observation !== "planes" && observation !== "threats") {
    throw new MagicMaskError(
      "invalid-option",
      source,
      `observation must be "planes" or "threats", got "${observation}"`,
    );
  }
  checkBoard(source, rows, columns, inARow);
  return lineGame({
    id: "connect_four_v0",
    agents: ["player_0", "player_1"],
    rows,
    columns,
    inARow,
    gravity: true,
    labels: Array.from({ length: columns }, (_, column) => `column-${column}`),
    threats: observation === "threats",
  });
}

/** @throws invalid-option */
export function checkBoard(source: string, rows: number, columns: number, inARow: number): void {
  checkCount(source, "rows", rows, 2, LONGEST);
  checkCount(source, "columns", columns, 2, LONGEST);
  checkCount(source, "inARow", inARow, 2, Math.min(LONGEST_LINE, Math.max(rows, columns)));
}
