import { formatCount } from "../../../terminal/progress.ts";
import { formatInterval, formatNumber } from "../../../terminal/table.ts";
import { gainOver, overSeeds } from "../../over-seeds.ts";
import type { Axes, Judgement, Report, Result } from "../../study.ts";
import { apart } from "../common/apart.ts";
import { meanOrNull, shown, signed } from "../common/figures.ts";
import { scoresOf } from "../common/scores.ts";
import type { ControlFigures } from "./control.ts";

/** What the others are held against: the default. */
const OWN = "advantage";

type Figure = (figures: ControlFigures) => number | null;
type Agent = ControlFigures["agents"][number];
const mean =
  (of: (agent: Agent) => number | null): Figure =>
  ({ agents }) =>
    meanOrNull(agents.map(of));
const drop = (order: "top" | "bottom", key: "drop" | "budget"): Figure =>
  mean(({ drops }) => drops.find((point) => point.order === order)?.[key] ?? null);
const area = mean(({ auroc }) => auroc);
const order = mean(({ spearman }) => spearman);
const lost = drop("top", "drop");

export function reportOnControl(axes: Axes, results: readonly Result<ControlFigures>[]): Report {
  const names = axes.explainer as readonly string[];
  const others = names.filter((name) => name !== OWN);
  const places = axes.environment.flatMap((environment) =>
    (axes.budget as readonly number[]).map((budget) => ({ environment, budget })),
  );
  const look = ({ environment, budget }: (typeof places)[number]) => {
    const over = (explainer: string, figure: Figure) =>
      overSeeds(results, { environment, budget, explainer }, axes.seed, figure);
    return { over, more: (name: string, figure: Figure) => gainOver(over(OWN, figure), over(name, figure)).interval };
  };

  const tables = places.map((place) => {
    const { over, more } = look(place);
    return {
      title: `${place.environment}: ${formatCount(place.budget)} environment steps per explainer`,
      note: "AUROC and NDCG are of the true top tenth; a drop is the loss of return as a share of its range when so many of one agent's decisions are made at random. In 90 %: share of truths in the explainer's 90 % intervals. n/a: nothing was at stake, or the explainer tells no spread.",
      header: [
        "criticality by",
        "AUROC@10",
        `${OWN} over it`,
        "Spearman",
        `${OWN} over it`,
        "NDCG@10",
        "in 90 %",
        "drop at top 10 %",
        `${OWN} over it`,
        "blinded",
        "drop at lowest 10 %",
      ],
      body: names.map((name) => {
        const cell = (figure: Figure) => shown(over(name, figure).interval);
        const plain = (figure: Figure) => over(name, figure).interval?.estimate ?? Number.NaN;
        const gain = (figure: Figure) => (name === OWN ? "" : shown(more(name, figure)));
        return [
          name,
          cell(area),
          gain(area),
          cell(order),
          gain(order),
          cell(mean(({ ndcg }) => ndcg)),
          plain(mean(({ calibration }) => calibration)),
          cell(lost),
          gain(lost),
          plain(drop("top", "budget")),
          cell(drop("bottom", "drop")),
        ];
      }),
    };
  });

  const judgements = places.flatMap((place) => {
    const { more } = look(place);
    return others.map((name): Judgement => {
      const interval = more(name, area);
      return {
        where: `${place.environment}, ${formatCount(place.budget)} steps`,
        claim: "untested",
        figure: `AUROC, ${OWN} over ${name}`,
        measured: interval,
        verdict: "not comparable",
        why: `the paper has no continuous actions; ${apart(interval)}`,
      };
    });
  });

  const sentences = places.flatMap((place) => {
    const { over, more } = look(place);
    const at = `${place.environment}, ${formatCount(place.budget)} steps`;
    const known = over(OWN, area).interval;
    const [policy, random] = [
      over(OWN, ({ returns }) => returns.policy).interval,
      over(OWN, ({ returns }) => returns.random).interval,
    ];
    const told = [
      `${at}: the policies earn ${policy ? formatInterval(policy) : "n/a"}, random play ${random ? formatNumber(random.estimate) : "n/a"}.`,
    ];
    if (known) {
      told.push(
        `${at}: ${OWN} finds the true top tenth with AUROC ${formatInterval(known)}, ${known.low > 0.5 ? "above chance" : "not surely above chance"}.`,
      );
    }
    for (const [what, figure] of [
      ["AUROC", area],
      ["the drop at a tenth", lost],
    ] as const) {
      const list = (word: string) =>
        others
          .flatMap((name) => {
            const interval = more(name, figure);
            return apart(interval) === word ? [`${name} (${signed(interval)})`] : [];
          })
          .join(", ") || "none";
      told.push(
        `${at}, ${what}: ${OWN} is above ${list("above")}; below ${list("below")}; not separated from ${list("not separated")}.`,
      );
    }
    return told;
  });

  const scores = scoresOf(
    axes,
    results,
    names.map((explainer) => ({ name: explainer, at: { explainer } })),
    [
      { name: "auroc", title: "AUROC of the true top tenth", oneScale: true, of: area },
      { name: "spearman", title: "Spearman", oneScale: true, of: order },
      { name: "drop", title: "Drop at a tenth, share of the range", oneScale: true, of: lost },
    ],
  );
  return { tables, judgements, sentences, pictures: [], scores };
}
