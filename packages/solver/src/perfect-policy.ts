import { ILLEGAL, type Policy } from "@magic-mask/core";
import { COLUMNS, type Observation, observationSize, positionSeen } from "./position.ts";
import type { Solver } from "./solver.ts";

export interface PerfectPolicyOptions {
  readonly solver: Solver;
  /** What the world shows; `planes` by default. */
  readonly observation?: Observation;
}

/**
 * Perfect play of `connect_four_v0` on the board of 6 × 7: uniform over the moves that keep the value of the position, so
 * a player who wins may take its time. V(o) is that value.
 *
 * @returns a policy that throws, when asked, as `positionSeen` does
 * @throws unknown-name
 */
export function perfectPolicy({ solver, observation = "planes" }: PerfectPolicyOptions): Policy {
  const D = observationSize(observation);
  return {
    evaluate({ count, observations }, parameters, values) {
      for (let row = 0; row < count; row++) {
        const moves = solver.moveValues(positionSeen(observations, row * D, observation));
        const best = bestOf(moves);
        const kept = moves.filter((value) => value === best).length;
        for (let a = 0; a < COLUMNS; a++) parameters[row * COLUMNS + a] = moves[a] === best ? -Math.log(kept) : ILLEGAL;
        values[row] = best;
      }
    },
  };
}

/** The highest of the values that are not NaN. */
export const bestOf = (moves: Float64Array): number => Math.max(...moves.filter((value) => !Number.isNaN(value)));
