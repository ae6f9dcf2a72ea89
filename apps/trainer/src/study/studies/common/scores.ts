import type { Axes, Coordinates, Result, Scores } from "../../study.ts";
import { explained, ofFrozen } from "./explained-figures.ts";
import { fidelity, stacked } from "./figures.ts";
import type { SharingFigures } from "./sharing-figures.ts";

/** What runs are held against each other by. */
export type Metric<Figures> = Scores["metrics"][number] & { readonly of: (figures: Figures) => number | null };

/** Of studies of sharing. */
export const SHARING: readonly Metric<SharingFigures>[] = [
  { name: "auroc", title: "stacked AUROC", oneScale: true, of: stacked },
  { name: "fidelity", title: "inter-agent fidelity", oneScale: true, of: fidelity },
];

/** Of studies that explain frozen policies in one of their parts. */
export const FROZEN: readonly Metric<Parameters<ReturnType<typeof ofFrozen>>[0]>[] = [
  { name: "auroc", title: "AUROC of the true top 10 %", oneScale: true, of: ofFrozen(explained.auroc) },
  {
    name: "spearman",
    title: "Spearman's rank correlation with the truth",
    oneScale: true,
    of: ofFrozen(explained.spearman),
  },
  {
    name: "drop",
    title: "reward drop at the top 10 %, share of the return range",
    oneScale: true,
    of: ofFrozen(explained.drop),
  },
];

/**
 * Figures run by run: of every arm in every world, for every seed and budget; null where a trial failed, too. Steps are those that were
 * asked for, so that arms which learn nothing, or from a few steps less, stand beside the others.
 *
 * @param arms with what tells their trials from those of other arms
 * @param metrics of a study in several parts, each is known in one of them
 */
export function scoresOf<Figures>(
  axes: Axes,
  results: readonly Result<Figures>[],
  arms: readonly { readonly name: string; readonly at: Coordinates }[],
  metrics: readonly Metric<Figures>[],
): Scores {
  const runs = axes.environment.flatMap((environment) =>
    arms.flatMap(({ name, at }) =>
      axes.seed.flatMap((seed) =>
        (axes.budget as readonly number[]).map((budget) => {
          const wanted = Object.entries({ ...at, environment, seed, budget });
          const found = results.filter((each) => wanted.every(([axis, value]) => each.at[axis] === value));
          const known = ({ of }: Metric<Figures>) =>
            found.map(({ figures }) => of(figures)).find((value) => value !== null) ?? null;
          const values = Object.fromEntries(metrics.map((metric) => [metric.name, known(metric)]));
          return { environment, arm: name, seed, steps: budget, values };
        }),
      ),
    ),
  );
  return { metrics: metrics.map(({ of: _, ...metric }) => metric), runs };
}
