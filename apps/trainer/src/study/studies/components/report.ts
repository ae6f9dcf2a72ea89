import { byName } from "@magic-mask/core";
import type { Interval } from "@magic-mask/metrics";
import type { Cell } from "../../../terminal/table.ts";
import { gainOver, type OverSeeds, overSeeds } from "../../over-seeds.ts";
import type { Axes, Judgement, Report, Result } from "../../study.ts";
import { explained, ofFrozen } from "../common/explained-figures.ts";
import { shown, signed } from "../common/figures.ts";
import { FROZEN as RANKED, scoresOf } from "../common/scores.ts";
import { type ComponentFigures, variants } from "./components.ts";

type Figure = (figures: ComponentFigures) => number | null;

/** Post hoc, and trained together; higher is better but for KL. */
const FROZEN: Readonly<Record<string, Figure>> = {
  "AUROC@10": ofFrozen(explained.auroc),
  Spearman: ofFrozen(explained.spearman),
  "drop at top 10 %": ofFrozen(explained.drop),
};
const TRAINED: Readonly<Record<string, Figure>> = {
  return: ({ joint }) => joint?.strength[0].value ?? null,
  "kl/update": ({ joint }) => joint?.kl.update ?? null,
  "drop of the live mask": ({ joint }) => joint?.drop.top ?? null,
};

export function reportOnComponents(axes: Axes, results: readonly Result<ComponentFigures>[]): Report {
  const names = axes.variant as readonly string[];
  // Where there are several, what the most steps come to.
  const budget = Math.max(...(axes.budget as readonly number[]));
  const over = (environment: string, variant: string, figure: Figure): OverSeeds => {
    const known = results.filter(({ at, figures }) => at.environment === environment && figure(figures) !== null);
    return overSeeds(known, { environment, variant, budget }, axes.seed, figure);
  };
  const change = (environment: string, variant: string, figure: Figure): Interval | null =>
    variant === referenceOf(variant)
      ? null
      : gainOver(over(environment, variant, figure), over(environment, referenceOf(variant), figure)).interval;

  const tables = axes.environment.flatMap((environment) =>
    [
      { title: "explanations of frozen policies", figures: FROZEN, has: "objective" as const },
      { title: "policies that learned together with masks", figures: TRAINED, has: "joint" as const },
    ].map(({ title, figures, has }) => ({
      title: `${environment}: ${title}`,
      note: `Each variant, and seed by seed its difference from the one that it is held against, which has what it lacks. ${
        has === "joint"
          ? "Return is a win rate where what one wins another loses. Variants that leave the blinding to the same coin have the default's policies and are not listed."
          : "AUROC is of the true top 10 %; a drop is a share of the return range."
      }`,
      header: ["variant", "against", ...Object.keys(figures).flatMap((name) => [name, "difference"])],
      body: names
        .filter((name) => variantOf(name)[has])
        .map((name): Cell[] => [
          name,
          name === referenceOf(name) ? "" : referenceOf(name),
          ...Object.values(figures).flatMap((figure): Cell[] => [
            shown(over(environment, name, figure).interval),
            name === referenceOf(name) ? "" : shown(change(environment, name, figure)),
          ]),
        ]),
    })),
  );
  const changed = names.filter((name) => name !== referenceOf(name));
  const sentences = axes.environment.flatMap((environment) =>
    changed.map((name) => {
      const { objective, what } = variantOf(name);
      const told = Object.entries({ ...(objective ? FROZEN : TRAINED) }).map(([figure, of]) => {
        const interval = change(environment, name, of);
        return `${figure} ${signed(interval)} (${verdictOn(interval)})`;
      });
      return `${environment}, ${name} (${what}) less ${referenceOf(name)}: ${told.join(", ")}.`;
    }),
  );
  const judgements = axes.environment.flatMap((environment): Judgement[] =>
    changed.map((name) => {
      const [figure, of] = Object.entries(variantOf(name).objective ? FROZEN : TRAINED)[0];
      const measured = change(environment, name, of);
      return {
        where: `${environment}, ${name}`,
        claim: "no figure known",
        figure: `${figure}, less ${referenceOf(name)}`,
        measured,
        verdict: "not comparable",
        why: `the paper gives no figure for this part; ${verdictOn(measured)}`,
      };
    }),
  );
  // Few variants are trained together with policies of their own, so what all are held against each other by is post hoc.
  const scores = scoresOf(
    axes,
    results,
    names.filter((name) => variantOf(name).objective).map((variant) => ({ name: variant, at: { variant } })),
    RANKED,
  );
  return { tables, judgements, sentences, pictures: [], scores };
}

const variantOf = (name: string) => byName("trainer/study-components", "variant", variants, name);
const referenceOf = (name: string) => variantOf(name).reference;

function verdictOn(interval: Interval | null): string {
  if (!interval) return "unknown";
  if (interval.low > 0) return "higher";
  return interval.high < 0 ? "lower" : "not separated";
}
