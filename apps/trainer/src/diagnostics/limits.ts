import type { Evaluation } from "../evaluate.ts";
import type { MetricsRow } from "../run/metrics-log.ts";
import { formatNumber } from "../terminal/table.ts";

/** A figure beside the limit at which something is wrong. */
export interface Diagnostic {
  readonly where: string;
  readonly what: string;
  /** In words; why not, where it is unknown. */
  readonly value: string;
  /** In words: when there is something wrong. */
  readonly limit: string;
  readonly state: "fine" | "warning" | "unknown";
  /** What to do; "" where nothing is wrong. */
  readonly advice: string;
}

/** Where something is wrong. */
export const LIMITS = {
  /** kl/update, of several policies the largest, nats. */
  kl: 0.15,
  /** Inter-agent fidelity with sharing. */
  fidelity: 0.7,
  /** Reward drop at a tenth of the decisions, share of the return range. */
  drop: 0.08,
  /** Fidelity with sharing over that without, as a share of the latter. */
  sharing: 0.05,
  /** p_t over its floor, while the return is flat. */
  exploration: 1.5,
  /** Loss of return by acting behind the mask's gate, share of the return range. */
  gate: 0.2,
} as const;

export const percent = (share: number) => `${Number((100 * share).toFixed(1))} %`;

/** What figures of held-out games warn of. */
export function diagnoseEvaluation(
  where: string,
  { fidelity, drops, gate = [] }: Pick<Evaluation, "fidelity" | "drops"> & Partial<Pick<Evaluation, "gate">>,
  budget: number,
): Diagnostic[] {
  const tops = drops.filter(({ order, share }) => order === "top" && share === budget);
  return [
    fidelityOf(where, fidelity),
    sharingOf(where, fidelity),
    ...tops.map(({ agent, share, drop }): Diagnostic => {
      const random = drops.find((each) => each.agent === agent && each.order === "random" && each.share === share);
      return dropOf(
        `${where}, ${agent}`,
        share,
        drop.estimate,
        random ? drop.low > random.drop.estimate : false,
        random ? percent(random.drop.estimate) : "unknown",
      );
    }),
    ...(gate.length > 0
      ? gate.map(({ agent, drop, blinded }) => gateOf(`${where}, ${agent}`, drop ?? Number.NaN, blinded))
      : [unknown(where, "return under the mask's gate", "evaluated before it was measured", "")]),
  ];
}

/** kl/update of these iterations. */
export function klOf(where: string, metrics: readonly MetricsRow[]): Diagnostic {
  const known = metrics.flatMap((row) => (typeof row["kl/update"] === "number" ? [row["kl/update"]] : []));
  const what = "kl/update, largest";
  const limit = `above ${LIMITS.kl} nats`;
  if (known.length === 0) return unknown(where, what, "nothing was trained", limit);
  const largest = known.reduce((most, value) => Math.max(most, value), 0);
  const over = known.filter((value) => value > LIMITS.kl).length;
  return {
    where,
    what,
    value: `${formatNumber(largest)}${known.length > 1 && over > 0 ? `, in ${over} of ${known.length} iterations above` : ""}`,
    limit,
    ...(over > 0
      ? { state: "warning", advice: "updates are unstable: lower training.learningRate, or blinding.initial" }
      : FINE),
  };
}

/** The largest kl/update of several runs. @param largest of each, one at least */
export const klOfRuns = (where: string, largest: Iterable<number>): Diagnostic =>
  klOf(where, [{ steps: 0, "kl/update": Math.max(...largest) }]);

/** The return over the last third of these iterations. Flat: the mean of the last sixth is not above that of the sixth before it by more than their spread allows. */
export function explorationOf(where: string, metrics: readonly MetricsRow[], floor: number): Diagnostic {
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

export function fidelityOf(where: string, { shared }: { readonly shared: number }): Diagnostic {
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

export function sharingOf(
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

/** What it costs to act by the mask's gate: the policy where m > τ, ν elsewhere. @param drop share of the return range; NaN if unknown */
export function gateOf(where: string, drop: number, blinded: number): Diagnostic {
  const what = "return under the mask's gate, below the policy's";
  const limit = `above ${percent(LIMITS.gate)} of the return range`;
  if (!Number.isFinite(drop)) return unknown(where, what, "the return has no range", limit);
  return {
    where,
    what,
    value: `${percent(drop)}, with ${percent(blinded)} of the decisions blinded`,
    limit,
    ...(drop > LIMITS.gate
      ? {
          state: "warning",
          advice: "the mask calls decisions uncritical that matter: lower mask.threshold, or give posthoc.steps more",
        }
      : FINE),
  };
}

export function dropOf(where: string, share: number, drop: number, isAbove: boolean, random: string): Diagnostic {
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
export const below = (limit: number) => `below ${formatNumber(limit)}`;
export const unknown = (where: string, what: string, value: string, limit: string): Diagnostic => ({
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
