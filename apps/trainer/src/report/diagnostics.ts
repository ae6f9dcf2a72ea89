import {
  below,
  type Diagnostic,
  diagnoseEvaluation,
  dropOf,
  explorationOf,
  fidelityOf,
  klOf,
  LIMITS,
  sharingOf,
  unknown,
} from "../diagnostics/limits.ts";
import { STOPPED } from "../diagnostics/watch.ts";
import { arms } from "../study/studies/communication/arms.ts";
import { formatInterval } from "../terminal/table.ts";
import type { Pool } from "./pool.ts";
import type { ComparisonSource, RunSource } from "./sources.ts";

/** What a run's own figures warn of. */
export function diagnoseRun({ record, config, metrics, evaluation }: RunSource): Diagnostic[] {
  const where = record.id;
  const { floor } = config.blinding;
  return [
    ...record.warnings
      .filter(({ what }) => what === STOPPED)
      .map(({ what, value, limit, advice }): Diagnostic => ({ where, what, value, limit, state: "warning", advice })),
    klOf(where, metrics),
    explorationOf(where, metrics, config.mask.enabled ? floor : Number.NaN),
    ...(evaluation
      ? diagnoseEvaluation(where, evaluation, config.evaluation.budget)
      : [unknown(where, "fidelity, reward drop, gate", "not evaluated yet: magic-mask evaluate", "of the evaluation")]),
  ];
}

/** What a comparison's figures of its subject warn of. */
export function diagnoseComparison({ comparison: { plan, summary } }: ComparisonSource): Diagnostic[] {
  return summary.rows
    .filter(({ explainer, drops }) => explainer === plan.subject && drops.length > 0)
    .flatMap(({ explainer, budget, drops }) =>
      drops
        .filter(({ order, share, drop }) => order === "top" && Math.abs(share - 0.1) < 1e-9 && drop.interval)
        .map(({ share, drop }) => {
          const against = summary.standing.find(
            (each) => each.metric === "drop" && each.reference === "random" && each.budget === budget,
          );
          return dropOf(
            `${plan.environment.id}, ${explainer}`,
            share,
            drop.interval?.estimate ?? Number.NaN,
            against?.verdict === "above",
            against?.interval ? `its own less ${formatInterval(against.interval)}` : "unknown",
          );
        }),
    );
}

/** What figures of sharing arms warn of, where a study has inter-agent fidelity. */
export function diagnosePool(pool: Pool): Diagnostic[] {
  const { name, environments, last } = pool;
  return pool.metrics
    .filter((metric) => metric.name === "fidelity")
    .flatMap((metric) =>
      environments.flatMap((environment) =>
        pool.arms
          .filter((arm) => arms[arm] !== undefined && arms[arm].reference !== arm)
          .flatMap((arm): Diagnostic[] => {
            const own = mean(pool.valuesOf(metric.name, environment, arm, last));
            const alone = mean(pool.valuesOf(metric.name, environment, arms[arm].reference, last));
            const where = `${name}, ${environment}, ${arm}`;
            if (own === null)
              return [unknown(where, "inter-agent fidelity", "undefined for some run", below(LIMITS.fidelity))];
            return [
              fidelityOf(where, { shared: own }),
              ...(alone === null ? [] : [sharingOf(where, { shared: own, unshared: alone })]),
            ];
          }),
      ),
    );
}

function mean(values: readonly (number | null)[]): number | null {
  if (values.length === 0) return null;
  let sum = 0;
  for (const value of values) {
    if (value === null) return null;
    sum += value;
  }
  return sum / values.length;
}
