import { formatCount } from "../../../terminal/progress.ts";
import { formatInterval } from "../../../terminal/table.ts";
import { gainOver, overSeeds } from "../../over-seeds.ts";
import type { Axes, Judgement, Report, Result } from "../../study.ts";
import { apart } from "../common/apart.ts";
import { shown, signed } from "../common/figures.ts";
import { scoresOf } from "../common/scores.ts";
import type { RetrainFigures } from "./retrain.ts";

/** What the others are held against: no starts, and starts by chance. */
const NONE = "none";
const CHANCE = "random";

type Figure = (figures: RetrainFigures) => number | null;
const gained: Figure = ({ before, after }) => after - before;

export function reportOnRetrain(axes: Axes, results: readonly Result<RetrainFigures>[]): Report {
  const names = axes.starts as readonly string[];
  const places = axes.environment.flatMap((environment) =>
    (axes.budget as readonly number[]).map((budget) => ({ environment, budget })),
  );
  const look = ({ environment, budget }: (typeof places)[number]) => {
    const over = (starts: string, figure: Figure) =>
      overSeeds(results, { environment, budget, starts }, axes.seed, figure);
    const more = (name: string, other: string) => gainOver(over(name, gained), over(other, gained)).interval;
    return { over, more };
  };

  const tables = places.map((place) => {
    const { over, more } = look(place);
    return {
      title: `${place.environment}: ${formatCount(place.budget)} further environment steps`,
      note: "Return on held-out episodes that begin as always, game units; where one's gain is another's loss, against the policies as they were. Steps that went into looking and explaining are of the same budget. AUROC: of the true top tenth, by what starts were chosen by.",
      header: [
        "starts",
        "before",
        "after",
        "gain",
        `over ${NONE}`,
        `over ${CHANCE}`,
        "AUROC of the choice",
        "steps to look",
        "steps to explain",
      ],
      body: names.map((name) => {
        const cell = (figure: Figure) => shown(over(name, figure).interval);
        const plain = (figure: Figure) => over(name, figure).interval?.estimate ?? Number.NaN;
        const against = (other: string) => (name === other || !names.includes(other) ? "" : shown(more(name, other)));
        return [
          name,
          cell(({ before }) => before),
          cell(({ after }) => after),
          cell(gained),
          against(NONE),
          against(CHANCE),
          cell(({ auroc }) => auroc),
          plain(({ spent }) => spent.looking),
          plain(({ spent }) => spent.explaining),
        ];
      }),
    };
  });

  const chosen = names.filter((name) => name !== NONE && name !== CHANCE);
  const pairs = chosen.flatMap((name) =>
    [NONE, CHANCE].filter((other) => names.includes(other)).map((other) => ({ name, other })),
  );
  const judgements = places.flatMap((place) =>
    pairs.map(({ name, other }): Judgement => {
      const interval = look(place).more(name, other);
      return {
        where: `${place.environment}, ${formatCount(place.budget)} steps`,
        claim: "not tested",
        figure: `return gained, starts ${name} over ${other}`,
        measured: interval,
        verdict: "not comparable",
        why: `the paper does not test it; ${apart(interval)}`,
      };
    }),
  );
  const sentences = places.flatMap((place) => {
    const { over, more } = look(place);
    const at = `${place.environment}, ${formatCount(place.budget)} further steps`;
    const plain = over(NONE, gained).interval;
    return [
      ...(plain
        ? [
            `${at}: training on as always gains ${formatInterval(plain)}${apart(plain) === "not separated" ? ", not separated from zero" : ""}.`,
          ]
        : []),
      ...pairs.map(({ name, other }) => {
        const interval = more(name, other);
        return `${at}: starts by ${name} against ${other}: ${signed(interval)} (${apart(interval)}).`;
      }),
    ];
  });
  const scores = scoresOf(
    axes,
    results,
    names.map((starts) => ({ name: starts, at: { starts } })),
    [
      { name: "after", title: "Return after training on", oneScale: false, of: ({ after }) => after },
      { name: "gain", title: "Return gained by training on", oneScale: false, of: gained },
    ],
  );
  return { tables, judgements, sentences, pictures: [], scores };
}
