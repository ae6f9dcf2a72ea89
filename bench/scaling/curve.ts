import type { Fit } from "./fit.ts";

export interface Series {
  readonly name: string;
  /** x ascending. */
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly fit: Fit;
}

/** What something costs against the size of something. */
export interface Curve {
  /** Also the name of its plot. */
  readonly name: string;
  readonly title: string;
  /** Names of the axes, with units. */
  readonly x: string;
  readonly y: string;
  readonly logX: boolean;
  readonly logY: boolean;
  readonly series: readonly Series[];
  /** Why it grows as it does, from the measured numbers. Markdown. */
  readonly explanation: string;
}
