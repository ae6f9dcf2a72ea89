import { formatCount } from "../../../terminal/progress.ts";
import type { Cell } from "../../../terminal/table.ts";
import { gainOver, overSeeds } from "../../over-seeds.ts";
import type { Axes, Judgement, Report, Result } from "../../study.ts";
import { fidelity, meanOf, missingNote, shown, signed, stacked } from "../common/figures.ts";
import { SHARING, scoresOf } from "../common/scores.ts";
import type { SteeringFigures } from "./steering.ts";

/** s of what the others are held against. */
const ALONE = 0;
/** What must be ruled out to be lost, in AUROC, for steering to be free. */
const HARM = 0.02;

type Figure = (figures: SteeringFigures) => number | null;
const redundancy: Figure = (figures) => figures.redundancy;
const perturbed: Figure = (figures) => figures.perturbed;

export function reportOnSteering(axes: Axes, results: readonly Result<SteeringFigures>[]): Report {
  const strengths = axes.steer as readonly number[];
  const places = axes.environment.flatMap((environment) =>
    (axes.budget as readonly number[]).map((budget) => {
      const over = (steer: number, figure: Figure) =>
        overSeeds(results, { environment, budget, steer }, axes.seed, figure);
      const gain = (steer: number, figure: Figure) => gainOver(over(steer, figure), over(ALONE, figure)).interval;
      return { environment, budget, over, gain };
    }),
  );

  const tables = places.map(({ environment, budget, over, gain }) => ({
    title: `${environment}: ${formatCount(budget)} environment steps`,
    note: [
      "Steering s: the share of its blinding that an agent saves where peers have told of the state. Perturbed: its decisions that were blinded, per 1,000 steps. Redundancy: the share of these, each agent's first between one broadcast and the next, that fell into states that peers had settled. Differences are paired over seeds.",
      missingNote(Object.fromEntries(strengths.map((steer) => [`s = ${steer}`, over(steer, stacked)]))),
    ]
      .filter((text) => text !== "")
      .join(" "),
    header: [
      "s",
      ...["perturbed", "redundancy", "AUROC, own mask", "AUROC, stacked", "fidelity"].flatMap((name) => [
        name,
        "over s = 0",
      ]),
    ],
    body: strengths.map((steer): Cell[] => [
      `${steer}`,
      ...[perturbed, redundancy, meanOf("own"), stacked, fidelity].flatMap((figure): Cell[] => [
        shown(over(steer, figure).interval),
        steer === ALONE ? "" : shown(gain(steer, figure)),
      ]),
    ]),
  }));

  const judged = places.flatMap((place) =>
    strengths
      .filter((steer) => steer !== ALONE)
      .map((steer) => {
        const spared = place.gain(steer, redundancy);
        const costs = [stacked, fidelity].map((figure) => place.gain(steer, figure));
        const isSpared = spared !== null && spared.high < 0;
        const isFree = costs.every((cost) => cost !== null && cost.low >= -HARM);
        const isHarm = costs.some((cost) => cost !== null && cost.high < 0);
        const price = isFree
          ? `no more than ${HARM} lost`
          : isHarm
            ? "something lost"
            : `a loss of ${HARM} is not ruled out`;
        return { place, steer, spared, costs, isSpared, price };
      }),
  );
  const judgements = judged.map(
    ({ place: { environment, budget }, steer, spared, isSpared, price }): Judgement => ({
      where: `${environment}, s = ${steer}, ${formatCount(budget)} steps`,
      claim: "less redundant exploration, as states that peers have marked are left alone",
      figure: "redundancy over s = 0",
      measured: spared,
      verdict: isSpared ? "reproduced" : "not reproduced",
      why: `${isSpared ? "fewer perturbations fall where peers have been" : "no fewer perturbations fall where peers have been, as far as the interval says"}; of AUROC and fidelity ${price}`,
    }),
  );
  const sentences = judged.map(
    ({ place: { environment, budget }, steer, spared, costs, price }) =>
      `${environment}, ${formatCount(budget)} steps, s = ${steer}: redundancy ${signed(spared)}, stacked AUROC ${signed(costs[0])}, inter-agent fidelity ${signed(costs[1])} (${price}).`,
  );
  const scores = scoresOf(
    axes,
    results,
    strengths.map((steer) => ({ name: `s = ${steer}`, at: { steer } })),
    SHARING,
  );
  return { tables, judgements, sentences, pictures: [], scores };
}
