import { MagicMaskError } from "@magic-mask/core";
import { COLUMNS, parsePosition } from "./position.ts";
import type { Solver } from "./solver.ts";

/** A position with the scores that somebody else found for it. */
export interface SolvedPosition {
  /** Digits 1 to 7. */
  readonly moves: string;
  readonly score: number;
  /** [7] NaN where the column is full. */
  readonly moveScores: readonly number[];
}

/**
 * Reads lines `moves score s1 … s7`: the columns played, 1 to 7, the position's score, and that of each move, `x` where
 * the column is full.
 *
 * @throws corrupt-file, naming the line
 */
export function parseSolvedPositions(text: string): SolvedPosition[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "");
  if (lines.length === 0) throw new MagicMaskError("corrupt-file", SOURCE, "there is no position in it");
  return lines.map((line, i) => {
    if (!/^[1-7]+ -?\d+( (x|-?\d+)){7}$/.test(line.trim())) {
      const wanted = 'wanted "moves score s1 … s7"';
      throw new MagicMaskError("corrupt-file", SOURCE, `position ${i + 1}: ${wanted}, got "${line.slice(0, 80)}"`);
    }
    const [moves, ...scores] = line.trim().split(" ");
    const [score, ...moveScores] = scores.map((entry) => (entry === "x" ? Number.NaN : Number(entry)));
    return { moves, score, moveScores };
  });
}

/** What differs, as text; undefined where all eight scores agree. @throws as `parsePosition` and `solver` do */
export function differenceAt(solver: Solver, { moves, score, moveScores }: SolvedPosition): string | undefined {
  const position = parsePosition(moves);
  const [own, theirs] = [
    [solver.score(position), ...solver.moveScores(position)],
    [score, ...moveScores],
  ];
  for (let i = 0; i <= COLUMNS; i++) {
    if (Object.is(own[i], theirs[i])) continue;
    const what = i === 0 ? "the score" : `the score of column ${i}`;
    return `${moves}: ${what} is ${own[i]} here, ${theirs[i]} there`;
  }
  return undefined;
}

const SOURCE = "solver/solved-positions";
