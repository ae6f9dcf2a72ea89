import { checkCount, type DecisionBatch, MagicMaskError } from "@magic-mask/core";
import { bestOf } from "./perfect-policy.ts";
import { COLUMNS, type Observation, observationSize, positionSeen, stonesOf } from "./position.ts";
import type { Solver } from "./solver.ts";

export interface ExactCriticalityOptions {
  readonly solver: Solver;
  /** S decisions of `connect_four_v0` on the board of 6 × 7. */
  readonly decisions: DecisionBatch;
  /** What that world shows; `planes` by default. */
  readonly observation?: Observation;
  /** [S × 7] ln π; that of `perfectPolicy` by default. */
  readonly policy?: Float32Array;
  /** [S × 7] ln ν; uniform over the legal moves by default. */
  readonly perturbation?: Float32Array;
  /** 0 to 42: decisions with fewer stones on the board are left out; 8 by default. Each stone fewer takes about twice as long. */
  readonly fromPly?: number;
  /** The decisions from `first` on, `count` of them, so that work can be split. All by default. */
  readonly first?: number;
  readonly count?: number;
}

/** Plain data, as `Truth` is: for judging explanations, never for making them. */
export interface ExactCriticality {
  /** [count] Δ in [−2, 2], for perfect play in [0, 2]; NaN where left out. */
  readonly criticality: Float64Array;
  /** [count × 7] the value of each move, −1, 0 or 1; NaN where it is illegal, or the decision left out. */
  readonly values: Float64Array;
}

/**
 * What is at stake in decisions of Connect 4 under perfect play of both sides from the next move on:
 *
 *   Δ(s) = Σ_a (π − ν)(a∣s)·value(s, a)
 *
 * By default π is perfect and ν uniform: the best value minus the mean over legal moves. Branching truth reads its π and ν from
 * float32 rows: for the same numbers, to rounding, pass the states' own rows.
 *
 * @throws invalid-option; shape-mismatch; unknown-name
 */
export function exactCriticality(options: ExactCriticalityOptions): ExactCriticality {
  const { solver, decisions, policy, perturbation, observation = "planes", fromPly = 8, first = 0 } = options;
  const { count = decisions.count - first } = options;
  checkCount(SOURCE, "fromPly", fromPly, 0, 42);
  checkCount(SOURCE, "first", first, 0);
  checkCount(SOURCE, "count", count, 0, decisions.count - first);
  const D = observationSize(observation);
  for (const [name, rows] of Object.entries({ policy, perturbation })) {
    if (!rows || rows.length >= decisions.count * COLUMNS) continue;
    const wanted = `[${decisions.count} × ${COLUMNS}]`;
    throw new MagicMaskError("shape-mismatch", SOURCE, `${name} must be ${wanted}, got ${rows.length} numbers`);
  }

  const criticality = new Float64Array(count).fill(Number.NaN);
  const values = new Float64Array(count * COLUMNS).fill(Number.NaN);
  for (let s = 0; s < count; s++) {
    const position = positionSeen(decisions.observations, (first + s) * D, observation);
    if (stonesOf(position) < fromPly) continue;
    const moves = solver.moveValues(position);
    values.set(moves, s * COLUMNS);
    const at = (first + s) * COLUMNS;
    if (!policy && !perturbation) {
      criticality[s] = stakesOf(moves);
      continue;
    }
    const pi = policy ? probabilities(moves, policy, at) : uniformOver(moves, bestOf(moves));
    const nu = perturbation ? probabilities(moves, perturbation, at) : uniformOver(moves, -1);
    // π − ν sums to 0, so values may be taken against any one of them: rows in single precision then leave no rounding.
    const base = moves.find((value) => !Number.isNaN(value)) as number;
    criticality[s] = moves.reduce((sum, v, a) => (Number.isNaN(v) ? sum : sum + (pi[a] - nu[a]) * (v - base)), 0);
  }
  return { criticality, values };
}

const SOURCE = "solver/exact-criticality";

/** The best value minus the mean over legal moves: (k·best − Σ values) / k, rounded once, so that equal stakes are equal numbers. */
export function stakesOf(moves: Float64Array): number {
  const legal = moves.filter((value) => !Number.isNaN(value));
  return (legal.length * bestOf(moves) - legal.reduce((sum, value) => sum + value, 0)) / legal.length;
}

/** [7] e to the row from `offset` on; 0 where a move is illegal. */
const probabilities = (moves: Float64Array, row: Float32Array, offset: number) =>
  moves.map((value, a) => (Number.isNaN(value) ? 0 : Math.exp(row[offset + a])));

/** [7] alike for the moves of at least that value. */
function uniformOver(moves: Float64Array, least: number): Float64Array {
  const count = moves.filter((value) => value >= least).length;
  return moves.map((value) => (value >= least ? 1 / count : 0));
}
