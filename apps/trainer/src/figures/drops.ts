import type { Explainer, Policy } from "@magic-mask/core";
import { dropCurve, type Interval, type StatemaskFidelity, statemaskFidelity } from "@magic-mask/metrics";
import type { LoadedRun } from "../load-run.ts";
import type { Resample } from "./scores.ts";

/** What blinding a share of an agent's decisions costs. */
export interface DropRow {
  readonly agent: string;
  readonly order: "top" | "random" | "bottom";
  /** q asked for, in (0, 1). */
  readonly share: number;
  /** As a share of the return range. */
  readonly drop: Interval;
  /** q as it was. */
  readonly budget: number;
  /** The realised budget is further than half a percentage point from the one asked for: more episodes are needed. */
  readonly missed: boolean;
}

/** StateMask's fidelity of an agent's explainer. */
export interface StatemaskRow extends StatemaskFidelity {
  readonly agent: string;
  readonly explainer: string;
}

/** q of the curve. */
export const CURVE = [0.01, 0.02, 0.05, 0.1, 0.2] as const;
/** How far a realised budget may be from the one asked for. */
const BUDGET_TOLERANCE = 0.005;

type Judged = Pick<LoadedRun, "config" | "world">;

/**
 * Reward drops of one agent at these budgets, spent on what its explainer scores highest, at random, and lowest.
 *
 * @param range of the agent's returns, where the world declares none (`rangeOf`)
 * @param onProgress told after each of the three
 */
export function dropsOf(
  { config, world }: Judged,
  policies: readonly Policy[],
  agent: number,
  explainer: Explainer,
  range: number | undefined,
  shares: readonly number[],
  seedOf: (...key: (string | number)[]) => number,
  onProgress: () => void = () => {},
): DropRow[] {
  const { dropEpisodes } = config.evaluation;
  return (["top", "random", "bottom"] as const).flatMap((order) => {
    const curve = dropCurve({
      make: world.make,
      policies,
      agent,
      perturbation: world.perturbations[agent],
      explainer,
      shares,
      order,
      episodes: dropEpisodes,
      calibrationEpisodes: 2 * dropEpisodes,
      seed: seedOf("drop", agent),
      ...(range !== undefined && { range }),
    });
    onProgress();
    return curve.map(({ drop, budget }, k) => {
      const missed = Math.abs(budget - shares[k]) > BUDGET_TOLERANCE;
      return { agent: world.spec.agents[agent], order, share: shares[k], drop, budget, missed };
    });
  });
}

/** StateMask's fidelity of one agent's explainer, beside its floor and random windows. */
export function statemaskOf(
  { config, world }: Judged,
  policies: readonly Policy[],
  agent: number,
  explainer: Explainer,
  range: number | undefined,
  seedOf: (...key: (string | number)[]) => number,
  { draws }: Resample,
): StatemaskRow {
  const fidelity = statemaskFidelity({
    make: world.make,
    policies,
    agent,
    perturbation: world.perturbations[agent],
    explainer,
    episodes: config.evaluation.episodes,
    seed: seedOf("statemask", agent),
    draws,
    ...(range !== undefined && { range }),
  });
  return { agent: world.spec.agents[agent], explainer: explainer.name, ...fidelity };
}
