import { type Interval, interquartileMeanInterval, probabilityOfImprovement } from "@magic-mask/metrics";
import { dropOf, fidelityOf, klOfRuns, percent, sharingOf } from "../../../diagnostics/limits.ts";
import { draw, heading, INK, intervalRows, VERMILION, withinUnit } from "../../../svg.ts";
import type { Cell } from "../../../terminal/table.ts";
import { gainOver, type OverSeeds, overSeeds } from "../../over-seeds.ts";
import type { Axes, Judgement, Report, Result } from "../../study.ts";
import { explained, ofFrozen } from "../common/explained-figures.ts";
import { shown, signed } from "../common/figures.ts";
import { FROZEN, scoresOf } from "../common/scores.ts";
import type { MainFigures } from "./main.ts";

/** The method that others are held against; where agents have no peers, or it was not asked for, the one without them. */
const OURS = "advantage+comm";
const ALONE = "advantage";
const RIVAL = "statemask";

/** Fewer runs than this are not pooled. */
const FEWEST_RUNS = 10;
const RESAMPLING = { seed: 0 };

type Figure = (figures: MainFigures) => number | null;
const ofTrained =
  (figure: (trained: NonNullable<MainFigures["joint"]>) => number | null | undefined): Figure =>
  ({ joint }) =>
    (joint && figure(joint)) ?? null;

const strength = ofTrained((trained) => trained.strength[0].value);
const kl = ofTrained((trained) => trained.kl?.update);
const auroc = ofFrozen(explained.auroc);
const drop = ofFrozen(explained.drop);
const fidelity: Figure = ({ posthoc }) => posthoc?.fidelity ?? null;

export function reportOnMain(axes: Axes, results: readonly Result<MainFigures>[]): Report {
  const methods = axes.method as readonly string[];
  // Where there are several, what the most steps come to.
  const budget = Math.max(...(axes.budget as readonly number[]));
  const over = (environment: string, method: string, figure: Figure): OverSeeds => {
    // A figure is of one of the two parts, and null in the other.
    const known = results.filter(({ figures }) => figure(figures) !== null);
    return overSeeds(known, { environment, method, budget }, axes.seed, figure);
  };
  const ours = (environment: string) => {
    const isTold = methods.includes(OURS) && over(environment, OURS, auroc).values.size > 0;
    return isTold || !methods.includes(ALONE) ? OURS : ALONE;
  };
  const gain = (environment: string, method: string, figure: Figure) =>
    gainOver(over(environment, ours(environment), figure), over(environment, method, figure));

  const tables = axes.environment.flatMap((environment) => {
    const cell = (method: string, figure: Figure) => shown(over(environment, method, figure).interval);
    const plain = (method: string, figure: Figure) =>
      over(environment, method, figure).interval?.estimate ?? Number.NaN;
    const sample = results.find(({ at, figures }) => at.environment === environment && figures.joint)?.figures.joint;
    const opponents = sample?.strength ?? [];
    const missing = (figure: Figure) =>
      methods.flatMap((method) => {
        const { missing: seeds } = over(environment, method, figure);
        return seeds.length > 0 ? [`${method} (seeds ${seeds.join(", ")})`] : [];
      });
    const unknown = missing(auroc);
    return [
      {
        title: `${environment}: policies that learned together with masks`,
        note: "Played unperturbed and as they sample. Advantage, with or without what peers tell, and value leave the blinding to one and the same coin and change nothing in what the policies see, so one run stands for them. Methods that learn nothing have the policies that learned without masks. KL of the last 20 iterations. Drops are those of the mask as training ends.",
        header: [
          "method",
          ...opponents.map(({ metric, opponent }) => `${metric === "return" ? "return" : "win rate"}, ${opponent}`),
          "kl/update",
          "largest",
          "kl/perturbation",
          "E[m]",
          "coverage",
          "drop at top 10 %",
          "at random",
          "at lowest",
        ],
        body: methods.map((method): Cell[] => [
          method,
          ...opponents.map((_, k) =>
            cell(
              method,
              ofTrained((trained) => trained.strength[k]?.value),
            ),
          ),
          cell(method, kl),
          plain(
            method,
            ofTrained((trained) => trained.kl?.largestUpdate),
          ),
          plain(
            method,
            ofTrained((trained) => trained.kl?.perturbation),
          ),
          plain(
            method,
            ofTrained((trained) => trained.mask?.mean),
          ),
          plain(
            method,
            ofTrained((trained) => trained.mask?.coverage),
          ),
          cell(
            method,
            ofTrained((trained) => trained.drop?.top),
          ),
          plain(
            method,
            ofTrained((trained) => trained.drop?.random),
          ),
          plain(
            method,
            ofTrained((trained) => trained.drop?.bottom),
          ),
        ]),
      },
      {
        title: `${environment}: explanations of frozen policies after ${budget} environment steps`,
        note: [
          "AUROC and NDCG are of the true top 10 %. A drop is the loss of return, as a share of its range, when a tenth of one agent's decisions is made at random: those scored highest, or lowest; the row of random says what chance costs. StateMask's score is better the lower it is; what is not below its floor, that of replays with nothing blinded, says nothing.",
          unknown.length > 0
            ? `Without an AUROC, as it failed, nothing was at stake, or there are no peers: ${unknown.join("; ")}.`
            : "",
        ]
          .join(" ")
          .trim(),
        header: [
          "method",
          "AUROC@10",
          "Spearman",
          "NDCG@10",
          "in 90 %",
          "drop at top 10 %",
          "blinded",
          "at lowest",
          "StateMask's score",
          "its floor",
          "inter-agent fidelity",
        ],
        body: methods.map((method): Cell[] => [
          method,
          cell(method, auroc),
          cell(method, ofFrozen(explained.spearman)),
          cell(method, ofFrozen(explained.ndcg)),
          plain(method, ofFrozen(explained.calibration)),
          cell(method, drop),
          plain(method, ofFrozen(explained.blinded)),
          plain(method, ofFrozen(explained.lowest)),
          plain(method, ofFrozen(explained.window)),
          plain(method, ofFrozen(explained.floor)),
          cell(method, fidelity),
        ]),
      },
      {
        title: `${environment}: ${ours(environment)} less each of the others`,
        note: "Seed by seed; an interval that spans zero separates nothing.",
        header: ["less", "return", "kl/update", "AUROC@10", "Spearman", "drop at top 10 %"],
        body: methods
          .filter((method) => method !== ours(environment))
          .map((method): Cell[] => [
            method,
            ...[strength, kl, auroc, ofFrozen(explained.spearman), drop].map((figure) =>
              shown(gain(environment, method, figure).interval),
            ),
          ]),
      },
    ];
  });

  const judgements = axes.environment.flatMap((environment): Judgement[] => {
    if (!methods.includes(RIVAL)) return [];
    const subject = ours(environment);
    const against = (figure: Figure) => gain(environment, RIVAL, figure).interval;
    const own = over(environment, subject, drop).interval;
    const alone = gainOver(over(environment, OURS, fidelity), over(environment, ALONE, fidelity)).interval;
    const about = { where: environment };
    return [
      {
        ...about,
        claim: "return above StateMask's",
        ...compared(`return, ${subject} less ${RIVAL}, trained together`, against(strength), 1),
      },
      {
        ...about,
        claim: "KL 0.08 to 0.09 against 0.12",
        ...compared(`kl/update, ${subject} less ${RIVAL}, trained together`, against(kl), -1),
      },
      {
        ...about,
        claim: environment.startsWith("pong")
          ? "inter-agent fidelity 0.92 against 0.78"
          : "inter-agent fidelity above StateMask's",
        figure: `inter-agent fidelity, ${OURS} less ${ALONE}`,
        measured: alone,
        verdict: "not comparable",
        why: alone
          ? `StateMask tells peers nothing, so it has none; against records of one's own alone: ${separated(alone)}`
          : "StateMask tells peers nothing, and here nobody has peers to explain",
      },
      {
        ...about,
        claim: "drop 15.1 to 16.2 % against 10.3 to 13.4 %",
        ...compared(
          `drop at top 10 %, ${subject} less ${RIVAL}${own ? `; its own ${(100 * own.estimate).toFixed(1)} %` : ""}`,
          against(drop),
          1,
        ),
      },
    ];
  });

  const sentences = axes.environment.map((environment) => {
    const subject = ours(environment);
    const others = methods.filter((method) => method !== subject);
    const told = (figure: Figure) => {
      const verdicts = others.map((method) => ({ method, interval: gain(environment, method, figure).interval }));
      const list = (of: (interval: Interval) => boolean) =>
        verdicts.flatMap(({ method, interval }) =>
          interval && of(interval) ? [`${method} (${signed(interval)})`] : [],
        );
      const parts = [
        ["above", list(({ low }) => low > 0)],
        ["below", list(({ high }) => high < 0)],
        ["not separated from", list(({ low, high }) => low <= 0 && high >= 0)],
      ] as const;
      return parts.flatMap(([words, names]) => (names.length > 0 ? [`${words} ${names.join(", ")}`] : [])).join("; ");
    };
    return `${environment}: in AUROC ${subject} is ${told(auroc) || "alone"}; in the drop at its top 10 % it is ${told(drop) || "alone"} (95 % paired t-intervals over seeds).`;
  });

  const diagnostics = axes.environment.flatMap((environment) => {
    const where = (method: string) => `main, ${environment}, ${method}`;
    const joint = methods.filter((method) => over(environment, method, kl).values.size > 0);
    const subject = ours(environment);
    const own = over(environment, subject, drop).interval;
    const random = over(environment, "random", drop).interval;
    const isAbove = (gain(environment, "random", drop).interval?.low ?? 0) > 0;
    const shared = over(environment, OURS, fidelity).interval?.estimate ?? Number.NaN;
    const unshared = over(environment, ALONE, fidelity).interval?.estimate ?? Number.NaN;
    return [
      ...joint.map((method) => {
        const largest = over(
          environment,
          method,
          ofTrained((trained) => trained.kl?.largestUpdate),
        );
        return klOfRuns(where(method), largest.values.values());
      }),
      dropOf(where(subject), 0.1, own?.estimate ?? Number.NaN, isAbove, random ? percent(random.estimate) : "unknown"),
      ...(Number.isNaN(shared)
        ? []
        : [fidelityOf(where(OURS), { shared }), sharingOf(where(OURS), { shared, unshared })]),
    ];
  });

  return {
    diagnostics,
    tables: [...tables, ...pooled()],
    judgements,
    sentences,
    pictures: axes.environment.flatMap((environment) =>
      [
        { name: "auroc", what: "AUROC of the true top 10 %", figure: auroc, chance: 0.5, isUnit: true },
        {
          name: "drop",
          what: "loss of return at the top 10 %, share of its range",
          figure: drop,
          chance: 0,
          isUnit: false,
        },
      ].flatMap(({ name, what, figure, chance, isUnit }) => {
        const points = methods.flatMap((method) => {
          const { interval } = over(environment, method, figure);
          return interval ? [{ method, ...(isUnit ? withinUnit(interval) : interval) }] : [];
        });
        const title = `${environment}: ${what}`;
        return points.length === 0
          ? []
          : [{ name: `${environment}-${name}.svg`, svg: plotMethods(title, points, ours(environment), chance) }];
      }),
    ),
    scores: scoresOf(
      axes,
      results,
      methods.map((method) => ({ name: method, at: { method } })),
      [
        {
          name: "return",
          title: "return or win rate of policies that learned together with masks",
          oneScale: false,
          of: strength,
        },
        ...FROZEN,
      ],
    ),
  };

  /** Over worlds × seeds: of worlds where both have every seed. */
  function pooled(): Report["tables"] {
    const runsOf = (method: (environment: string) => string, figure: Figure, worlds: readonly string[]): number[][] =>
      worlds.map((environment) => [...over(environment, method(environment), figure).values.values()]);
    const rows = methods.flatMap((method): Cell[][] => {
      const known = axes.environment.filter((environment) => over(environment, method, auroc).missing.length === 0);
      if (known.length * axes.seed.length < FEWEST_RUNS) return [];
      const both = (figure: Figure) => {
        const same = axes.environment.filter((environment) =>
          [method, ours(environment)].every(
            (each) => over(environment, each, figure).missing.length === 0 && method !== ours(environment),
          ),
        );
        if (same.length * axes.seed.length < FEWEST_RUNS) return shown(null);
        return probabilityOfImprovement(
          runsOf(ours, figure, same),
          runsOf(() => method, figure, same),
          RESAMPLING,
        );
      };
      const middle = (figure: Figure) => {
        const worlds = axes.environment.filter((environment) => over(environment, method, figure).missing.length === 0);
        return worlds.length * axes.seed.length < FEWEST_RUNS
          ? shown(null)
          : interquartileMeanInterval(
              runsOf(() => method, figure, worlds),
              RESAMPLING,
            );
      };
      return [[method, known.length, middle(auroc), middle(drop), both(auroc), both(drop), both(strength)]];
    });
    if (rows.length === 0) return [];
    return [
      {
        title: "All worlds and seeds",
        note: `Interquartile means, and the probability that a run of ${OURS} (where agents have no peers, of ${ALONE}) is above one of the method in the same world, mean over worlds; 95 % intervals by bootstrap within worlds. Only worlds in which every seed is known: their number. Nothing is pooled below ${FEWEST_RUNS} runs.`,
        header: ["method", "worlds", "AUROC@10", "drop at top 10 %", "P(ours above): AUROC@10", "drop", "return"],
        body: rows,
      },
    ];
  }
}

/** Whether a difference goes the way of the claim. @param sign 1: above is claimed; −1: below */
function compared(
  figure: string,
  measured: Interval | null,
  sign: 1 | -1,
): Pick<Judgement, "figure" | "measured" | "verdict" | "why"> {
  if (!measured) return { figure, measured, verdict: "not comparable", why: "it is unknown for one of the two" };
  const isThere = sign > 0 ? measured.low > 0 : measured.high < 0;
  if (isThere) return { figure, measured, verdict: "reproduced", why: "the difference has the sign of the claim" };
  const isOpposite = sign > 0 ? measured.high < 0 : measured.low > 0;
  return { figure, measured, verdict: "not reproduced", why: isOpposite ? "the opposite holds" : separated(measured) };
}

function separated({ low, high }: Interval): string {
  if (low > 0) return "above";
  return high < 0 ? "below" : "not separated: the interval spans zero";
}

interface Point extends Interval {
  readonly method: string;
}

/** Every method as a dot with its interval, best first. @param chance where a line is drawn */
function plotMethods(title: string, points: readonly Point[], subject: string, chance: number): string {
  const sorted = [...points].sort((a, b) => b.estimate - a.estimate);
  const colour = ({ method }: Point) => (method === subject ? VERMILION : INK);
  return draw({
    height: 90 + 22 * sorted.length,
    marginLeft: 130,
    marginRight: 30,
    x: { label: null, grid: true },
    y: { domain: sorted.map(({ method }) => method), label: null },
    marks: [...intervalRows(sorted, { y: "method", chance, colour }), heading(title)],
  });
}
