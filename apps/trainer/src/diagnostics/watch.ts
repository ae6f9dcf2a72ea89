import type { RunWarning } from "@magic-mask/core";
import type { MetricsRow } from "../run/metrics-log.ts";
import { type Diagnostic, explorationOf, klOf } from "./limits.ts";

/** The warning of a run that training has ended. */
export const STOPPED = "training has stopped";

/** Looks at figures as a run trains; warns of each once. */
export interface Watch {
  /** All warnings so far. */
  readonly warnings: readonly RunWarning[];
  /** What is to be warned of since the last iteration. */
  look(row: MetricsRow): readonly RunWarning[];
  /** What only the whole run tells. @param floor p_min; NaN where nobody is blinded by a coin */
  lookBack(rows: readonly MetricsRow[], floor: number): readonly RunWarning[];
}

/** @param known what was warned of before the run was resumed */
export function createWatch(known: readonly RunWarning[] = []): Watch {
  const warnings = [...known];
  const news = (steps: number, ...diagnostics: Diagnostic[]) => {
    const fresh = diagnostics
      .filter(({ state, what }) => state === "warning" && !warnings.some((warning) => warning.what === what))
      .map(({ what, value, limit, advice }): RunWarning => ({ steps, what, value, limit, advice }));
    warnings.push(...fresh);
    return fresh;
  };
  return {
    get warnings() {
      return [...warnings];
    },
    look: (row) => news(row.steps, klOf("", [row])),
    lookBack: (rows, floor) => news(rows[rows.length - 1]?.steps ?? 0, explorationOf("", rows, floor)),
  };
}

/** In one line. */
export const warningInWords = ({ what, value, limit, advice }: Omit<RunWarning, "steps">): string =>
  `${what}: ${value} (limit: ${limit}); ${advice}`;
