import { checkCount, MagicMaskError } from "@magic-mask/core";
import { startKernel } from "./kernel.ts";
import { COLUMNS, isOpen, isWon, type Position, play, ROWS, stonesOf } from "./position.ts";

export interface SolverOptions {
  /**
   * Memory for positions that were searched, bytes: 65,536 to 2³¹, rounded down to a power of two; 64 MiB by default.
   * No effect on results.
   */
  readonly tableBytes?: number;
}

/**
 * Perfect play in Connect 4 on the board of 6 × 7. Every answer is exact.
 *
 * A score says who wins and how soon: +k, the side to move wins with its k-th last stone (of its 21); −k, the other side
 * wins with its k-th last one; 0, a draw. A value is the score's sign, which is found several times sooner.
 *
 * Time falls steeply with the stones on the board: see the package's README. The table keeps what was searched from one
 * question to the next.
 */
export interface Solver {
  /** @throws out-of-order if the game is over */
  score(position: Position): number;
  /** What the side to move gets by a stone in `column`; NaN if it is full. @throws out-of-order if the game is over */
  moveScore(position: Position, column: number): number;
  /** [7] that of each column. @throws out-of-order if the game is over */
  moveScores(position: Position): Float64Array;
  /** −1, 0 or 1. @throws out-of-order if the game is over */
  value(position: Position): number;
  /** [7] the value of each move; NaN where the column is full. @throws out-of-order if the game is over */
  moveValues(position: Position): Float64Array;
  /** Positions searched so far. */
  readonly nodes: number;
}

/** @throws invalid-option; unsupported where WebAssembly with 64-bit integers is missing, or the memory */
export function solver({ tableBytes = 64 * 1024 * 1024 }: SolverOptions = {}): Solver {
  const kernel = startKernel(tableBytes);
  const solve = (position: Position, signOnly: boolean) => {
    requireOpenGame(position);
    const score = kernel.solve(position.own, position.all, signOnly ? 1 : 0);
    return signOnly ? Math.sign(score) : score;
  };
  const solveMove = (position: Position, column: number, signOnly: boolean) => {
    requireOpenGame(position);
    checkCount("solver", "column", column, 0, COLUMNS - 1);
    if (!isOpen(position, column)) return Number.NaN;
    const next = play(position, column);
    const stones = stonesOf(position);
    if (isWon(next)) return signOnly ? 1 : Math.floor((CELLS + 1 - stones) / 2);
    return stones + 1 === CELLS ? 0 : 0 - solve(next, signOnly);
  };
  const solveMoves = (position: Position, signOnly: boolean) =>
    Float64Array.from({ length: COLUMNS }, (_, column) => solveMove(position, column, signOnly));
  return {
    score: (position) => solve(position, false),
    moveScore: (position, column) => solveMove(position, column, false),
    moveScores: (position) => solveMoves(position, false),
    value: (position) => solve(position, true),
    moveValues: (position) => solveMoves(position, true),
    get nodes() {
      return kernel.nodes();
    },
  };
}

const CELLS = ROWS * COLUMNS;

function requireOpenGame(position: Position) {
  if (!isWon(position) && stonesOf(position) < CELLS) return;
  throw new MagicMaskError("out-of-order", "solver", "wanted a position to move in, but this game is over");
}
