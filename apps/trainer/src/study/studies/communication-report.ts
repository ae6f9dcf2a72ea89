import { discovery, type Interval } from "@magic-mask/metrics";
import * as Plot from "@observablehq/plot";
import { BLUE, draw, GREY, heading, named, VERMILION } from "../../svg.ts";
import { formatCount } from "../../terminal/progress.ts";
import { type Cell, formatInterval, formatNumber } from "../../terminal/table.ts";
import { combined, gainOver, type OverSeeds, overSeeds } from "../over-seeds.ts";
import type { Axes, Judgement, Report, Result } from "../study.ts";
import type { CommunicationFigures } from "./communication.ts";

type Figure = (figures: CommunicationFigures) => number | null;

/** Mean over agents; null where one's is undefined. */
const meanOf =
  (key: "own" | "head" | "stacked"): Figure =>
  ({ agents }) => {
    let sum = 0;
    for (const agent of agents) {
      const value = agent[key];
      if (value === null) return null;
      sum += value / agents.length;
    }
    return sum;
  };
const stacked = meanOf("stacked");
const fidelity: Figure = (figures) => figures.fidelity.all;

/** The mode that the others are held against: every agent has its own records alone. */
const ALONE = "none";
/** Least relative loss of fidelity without sharing that the paper states. */
const CLAIMED = 0.15;
/** AUROC that counts as having found what matters. */
const FOUND = 0.8;

export function reportOnCommunication(axes: Axes, results: readonly Result<CommunicationFigures>[]): Report {
  const budgets = [...(axes.budget as readonly number[])].sort((a, b) => a - b);
  const modes = axes.mode as readonly string[];
  const last = budgets[budgets.length - 1];
  const over = (environment: string, mode: string, budget: number, figure: Figure) =>
    overSeeds(results, { environment, mode, budget }, axes.seed, figure);
  const gain = (environment: string, mode: string, budget: number, figure: Figure) =>
    gainOver(over(environment, mode, budget, figure), over(environment, ALONE, budget, figure));

  const tables = axes.environment.flatMap((environment) => [
    ...budgets.map((budget) => ({
      title: `${environment}: ${formatCount(budget)} environment steps`,
      note: missingNote(modes.map((mode) => over(environment, mode, budget, stacked))),
      header: [
        "mode",
        "AUROC, stacked",
        `over ${ALONE}`,
        "record head",
        "own mask",
        "fidelity",
        `over ${ALONE}`,
        "same role",
        "cross role",
        "bytes",
        "received",
        "redundancy",
      ],
      body: modes.map((mode): Cell[] => {
        const cell = (figure: Figure) => shown(over(environment, mode, budget, figure).interval);
        const plain = (figure: Figure) => over(environment, mode, budget, figure).interval?.estimate ?? Number.NaN;
        const more = (figure: Figure) =>
          mode === ALONE ? "" : shown(gain(environment, mode, budget, figure).interval);
        return [
          mode,
          cell(stacked),
          more(stacked),
          plain(meanOf("head")),
          plain(meanOf("own")),
          cell(fidelity),
          more(fidelity),
          plain(({ fidelity: { sameRole } }) => sameRole),
          plain(({ fidelity: { crossRole } }) => crossRole),
          plain(({ bytes }) => bytes),
          plain(({ received }) => received),
          plain(({ redundancy }) => redundancy),
        ];
      }),
    })),
    {
      title: `${environment}: discovery`,
      note: `Steps of the shortest budget from which on the stacked AUROC is above ${FOUND}, seed by seed; n/a: not within ${formatCount(last)}.`,
      header: ["mode", ...axes.seed.map((seed) => `seed ${seed}`)],
      body: modes.map((mode): Cell[] => [
        mode,
        ...axes.seed.map((seed) => {
          const curve = budgets.map((budget) => over(environment, mode, budget, stacked).values.get(seed));
          return curve.every((area) => area !== undefined) ? discovery(budgets, curve as number[], FOUND) : Number.NaN;
        }),
      ]),
    },
  ]);

  const judgements = axes.environment.flatMap((environment) =>
    modes
      .filter((mode) => mode !== ALONE)
      .map((mode) =>
        judged(
          environment,
          mode,
          last,
          combined(
            over(environment, mode, last, fidelity),
            over(environment, ALONE, last, fidelity),
            (shared, alone) => 1 - alone / shared,
          ),
        ),
      ),
  );
  const sentences = axes.environment.flatMap((environment) =>
    modes
      .filter((mode) => mode !== ALONE)
      .map((mode) => {
        const gains = budgets.map((budget) => ({
          budget,
          interval: gain(environment, mode, budget, stacked).interval,
        }));
        const told = gains.map(({ budget, interval }) => `${signed(interval)} at ${formatCount(budget)}`).join(", ");
        const sure = gains.filter(({ interval }) => interval && interval.low > 0);
        const harm = gains.filter(({ interval }) => interval && interval.high < 0);
        const list = (some: typeof gains) => some.map(({ budget }) => formatCount(budget)).join(", ");
        const words = sure.length > 0 ? `above zero at ${list(sure)}` : "separated from zero at no budget";
        const loss = harm.length > 0 ? `; below zero at ${list(harm)}` : "";
        return `${environment}: ${mode} changes the stacked AUROC by ${told} steps; ${words}${loss} (95 % paired t-intervals over seeds).`;
      }),
  );
  const pictures = axes.environment.flatMap((environment) => {
    const curves = [
      { name: "auroc", what: "AUROC of the true top 10 %, mask and record head stacked", figure: stacked },
      { name: "fidelity", what: "inter-agent fidelity", figure: fidelity },
    ];
    return curves.flatMap(({ name, what, figure }) => {
      const points = modes.flatMap((mode) =>
        budgets.flatMap((budget) => {
          const { interval } = over(environment, mode, budget, figure);
          return interval ? [{ mode, budget, ...interval }] : [];
        }),
      );
      return points.length === 0
        ? []
        : [{ name: `${environment}-${name}.svg`, svg: plotCurves(`${environment}: ${what}`, points) }];
    });
  });
  return { tables, judgements, sentences, pictures };
}

/** Whether fidelity is lower without sharing, by as much as the paper says. */
function judged(environment: string, mode: string, budget: number, { interval, missing }: OverSeeds): Judgement {
  const about = {
    where: `${environment}, ${mode}, ${formatCount(budget)} steps`,
    claim: "15 to 25 % lower without sharing",
    figure: "relative loss of inter-agent fidelity without sharing",
    measured: interval,
  };
  if (!interval) {
    return { ...about, verdict: "not comparable", why: `fidelity is unknown for seeds ${missing.join(", ")}` };
  }
  if (interval.low <= 0 && interval.high >= CLAIMED) {
    return {
      ...about,
      verdict: "not comparable",
      why: "the interval holds both no loss and the claimed one: more seeds",
    };
  }
  if (interval.high < CLAIMED) {
    const why = interval.low > 0 ? "a loss, smaller than claimed" : "less than the claimed loss";
    return { ...about, verdict: "not reproduced", why };
  }
  return {
    ...about,
    verdict: "reproduced",
    why: "a loss, and one of the claimed size lies within the interval or below it",
  };
}

function missingNote(figures: readonly OverSeeds[]): string {
  const missing = [...new Set(figures.flatMap((figure) => figure.missing))].sort((a, b) => a - b);
  return missing.length === 0 ? "" : `Unknown for seeds ${missing.join(", ")}: they failed, or nothing was at stake.`;
}

const shown = (interval: Interval | null): Interval =>
  interval ?? { estimate: Number.NaN, low: Number.NaN, high: Number.NaN };

const signed = (interval: Interval | null) =>
  interval
    ? `${interval.estimate < 0 ? "" : "+"}${formatInterval(interval)}`.replaceAll("-", "−")
    : formatNumber(Number.NaN);

interface Point extends Interval {
  readonly mode: string;
  readonly budget: number;
}

/** One curve a mode over budgets, with intervals; `none` in grey. */
function plotCurves(title: string, points: readonly Point[]): string {
  const modes = [...new Set(points.map(({ mode }) => mode))];
  const budgets = [...new Set(points.map(({ budget }) => budget))];
  const colour = ({ mode }: { readonly mode: string }) =>
    mode === ALONE ? GREY : mode === "perturbed" ? VERMILION : BLUE;
  const most = Math.max(...budgets);
  // Beside each other, so that intervals can be told apart.
  const apart = (mode: string) => 5 * (modes.indexOf(mode) - (modes.length - 1) / 2);
  const ends = points.filter(({ budget }) => budget === most).map((point) => ({ ...point, text: point.mode }));
  return draw({
    x: {
      label: "environment steps that agents learned from",
      labelAnchor: "center",
      type: "log",
      ticks: budgets,
      tickFormat: "~s",
    },
    y: { label: null, grid: true },
    marks: [
      ...modes.flatMap((mode) => {
        const own = points.filter((point) => point.mode === mode);
        const dx = apart(mode);
        return [
          Plot.line(own, { x: "budget", y: "estimate", stroke: colour({ mode }), strokeOpacity: 0.7, dx }),
          Plot.ruleX(own, { x: "budget", y1: "low", y2: "high", stroke: colour({ mode }), dx }),
          Plot.dot(own, { x: "budget", y: "estimate", fill: colour({ mode }), r: 3, dx }),
        ];
      }),
      ...(ends.length > 0 ? named(ends, colour) : []),
      heading(title),
    ],
  });
}
