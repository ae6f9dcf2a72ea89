import { type LabelledMove, labelGame, parsePosition, solver } from "@magic-mask/solver";
import { createProgress } from "./terminal/progress.ts";
import { formatTable } from "./terminal/table.ts";

/** Perfect play of Connect 4 after some moves. +k: the side to move wins with its k-th last stone; −k: the other does. */
export interface Solution {
  /** Digits 1 to 7. */
  readonly moves: string;
  /** That of the best move. */
  readonly score: number;
  /** [7] by column; NaN where it is full. */
  readonly moveScores: readonly number[];
}

/** @throws as `parsePosition`; out-of-order if the game is over */
export function solveMoves(moves: string): Solution {
  const position = parsePosition(moves);
  const perfect = solver();
  const progress = createProgress({ label: "solve", total: 7, unit: "columns" });
  if (moves.length < 8)
    console.error("with fewer than 8 stones on the board this takes minutes to hours; Ctrl-C ends it");
  const moveScores = Array.from({ length: 7 }, (_, column) => {
    progress.update(column);
    return perfect.moveScore(position, column);
  });
  progress.done(`searched ${perfect.nodes} positions`);
  return { moves, score: Math.max(...moveScores.filter((score) => !Number.isNaN(score))), moveScores };
}

export function formatSolution({ moves, score, moveScores }: Solution): string {
  const whose = moves.length % 2 === 0 ? "player_0" : "player_1";
  const table = formatTable(
    moveScores.map((each, i) => [`column ${i + 1}${each === score ? " (best)" : ""}`, each]),
    ["move", "score"],
  );
  return `${table}\n${whose} is to move. +k: it wins with its k-th last stone of 21; −k: the other player does; 0: a draw.`;
}

/** A whole game, move by move. @throws as `labelGame` */
export function solveGame(moves: string): readonly LabelledMove[] {
  const progress = createProgress({ label: "solve", total: moves.length, unit: "moves" });
  const labelled = labelGame({ solver: solver(), moves, onProgress: (done) => progress.update(done) });
  progress.done(`labelled ${labelled.filter(({ values }) => values).length} of ${moves.length} moves`);
  return labelled;
}

export function formatGame(labelled: readonly LabelledMove[]): string {
  const rows = labelled.map(({ ply, column, values, criticality, loss }) => [
    `${ply + 1}`,
    `player_${ply % 2}`,
    `${column + 1}`,
    values ? values[column] : "",
    criticality ?? "left out",
    loss ?? "",
  ]);
  const table = formatTable(rows, ["move", "by", "column", "its value", "at stake", "given away"]);
  return `${table}\nUnder perfect play from the next move on: 1 a win for who moves, 0 a draw, −1 a loss. At stake: the best move's value less the mean over legal moves. Moves with fewer than 8 stones on the board before them are left out.`;
}
