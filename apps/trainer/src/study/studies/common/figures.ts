import type { Interval } from "@magic-mask/metrics";
import { formatInterval, formatNumber } from "../../../terminal/table.ts";
import type { OverSeeds } from "../../over-seeds.ts";
import type { SharingFigures } from "./sharing-figures.ts";

/** One number of an arm. */
export type Figure = (figures: SharingFigures) => number | null;

/** Mean over agents; null where one's is undefined. */
export const meanOf =
  (key: "own" | "head" | "stacked"): Figure =>
  ({ agents }) =>
    meanOrNull(agents.map((agent) => agent[key]));

export const stacked = meanOf("stacked");
export const fidelity: Figure = (figures) => figures.fidelity.all;

/** null where one is, or where there are none. */
export function meanOrNull(values: readonly (number | null)[]): number | null {
  let sum = 0;
  for (const value of values) {
    if (value === null) return null;
    sum += value;
  }
  return values.length === 0 ? null : sum / values.length;
}

/** Which arms lack a figure, and for which seeds. @param figures by the names of the arms */
export function missingNote(figures: Readonly<Record<string, OverSeeds>>): string {
  const bySeeds = new Map<string, string[]>();
  for (const [arm, { missing }] of Object.entries(figures)) {
    if (missing.length === 0) continue;
    const seeds = missing.join(", ");
    bySeeds.set(seeds, [...(bySeeds.get(seeds) ?? []), arm]);
  }
  const told = [...bySeeds].map(([seeds, names]) => `${names.join(", ")} for seeds ${seeds}`);
  if (told.length === 0) return "";
  return `Unknown: ${told.join("; ")}: they failed, nothing was at stake, or what agents see has no room in a record.`;
}

/** An interval as a cell; n/a where there is none. */
export const shown = (interval: Interval | null): Interval =>
  interval ?? { estimate: Number.NaN, low: Number.NaN, high: Number.NaN };

/** With its sign, in words. */
export const signed = (interval: Interval | null): string =>
  interval
    ? `${interval.estimate < 0 ? "" : "+"}${formatInterval(interval)}`.replaceAll("-", "−")
    : formatNumber(Number.NaN);
