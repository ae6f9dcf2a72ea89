import { checkCount } from "@magic-mask/core";
import { stakesOf } from "./exact-criticality.ts";
import { bestOf } from "./perfect-policy.ts";
import { parsePosition } from "./position.ts";
import type { Solver } from "./solver.ts";

/** What was at stake in one move of a game, under perfect play from the next one on. */
export interface LabelledMove {
  /** Stones on the board before it. */
  readonly ply: number;
  /** 0 to 6. */
  readonly column: number;
  /** [7] the value of each move for who is to move, −1, 0 or 1; NaN where it is illegal. Null where left out. */
  readonly values: readonly number[] | null;
  /** Δ in [0, 2]: the best value minus the mean over legal moves, as `exactCriticality`. Null where left out. */
  readonly criticality: number | null;
  /** What the move gave away, in [0, 2]: the best value minus its own. Null where left out. */
  readonly loss: number | null;
}

export interface LabelGameOptions {
  readonly solver: Solver;
  /** The game: a digit a move, columns 1 to 7. */
  readonly moves: string;
  /** 0 to 42: moves with fewer stones on the board before them are left out; 8 by default. Each stone fewer takes about twice as long. */
  readonly fromPly?: number;
  /** Told how many moves are labelled. */
  readonly onProgress?: (done: number) => void;
}

/** Labels every move of a game. @throws as `parsePosition`; invalid-option */
export function labelGame({ solver, moves, fromPly = 8, onProgress }: LabelGameOptions): LabelledMove[] {
  checkCount(SOURCE, "fromPly", fromPly, 0, 42);
  // All of it is looked at before the first move is searched.
  parsePosition(moves);
  return Array.from(moves, (digit, ply) => {
    onProgress?.(ply);
    const column = Number(digit) - 1;
    if (ply < fromPly) return { ply, column, values: null, criticality: null, loss: null };
    const position = parsePosition(moves.slice(0, ply));
    const values = solver.moveValues(position);
    return {
      ply,
      column,
      values: Array.from(values),
      criticality: stakesOf(values),
      loss: bestOf(values) - values[column],
    };
  });
}

const SOURCE = "solver/label-game";
