import { MagicMaskError } from "@magic-mask/core";
import type { Gate } from "./gated-policy.ts";

/** What came of playing with a gate. */
export interface GateTrial {
  /** [n] scores of all decisions met. */
  readonly scores: readonly number[];
  /** How many of them were blinded. */
  readonly blinded: number;
}

/** Blinds nothing. */
const OPEN: Gate = { threshold: Number.POSITIVE_INFINITY, ties: 0 };
/** Half of what the realised budget may miss: the rest is for the difference between calibration and evaluation. */
const TOLERANCE = 0.0025;
const ROUNDS = 20;

/**
 * Finds the gate that blinds the share q of decisions *while it is in use*: blinding changes which states are visited,
 * so the quantile of the unperturbed scores misses.
 *
 * Scores of unperturbed play and of play behind their own quantile are pooled; a position in that ranking (0 blinds
 * none, 1 all) is a gate, and the position whose realised budget is q is bracketed and found by turns of interpolation
 * and halving. Stops within 0.25 percentage points of q, else after 20 trials with the nearest.
 *
 * @param trial plays with a gate; equal gates must give equal results
 * @param share q in (0, 1)
 * @throws invalid-option if nothing was decided
 */
export function calibrateGate(trial: (gate: Gate) => GateTrial, share: number): Gate {
  const { scores } = trial(OPEN);
  if (scores.length === 0) {
    throw new MagicMaskError(
      "invalid-option",
      "metrics/calibrate-gate",
      "the agent made no decision; raise the number of episodes",
    );
  }
  let ranking = Float64Array.from(scores).sort().reverse();
  let low = { position: 0, budget: 0 };
  let high = { position: 1, budget: 1 };
  let position = share;
  let nearest = { gate: OPEN, miss: Number.POSITIVE_INFINITY };
  for (let round = 0; round < ROUNDS; round++) {
    const gate = gateAt(ranking, position);
    const result = trial(gate);
    const budget = result.blinded / result.scores.length;
    const miss = Math.abs(budget - share);
    if (miss < nearest.miss) nearest = { gate, miss };
    if (miss <= TOLERANCE) break;
    if (round === 0) {
      // The states behind a gate may score unlike any before: from here on they are in the ranking.
      ranking = Float64Array.from([...scores, ...result.scores])
        .sort()
        .reverse();
      continue;
    }
    if (budget < share) low = { position, budget };
    else high = { position, budget };
    const weight = round % 2 ? (share - low.budget) / (high.budget - low.budget) : 0.5;
    position = low.position + weight * (high.position - low.position);
  }
  return nearest.gate;
}

/** The gate that blinds the share `position` of `ranking`. @param ranking [n] scores in descending order */
function gateAt(ranking: Float64Array, position: number): Gate {
  const n = ranking.length;
  const threshold = ranking[Math.min(n - 1, Math.floor(position * n))];
  const above = ranking.indexOf(threshold);
  const tied = ranking.lastIndexOf(threshold) + 1 - above;
  return { threshold, ties: (position * n - above) / tied };
}
