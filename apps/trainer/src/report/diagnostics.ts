import { arms } from "../study/studies/arms.ts";
import { formatInterval, formatNumber } from "../terminal/table.ts";
import type { Diagnostic } from "./document.ts";
import type { Pool } from "./pool.ts";
import type { ComparisonSource, MetricsRow, RunSource } from "./sources.ts";

/** Where something is wrong. */
const LIMITS = {
  /** kl/update of the first policy, nats. */
  kl: 0.15,
  /** Inter-agent fidelity with sharing. */
  fidelity: 0.7,
  /** Reward drop at a tenth of the decisions, share of the return range. */
  drop: 0.08,
  /** Fidelity with sharing over that without, as a share of the latter. */
  sharing: 0.05,
  /** p_t over its floor, while the return is flat. */
  exploration: 1.5,
} as const;

const percent = (share: number) => `${Number((100 * share).toFixed(1))} %`;

/** What a run's own figures warn of. */
export function diagnoseRun({ record, config, metrics, evaluation }: RunSource): Diagnostic[] {
  const where = record.id;
  return [
    klOf(where, metrics),
    explorationOf(where, metrics, config.mask.enabled ? config.blinding.floor : Number.NaN),
    ...(evaluation ? [fidelityOf(where, evaluation.fidelity), sharingOf(where, evaluation.fidelity)] : []),
    ...(evaluation?.drops ?? [])
      .filter(({ order, share }) => order === "top" && share === config.evaluation.budget)
      .map(({ agent, share, drop }): Diagnostic => {
        const random = evaluation?.drops.find(
          (each) => each.agent === agent && each.order === "random" && each.share === share,
        );
        return dropOf(
          `${where}, ${agent}`,
          share,
          drop.estimate,
          random ? drop.low > random.drop.estimate : false,
          random ? percent(random.drop.estimate) : "unknown",
        );
      }),
    ...(evaluation
      ? []
      : [unknown(where, "fidelity, reward drop", "not evaluated yet: magic-mask evaluate", "of the evaluation")]),
    unknown(
      where,
      "return under the mask's gate",
      "no figure of this run: the study of thresholds measures it",
      "more than 20 % below the policy's",
    ),
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

function klOf(where: string, metrics: readonly MetricsRow[]): Diagnostic {
  const known = metrics.flatMap((row) => (typeof row["kl/update"] === "number" ? [row["kl/update"]] : []));
  const what = "kl/update, largest";
  const limit = `above ${LIMITS.kl} nats`;
  if (known.length === 0) return unknown(where, what, "nothing was trained", limit);
  const largest = known.reduce((most, value) => Math.max(most, value), 0);
  const over = known.filter((value) => value > LIMITS.kl).length;
  return {
    where,
    what,
    value: `${formatNumber(largest)}${over > 0 ? `, in ${over} of ${known.length} iterations above` : ""}`,
    limit,
    ...(over > 0
      ? { state: "warning", advice: "updates are unstable: lower training.learningRate, or blinding.initial" }
      : FINE),
  };
}

/** Flat: the mean of the last sixth is not above that of the sixth before it by more than their spread allows. */
function explorationOf(where: string, metrics: readonly MetricsRow[], floor: number): Diagnostic {
  const what = "return over the last third, while agents are blinded often";
  const limit = `flat, while p_t is above ${LIMITS.exploration} times its floor`;
  const rows = metrics.filter((row) => typeof row["charts/episodic_return"] === "number");
  const rate = rows[rows.length - 1]?.["charts/blinding"];
  if (!(floor > 0) || rows.length < 12 || typeof rate !== "number") {
    return unknown(where, what, "nobody was blinded by a coin, or too few iterations", limit);
  }
  const third = rows.slice(-Math.floor(rows.length / 3)).map((row) => row["charts/episodic_return"] as number);
  const half = third.length >> 1;
  const [before, after] = [moments(third.slice(0, half)), moments(third.slice(half))];
  const error = Math.sqrt(before.variance / half + after.variance / (third.length - half));
  const rise = after.mean - before.mean;
  const isFlat = rise <= 2 * error;
  return {
    where,
    what,
    value: `rose by ${formatNumber(rise)} ± ${formatNumber(2 * error)}; p_t ${formatNumber(rate)}, floor ${formatNumber(floor)}`,
    limit,
    ...(isFlat && rate > LIMITS.exploration * floor
      ? { state: "warning", advice: "exploration decays too slowly: lower blinding.initial, or train longer" }
      : FINE),
  };
}

function fidelityOf(where: string, { shared }: { readonly shared: number }): Diagnostic {
  const what = "inter-agent fidelity with sharing";
  const limit = below(LIMITS.fidelity);
  if (!Number.isFinite(shared) || shared === null) return unknown(where, what, "agents have nothing in common", limit);
  return {
    where,
    what,
    value: formatNumber(shared),
    limit,
    ...(shared < LIMITS.fidelity
      ? {
          state: "warning",
          advice: "communication is failing: check comm/delivery_rate, comm/age, and what buffers hold near own states",
        }
      : FINE),
  };
}

function sharingOf(
  where: string,
  { shared, unshared }: { readonly shared: number; readonly unshared: number },
): Diagnostic {
  const what = "gain of fidelity by sharing, relative";
  const limit = `below ${percent(LIMITS.sharing)}`;
  const gain = (shared - unshared) / unshared;
  if (!Number.isFinite(gain)) return unknown(where, what, "fidelity is unknown", limit);
  return {
    where,
    what,
    value: percent(gain),
    limit,
    ...(gain < LIMITS.sharing
      ? { state: "warning", advice: "sharing does nothing on this task, or close to it: say so" }
      : FINE),
  };
}

function dropOf(where: string, share: number, drop: number, isAbove: boolean, random: string): Diagnostic {
  return {
    where,
    what: `reward drop at ${percent(share)} of the decisions`,
    value: `${percent(drop)}; at random: ${random}`,
    limit: `below ${percent(LIMITS.drop)} and not above random`,
    ...(drop < LIMITS.drop && !isAbove
      ? { state: "warning", advice: "the mask finds nothing: look at mask/coverage, the objective, and the steps" }
      : FINE),
  };
}

const FINE = { state: "fine", advice: "" } as const;
const below = (limit: number) => `below ${formatNumber(limit)}`;
const unknown = (where: string, what: string, value: string, limit: string): Diagnostic => ({
  where,
  what,
  value,
  limit,
  state: "unknown",
  advice: "",
});

function moments(values: readonly number[]) {
  const average = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - average) * (value - average), 0);
  return { mean: average, variance: squares / Math.max(1, values.length - 1) };
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
