import { type States, takeStates } from "@magic-mask/metrics";
import { exactCriticality, type Observation, solver } from "@magic-mask/solver";
import type { Config } from "./config.ts";
import { createProgress } from "./terminal/progress.ts";

/** What is exactly at stake, under perfect play, in those of an agent's decisions that could be solved. */
export interface ExactTruth {
  /** The K decisions that were solved. */
  readonly states: States;
  /** [K] best minus mean value of a move, in [0, 2]. */
  readonly criticality: Float64Array;
  /** [K] 0: it is exact. */
  readonly standardError: Float64Array;
  /** Decisions left out: too few stones were on the board. */
  readonly early: number;
}

/** The board that is solved, and what the world plays on by default. */
const USUAL: Readonly<Record<string, number>> = { rows: 6, columns: 7, inARow: 4 };

/**
 * Exact truth of each agent's decisions; of none where the world is not Connect 4 on its usual board.
 *
 * @param states [N]
 */
export function exactTruths({ environment, evaluation }: Config, states: readonly States[]): ExactTruth[] {
  const { id, options } = environment;
  const isUsual = Object.entries(USUAL).every(([name, value]) => (options[name] ?? value) === value);
  if (id !== "connect_four_v0" || !isUsual) return [];

  const perfect = solver();
  const { observation = "planes" } = options as { observation?: Observation };
  const total = states.reduce((sum, { count }) => sum + count, 0);
  const progress = createProgress({ label: "solve", total, unit: "decisions" });
  let done = 0;
  const truths = states.map((all) => {
    const rows: number[] = [];
    const solved: number[] = [];
    for (let row = 0; row < all.count; row++) {
      const options = { solver: perfect, decisions: all.decisions, observation, fromPly: evaluation.exactFrom };
      const [delta] = exactCriticality({ ...options, first: row, count: 1 }).criticality;
      if (!Number.isNaN(delta)) {
        rows.push(row);
        solved.push(delta);
      }
      progress.update(++done);
    }
    return {
      states: takeStates(all, rows),
      criticality: Float64Array.from(solved),
      standardError: new Float64Array(rows.length),
      early: all.count - rows.length,
    };
  });
  progress.done(`solved ${truths.reduce((sum, { states: { count } }) => sum + count, 0)} of ${total} decisions`);
  return truths;
}
