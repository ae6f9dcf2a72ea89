import { type Environment, MagicMaskError } from "@magic-mask/core";
import { lineGame, type OpenActions } from "./line-game.ts";
import { refuseUnknown } from "./options.ts";

/** Rows, columns and stones in a line that win. */
export const CONNECT_FOUR = { rows: 6, columns: 7, inARow: 4 } as const;

export interface ConnectFourOptions {
  /** What is seen of the board; see below. */
  readonly observation?: "planes" | "threats";
}

/**
 * Connect Four, as PettingZoo 1.27.0 plays `connect_four_v3`.
 *
 * Agents: `player_0` moves first, `player_1` second. No chance.
 * Observation, `planes`: [6, 7, 2] = 84 numbers in C order, row 0 at the top: own stones, other's stones.
 *   `threats`: [6, 7, 4] = 168 numbers: own stones, other's stones, own winning cells, other's winning cells. A winning cell
 *   is an empty one where that side would have four in a line, whether it can be reached now or not.
 * Action: 0 … 6, the column; legal while its top cell is empty.
 * Reward and end: +1 / −1 on the move that makes four in a line, 0 / 0 when the board is full; never truncated.
 *
 * @throws invalid-option, unknown-key
 */
export function connectFour({
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
  return lineGame({
    id: "connect_four_v0",
    agents: ["player_0", "player_1"],
    ...CONNECT_FOUR,
    gravity: true,
    labels: Array.from({ length: CONNECT_FOUR.columns }, (_, column) => `column-${column}`),
    threats: observation === "threats",
  });
}
