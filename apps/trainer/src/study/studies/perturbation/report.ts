import { formatCount } from "../../../terminal/progress.ts";
import { formatNumber } from "../../../terminal/table.ts";
import { gainOver, overSeeds } from "../../over-seeds.ts";
import type { Axes, Judgement, Report, Result } from "../../study.ts";
import { apart } from "../common/apart.ts";
import { meanOrNull, missingNote, shown, signed } from "../common/figures.ts";
import { scoresOf } from "../common/scores.ts";
import type { PerturbationFigures } from "./perturbation.ts";

/** What the others are held against. */
const EVEN = "uniform";

type Agent = PerturbationFigures["agents"][number];
type Figure = (figures: PerturbationFigures) => number | null;
const mean =
  (of: (agent: Agent) => number | null): Figure =>
  ({ agents }) =>
    meanOrNull(agents.map(of));
const loss = mean((agent) => agent.loss);
const ownAuroc = mean(({ own }) => own.auroc);
const ownSpearman = mean(({ own }) => own.spearman);
const evenAuroc = mean(({ uniform }) => uniform.auroc);
const evenSpearman = mean(({ uniform }) => uniform.spearman);
const overlap = mean((agent) => agent.overlap);
const plausibility = mean((agent) => agent.plausibility);
const noise = mean((agent) => agent.noise);

export function reportOnPerturbation(axes: Axes, results: readonly Result<PerturbationFigures>[]): Report {
  const names = axes.perturbation as readonly string[];
  const others = names.filter((name) => name !== EVEN);
  const budgets = [...(axes.budget as readonly number[])].sort((a, b) => a - b);
  const places = axes.environment.flatMap((environment) => budgets.map((budget) => ({ environment, budget })));
  const look = ({ environment, budget }: (typeof places)[number]) => {
    const over = (name: string, figure: Figure) =>
      overSeeds(results, { environment, budget, perturbation: name }, axes.seed, figure);
    return { over, more: (name: string, figure: Figure) => gainOver(over(name, figure), over(EVEN, figure)).interval };
  };

  const tables = places.map((place) => {
    const { over, more } = look(place);
    return {
      title: `${place.environment}: ${formatCount(place.budget)} environment steps`,
      note: [
        "Loss: mean true Δ under ν, game units. Agreement of the explainer whose agents were blinded by ν, with the truth under ν and with that under uniform play. Overlap: share of the true top tenth under ν that is critical under uniform play, too; .1 by chance. ln π: mean over what ν does, nats. Noise: share of the variance of Δ that is error of measurement, at the most: from 1 on nothing is known of it.",
        missingNote(Object.fromEntries(names.map((name) => [name, over(name, ownAuroc)]))),
      ]
        .filter((text) => text !== "")
        .join(" "),
      header: [
        "ν",
        "loss",
        "AUROC, own truth",
        "over uniform",
        "Spearman, own truth",
        "AUROC, uniform truth",
        "over uniform",
        "Spearman, uniform truth",
        "overlap",
        "ln π",
        "noise",
      ],
      body: names.map((name) => {
        const cell = (figure: Figure) => shown(over(name, figure).interval);
        const gain = (figure: Figure) => (name === EVEN ? "" : shown(more(name, figure)));
        return [
          name,
          cell(loss),
          cell(ownAuroc),
          gain(ownAuroc),
          cell(ownSpearman),
          cell(evenAuroc),
          gain(evenAuroc),
          cell(evenSpearman),
          cell(overlap),
          cell(plausibility),
          over(name, noise).interval?.estimate ?? Number.NaN,
        ];
      }),
    };
  });

  const judgements = places.flatMap((place) => {
    const { more } = look(place);
    return others.map((name): Judgement => {
      const interval = more(name, ownAuroc);
      return {
        where: `${place.environment}, ${name}, ${formatCount(place.budget)} steps`,
        claim: "future work",
        figure: "AUROC of the own truth, over uniform's of its own",
        measured: interval,
        verdict: "not comparable",
        why: `the paper leaves it open; ${apart(interval)}`,
      };
    });
  });

  const sentences = places.flatMap((place) => {
    const { over, more } = look(place);
    const at = `${place.environment}, ${formatCount(place.budget)} steps`;
    return others.map((name) => {
      const shared = over(name, overlap).interval;
      const own = more(name, ownAuroc);
      const even = more(name, evenAuroc);
      const likely = more(name, plausibility);
      const cost = over(name, loss).interval;
      return `${at}: ${name} costs ${cost ? formatNumber(cost.estimate) : "n/a"} a decision (uniform ${formatNumber(over(EVEN, loss).interval?.estimate ?? Number.NaN)}); its ln π is ${signed(likely)} against uniform's (${apart(likely)}); ${shared ? `${Math.round(100 * shared.estimate)} %` : "an unknown share"} of its true top tenth is uniform's; its explainer ranks its own truth by ${signed(own)} against uniform's explainer and truth (${apart(own)}), and the uniform truth by ${signed(even)} (${apart(even)}).`;
    });
  });

  const scores = scoresOf(
    axes,
    results,
    names.map((perturbation) => ({ name: perturbation, at: { perturbation } })),
    [
      {
        name: "own_auroc",
        title: "AUROC of the truth under the own perturbation",
        oneScale: true,
        of: ownAuroc,
      },
      { name: "uniform_auroc", title: "AUROC of the truth under uniform play", oneScale: true, of: evenAuroc },
    ],
  );
  return { tables, judgements, sentences, pictures: [], scores };
}
