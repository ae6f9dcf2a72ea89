import { formatCount } from "../../../terminal/progress.ts";
import { gainOver, type OverSeeds, overSeeds, shareOf } from "../../over-seeds.ts";
import type { Axes, Judgement, Report, Result } from "../../study.ts";
import { apart } from "../common/apart.ts";
import { meanOrNull, shown, signed } from "../common/figures.ts";
import { scoresOf } from "../common/scores.ts";
import type { TransferFigures } from "./transfer.ts";

type Figure = (figures: TransferFigures) => number | null;
type Way = "zeroShot" | "tuned" | "tenth" | "scratch";
const by =
  (way: Way): Figure =>
  ({ agents }) =>
    meanOrNull(agents.map((agent) => agent[way]));
/** AUROC above chance, of which shares can be taken. */
const above =
  (way: Way): Figure =>
  (figures) => {
    const value = by(way)(figures);
    return value === null ? null : value - 0.5;
  };
const WAYS: Readonly<Record<Way, string>> = {
  zeroShot: "zero-shot",
  tuned: "tuned, a tenth",
  tenth: "scratch, a tenth",
  scratch: "scratch, all",
};

export function reportOnTransfer(axes: Axes, results: readonly Result<TransferFigures>[]): Report {
  const budgets = [...(axes.budget as readonly number[])].sort((a, b) => a - b);
  const inputs = axes.inputs as readonly string[];
  const places = axes.environment.flatMap((environment) => budgets.map((budget) => ({ environment, budget })));
  const look = ({ environment, budget }: (typeof places)[number], seen: string) => {
    const over = (figure: Figure): OverSeeds =>
      overSeeds(results, { environment, budget, inputs: seen }, axes.seed, figure);
    const more = (one: Way, other: Way) => gainOver(over(by(one)), over(by(other))).interval;
    const overEntropy = gainOver(
      over(by("zeroShot")),
      over(({ entropy }) => entropy),
    ).interval;
    return { over, more, overEntropy, kept: shareOf(over(above("zeroShot")), over(above("scratch"))) };
  };

  const tables = places.map((place) => ({
    title: `${place.environment}: ${formatCount(place.budget)} environment steps`,
    note: "AUROC of the true top tenth on B. Zero-shot: a mask of A as it is. Kept: share of what scratch with all the budget has above chance, with Fieller's interval. n/a: masks with all of their inputs cannot be asked where shapes differ, or nothing was at stake. Entropy and ln π-gap learn nothing.",
    header: [
      "inputs",
      ...Object.values(WAYS),
      "zero-shot over scratch, all",
      "kept",
      "zero-shot over scratch, a tenth",
      "tuned over scratch, a tenth",
      "entropy",
      "zero-shot over entropy",
      "ln π-gap",
    ],
    body: inputs.map((seen) => {
      const { over, more, kept, overEntropy } = look(place, seen);
      return [
        seen,
        ...(Object.keys(WAYS) as Way[]).map((way) => shown(over(by(way)).interval)),
        shown(more("zeroShot", "scratch")),
        shown(kept),
        shown(more("zeroShot", "tenth")),
        shown(more("tuned", "tenth")),
        shown(over(({ entropy }) => entropy).interval),
        shown(overEntropy),
        shown(over(({ logProbGap }) => logProbGap).interval),
      ];
    }),
  }));

  const judgements = places.flatMap((place) =>
    inputs.map((seen): Judgement => {
      const interval = look(place, seen).more("zeroShot", "scratch");
      return {
        where: `${place.environment}, ${seen}, ${formatCount(place.budget)} steps`,
        claim: "open question",
        figure: "AUROC on B, zero-shot over scratch",
        measured: interval,
        verdict: "not comparable",
        why: interval
          ? `the paper leaves it open; ${apart(interval)}`
          : "the paper leaves it open; unlike shapes, or nothing at stake",
      };
    }),
  );

  const sentences = places.flatMap((place) =>
    inputs.flatMap((seen) => {
      const { over, more, overEntropy } = look(place, seen);
      const zeroShot = over(by("zeroShot")).interval;
      if (!zeroShot) return [];
      const [whole, part, gain] = [more("zeroShot", "scratch"), more("zeroShot", "tenth"), more("tuned", "tenth")];
      return [
        `${place.environment}, ${formatCount(place.budget)} steps, inputs ${seen}: zero-shot ${zeroShot.low > 0.5 ? "is above chance" : "is not surely above chance"}; against scratch on B ${signed(whole)} (${apart(whole)}); against scratch with a tenth of the budget ${signed(part)} (${apart(part)}); tuned with that tenth ${signed(gain)} against scratch with it (${apart(gain)}); zero-shot against entropy, which learns nothing, ${signed(overEntropy)} (${apart(overEntropy)}).`,
      ];
    }),
  );
  const scores = scoresOf(
    axes,
    results,
    inputs.map((seen) => ({ name: seen, at: { inputs: seen } })),
    (Object.keys(WAYS) as Way[]).map((way) => ({
      name: way,
      title: `AUROC on B, ${WAYS[way]}`,
      oneScale: true,
      of: by(way),
    })),
  );
  return { tables, judgements, sentences, pictures: [], scores };
}
