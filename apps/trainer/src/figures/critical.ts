import type { Explainer, Policy } from "@magic-mask/core";
import { criticalStates, type Interval, type States, tInterval } from "@magic-mask/metrics";
import type { LoadedRun } from "../load-run.ts";
import { scoresOf } from "./scores.ts";

/** What fresh rollouts say of the decisions that an explainer calls most critical. */
export interface CriticalRow {
  readonly agent: string;
  readonly explainer: string;
  /** Decisions that were tested: those of the highest scores. */
  readonly tested: number;
  /** Of them, those whose blinding costs return, at the false discovery rate. */
  readonly critical: number;
  /** Expected share of mistakes among these, in (0, 1). */
  readonly rate: number;
  /** Fresh rollouts per legal action. */
  readonly rollouts: number;
  /** Mean Δ of all tested, game units, with its 95 % t-interval over them. */
  readonly effect: Interval;
}

const RATE = 0.05;

/**
 * Tests the decisions of highest score, as large a share of the held-out ones as `evaluation.budget`, by rollouts that had no part in
 * the truth.
 */
export function criticalOf(
  { config, world }: Pick<LoadedRun, "config" | "world">,
  policies: readonly Policy[],
  agent: number,
  explainer: Explainer,
  states: States,
  seed: number,
): CriticalRow {
  const { rollouts, budget } = config.evaluation;
  const { scores } = scoresOf(explainer, states);
  const rows = Array.from(scores.keys())
    .sort((a, b) => scores[b] - scores[a] || a - b)
    .slice(0, Math.max(2, Math.round(budget * states.count)));
  const { make } = world;
  const { discount } = config.training;
  const tested = criticalStates({ make, policies, states, rows, rollouts, rate: RATE, seed, discount });
  return {
    agent: world.spec.agents[agent],
    explainer: explainer.name,
    tested: tested.length,
    critical: tested.filter(({ critical }) => critical).length,
    rate: RATE,
    rollouts,
    effect: tInterval(tested.map(({ effect }) => effect.estimate)),
  };
}
