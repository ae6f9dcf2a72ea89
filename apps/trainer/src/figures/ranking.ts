import type { Explainer } from "@magic-mask/core";
import {
  auroc,
  bootstrap,
  type Calibration,
  calibration,
  type Interval,
  ndcg,
  type States,
  spearman,
  type Truth,
  tInterval,
} from "@magic-mask/metrics";
import type { LoadedRun } from "../load-run.ts";
import { type Resample, scoresOf, UNKNOWN } from "./scores.ts";

/** How an explainer ranks one agent's held-out decisions against the truth. */
export interface RankingRow {
  readonly agent: string;
  readonly explainer: string;
  readonly auroc: Interval;
  readonly ndcg: Interval;
  readonly spearman: Interval;
  /** Of its 90 % intervals; NaN where it tells no spread. */
  readonly calibration: Calibration;
}

/** What scores are held against, with how sure it is. */
export type Judged = Pick<Truth, "criticality" | "standardError">;

/** Rank agreement with intervals over episodes: states of one game are resampled together. */
export function rank(
  agent: string,
  explainer: Explainer,
  states: States,
  truth: Judged,
  { draws, seed }: Resample,
): RankingRow {
  const { criticality } = truth;
  const { scores, spread } = scoresOf(explainer, states);
  const over = (statistic: (a: ArrayLike<number>, b: ArrayLike<number>) => number) =>
    bootstrap({
      count: states.count,
      clusters: states.episodes,
      draws,
      seed,
      statistic: (indices) =>
        statistic(
          Float64Array.from(indices, (i) => scores[i]),
          Float64Array.from(indices, (i) => criticality[i]),
        ),
    });
  return {
    agent,
    explainer: explainer.name,
    auroc: over((a, b) => auroc(a, b)),
    ndcg: over((a, b) => ndcg(a, b)),
    spearman: over(spearman),
    calibration: calibration(scores, spread, truth),
  };
}

/** The published loss: mean and t-interval over initialisations, as one alone may rank well by luck. */
export function rankPapers(
  { postHoc, world }: Pick<LoadedRun, "postHoc" | "world">,
  agent: number,
  states: States,
  { criticality }: Judged,
): RankingRow {
  const scores = postHoc.papers.map((masks) => scoresOf(masks[agent].explainer, states).scores);
  // Unknown where nothing is critical, as for a policy that no single action can bring down.
  const over = (values: number[]) => (values.some(Number.isNaN) ? UNKNOWN : tInterval(values));
  return {
    agent: world.spec.agents[agent],
    explainer: "paper",
    auroc: over(scores.map((each) => auroc(each, criticality))),
    ndcg: over(scores.map((each) => ndcg(each, criticality))),
    spearman: over(scores.map((each) => spearman(each, criticality))),
    calibration: { coverage: Number.NaN, noise: Number.NaN },
  };
}
