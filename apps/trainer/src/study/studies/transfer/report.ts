import type { Interval } from "@magic-mask/metrics";
import * as Plot from "@observablehq/plot";
import { draw, GREY, INK, intervalRows, VERMILION, withinUnit } from "../../../svg.ts";
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
  const pictures = budgets.flatMap((budget) =>
    inputs.flatMap((seen) => {
      const points = axes.environment.flatMap((environment) => {
        const { over } = look({ environment, budget }, seen);
        const drawn: Readonly<Record<string, Figure>> = {
          [WAYS.zeroShot]: by("zeroShot"),
          [WAYS.tenth]: by("tenth"),
          [WAYS.scratch]: by("scratch"),
          entropy: ({ entropy }) => entropy,
        };
        if (!over(by("zeroShot")).interval) return [];
        return Object.entries(drawn).flatMap(([way, figure]): Point[] => {
          const { interval } = over(figure);
          return interval ? [{ environment, way, ...withinUnit(interval) }] : [];
        });
      });
      if (points.length === 0) return [];
      const title = `AUROC on B, ${formatCount(budget)} steps, inputs ${seen}`;
      return [{ name: `${seen}-${formatCount(budget)}.svg`, svg: plotWays(title, points) }];
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
  return { tables, judgements, sentences, pictures, scores };
}

interface Point extends Interval {
  readonly environment: string;
  readonly way: string;
}

/** A strip for each pair of worlds, a dot with its interval for each way to come by a mask; chance is a line. */
function plotWays(title: string, points: readonly Point[]): string {
  const colour = ({ way }: Point) => (way === WAYS.zeroShot ? VERMILION : way === "entropy" ? GREY : INK);
  const ways = [...new Set(points.map(({ way }) => way))];
  const strips = new Set(points.map(({ environment }) => environment)).size;
  const label = { fontWeight: "bold", frameAnchor: "top-left", dy: -3, lineAnchor: "bottom" } as const;
  return draw({
    height: 90 + strips * (22 + 16 * ways.length),
    marginLeft: 110,
    marginRight: 30,
    marginTop: 60,
    x: { label: null, grid: true },
    y: { domain: ways, label: null },
    fy: { axis: null, padding: 0.25 },
    marks: [
      ...intervalRows(points, { fy: "environment", y: "way", chance: 0.5, colour }),
      Plot.text(
        points.filter(({ way }) => way === ways[0]),
        { fy: "environment", text: "environment", ...label },
      ),
      Plot.text([title], { frameAnchor: "top-left", dy: -44, fontSize: 14, fontWeight: "bold", facet: "super" }),
    ],
  });
}
