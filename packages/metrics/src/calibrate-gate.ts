import { MagicMaskError } from "@magic-mask/core";
import type { Gate } from "./gated-policy.ts";
import { descending, gateAt } from "./ranked-gates.ts";

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
 * and halving. Stops within 0.25 percentage points of q (and a tenth of it), else after 20 trials with the nearest.
 *
 * @param trial plays with a gate; equal gates must give equal results
 * @param share q in (0, 1)
 * @throws invalid-option if nothing was decided
 */
export const calibrateGate = (trial: (gate: Gate) => GateTrial, share: number): Gate =>
  calibrateGates(trial, [share])[0];

/**
 * As `calibrateGate`, for several shares: play without blinding is tried once, and what a trial shows of one share brackets the
 * others.
 *
 * @param shares [K] each in (0, 1), ascending
 * @returns [K]
 */
export function calibrateGates(trial: (gate: Gate) => GateTrial, shares: readonly number[]): Gate[] {
  const { scores } = trial(OPEN);
  if (scores.length === 0) {
    throw new MagicMaskError(
      "invalid-option",
      "metrics/calibrate-gate",
      "the agent made no decision; raise the number of episodes",
    );
  }
  // The states behind a gate may score unlike any before: they belong into the ranking.
  const unblinded = descending(scores);
  const quantiles = shares.map((share) => {
    const gate = gateAt(unblinded, share);
    return { gate, result: trial(gate) };
  });
  const ranking = descending([...scores, ...quantiles.flatMap(({ result }) => result.scores)]);
  /** Positions in the ranking that were tried, ascending, with their budgets. */
  const tried = [
    { position: 0, budget: 0 },
    { position: 1, budget: 1 },
  ];

  const find = (share: number, k: number): Gate => {
    const tolerance = Math.min(TOLERANCE, share / 10);
    let nearest = { gate: OPEN, miss: Number.POSITIVE_INFINITY };
    const consider = (gate: Gate, { blinded, scores: met }: GateTrial) => {
      const budget = blinded / met.length;
      const miss = Math.abs(budget - share);
      if (miss < nearest.miss) nearest = { gate, miss };
      return budget;
    };
    consider(quantiles[k].gate, quantiles[k].result);
    for (let round = 1; round < ROUNDS && nearest.miss > tolerance; round++) {
      const above = tried.findIndex(({ budget }) => budget >= share);
      const [low, high] = [tried[above - 1], tried[above]];
      const weight = round % 2 ? (share - low.budget) / (high.budget - low.budget) : 0.5;
      const position = low.position + weight * (high.position - low.position);
      const gate = gateAt(ranking, position);
      const budget = consider(gate, trial(gate));
      // Budgets need not rise with the position everywhere; the bracket follows this share.
      tried.splice(above, 0, { position, budget: Math.min(Math.max(budget, low.budget), high.budget) });
    }
    return nearest.gate;
  };
  return shares.map(find);
}
