import type { Progress } from "../apps/trainer/src/terminal/progress.ts";

/** One part of the benchmark. */
export interface Part {
  /** One line for `--help`. */
  readonly help: string;
  run(options: PartOptions): Promise<PartResult>;
}

export interface PartOptions {
  /** Share of the usual time that each figure gets: 1, or less for a quick look. */
  readonly effort: number;
  /** Starts a status line over `total` measurements. */
  readonly progress: (total: number) => Progress;
}

export interface PartResult {
  /** Plain data, for programs. */
  readonly results: unknown;
  /** The same for people, in Markdown. */
  readonly text: string;
  /** SVG documents by file name. */
  readonly plots?: Readonly<Record<string, string>>;
}
