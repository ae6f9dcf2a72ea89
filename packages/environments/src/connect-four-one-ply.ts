import { ILLEGAL, MagicMaskError, type Policy } from "@magic-mask/core";
import { CONNECT_FOUR, type ConnectFourOptions, checkBoard } from "./connect-four.ts";
import { linesOf, markWins } from "./line-game.ts";

/**
 * Looks one move ahead in Connect Four: wins at once if it can, else blocks where the other would win at once, else plays
 * any legal column; uniform among equals. Its values are 0.
 *
 * @param options those of the world that it plays in
 * @throws invalid-option; shape-mismatch from `evaluate` if the observations or masks are too short for that board
 */
export function connectFourOnePly({
  rows = CONNECT_FOUR.rows,
  columns = CONNECT_FOUR.columns,
  inARow = CONNECT_FOUR.inARow,
  observation = "planes",
}: ConnectFourOptions = {}): Policy {
  const source = "environments/connect-four-one-ply";
  checkBoard(source, rows, columns, inARow);
  const size = rows * columns;
  const planes = observation === "threats" ? 4 : 2;
  const lines = linesOf(rows, columns, inARow);
  // From the mover's side: 1 = own stone, 2 = the other's.
  const cells = new Uint8Array(size);
  const wins = new Uint8Array(size);
  const rank = new Uint8Array(columns);

  return {
    evaluate({ count, observations, legal }, parameters, values) {
      if (observations.length < count * size * planes || legal.length < count * columns) {
        throw new MagicMaskError(
          "shape-mismatch",
          source,
          `a board of ${rows} × ${columns} needs ${size * planes} observations and ${columns} legal actions for each of ${count} decisions, got ${observations.length} and ${legal.length} in all`,
        );
      }
      values.fill(0, 0, count);
      for (let row = 0; row < count; row++) {
        for (let cell = 0, at = row * size * planes; cell < size; cell++, at += planes) {
          cells[cell] = observations[at] > 0.5 ? 1 : observations[at + 1] > 0.5 ? 2 : 0;
        }
        markWins(cells, lines, inARow, wins);
        // 4 = wins, 2 = blocks, 1 = legal; a column ranks by the best that its landing cell does.
        let best = 0;
        let ties = 0;
        for (let column = 0; column < columns; column++) {
          let cell = size - columns + column;
          while (cell >= 0 && cells[cell] !== 0) cell -= columns;
          const win = wins[cell];
          rank[column] = !legal[row * columns + column] ? 0 : win & 1 ? 4 : win & 2 ? 2 : 1;
          if (rank[column] > best) {
            best = rank[column];
            ties = 0;
          }
          if (rank[column] === best) ties++;
        }
        if (best === 0) {
          throw new MagicMaskError("no-legal-action", source, "the legal-action mask is all zero");
        }
        for (let column = 0; column < columns; column++) {
          parameters[row * columns + column] = rank[column] === best ? -Math.log(ties) : ILLEGAL;
        }
      }
    },
  };
}
