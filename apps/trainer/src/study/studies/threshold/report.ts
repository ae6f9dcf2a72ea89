import type { Interval } from "@magic-mask/metrics";
import { plotCurves } from "../../../curves.ts";
import { gateOf, klOfRuns } from "../../../diagnostics/limits.ts";
import type { Cell } from "../../../terminal/table.ts";
import { gainOver, type OverSeeds, overSeeds } from "../../over-seeds.ts";
import type { Axes, Judgement, Report, Result } from "../../study.ts";
import { explained, ofFrozen } from "../common/explained-figures.ts";
import { shown, signed } from "../common/figures.ts";
import { type Metric, scoresOf } from "../common/scores.ts";
import { decides, type ThresholdFigures } from "./threshold.ts";

/** τ that the paper calls best. */
const CLAIMED = 0.5;

type Figure = (figures: ThresholdFigures) => number | null;
const strength: Figure = ({ joint }) => joint?.strength[0].value ?? null;
const gateDrop: Figure = ({ posthoc }) => posthoc?.gate.drop ?? null;

/** What is judged. */
const JUDGED: readonly Metric<ThresholdFigures>[] = [
  { name: "return", title: "return, trained together", oneScale: false, of: strength },
  {
    name: "kept",
    title: "return kept behind the gate, share of its range",
    oneScale: true,
    of: ({ posthoc }) => posthoc && 1 - posthoc.gate.drop,
  },
  { name: "auroc", title: "AUROC@10", oneScale: true, of: ofFrozen(explained.auroc) },
  { name: "drop", title: "drop at top 10 %", oneScale: true, of: ofFrozen(explained.drop) },
];

/** What is drawn over τ. */
const DRAWN: readonly { readonly name: string; readonly what: string; readonly figure: Figure }[] = [
  { name: "auroc", what: "AUROC of the true top 10 %, frozen policies", figure: ofFrozen(explained.auroc) },
  { name: "gate", what: "loss behind the gate, share of the return range", figure: gateDrop },
];

export function reportOnThreshold(axes: Axes, results: readonly Result<ThresholdFigures>[]): Report {
  const thresholds = [...(axes.threshold as readonly number[])].sort((a, b) => a - b);
  const objectives = axes.objective as readonly string[];
  // Where there are several, what the most steps come to.
  const budget = Math.max(...(axes.budget as readonly number[]));
  const over = (environment: string, objective: string, τ: number, figure: Figure): OverSeeds => {
    const known = results.filter(({ at, figures }) => at.environment === environment && figure(figures) !== null);
    return overSeeds(known, { environment, objective, threshold: τ, budget }, axes.seed, figure);
  };
  const places = axes.environment.flatMap((environment) => objectives.map((objective) => ({ environment, objective })));

  const tables = places.map(({ environment, objective }) => {
    const isDeciding = decides({ objective, threshold: CLAIMED });
    return {
      title: `${environment}: ${objective}`,
      note: `Return: of policies that learned together with the masks. The gate blinds one agent where m ≤ τ: loss of return as a share of its range, and the share that was blinded. ${isDeciding ? "The masks decide the blinding while they learn." : "A coin decides the blinding: τ is nothing but the place of the gate, and what does not depend on it is the same in every row."} Records are of decisions, not of gates, so inter-agent fidelity depends on τ nowhere.`,
      header: [
        "τ",
        "return",
        "kl/update",
        "coverage in training",
        "loss behind the gate",
        "blinded",
        "AUROC@10",
        "drop at top 10 %",
        "StateMask's score",
        "its floor",
      ],
      body: thresholds.map((τ): Cell[] => {
        const cell = (figure: Figure) => shown(over(environment, objective, τ, figure).interval);
        const plain = (figure: Figure) => over(environment, objective, τ, figure).interval?.estimate ?? Number.NaN;
        return [
          τ,
          cell(strength),
          plain(({ joint }) => joint?.kl.update ?? null),
          isDeciding ? plain(({ joint }) => joint?.mask.coverage ?? null) : "",
          cell(gateDrop),
          plain(({ posthoc }) => posthoc?.gate.blinded ?? null),
          cell(ofFrozen(explained.auroc)),
          cell(ofFrozen(explained.drop)),
          plain(ofFrozen(explained.window)),
          plain(ofFrozen(explained.floor)),
        ];
      }),
    };
  });

  const judgements = places.flatMap(({ environment, objective }): Judgement[] => {
    const about = { where: `${environment}, ${objective}`, claim: `τ = ${CLAIMED} is best` };
    if (!decides({ objective, threshold: CLAIMED })) {
      const why =
        "a coin decides the blinding: policies and rankings do not depend on τ, and the lower it is the less the gate blinds";
      return [{ ...about, figure: "all", measured: null, verdict: "not comparable", why }];
    }
    return JUDGED.map(({ title, of }) => {
      const gains = thresholds
        .filter((τ) => τ !== CLAIMED)
        .map((τ) => ({
          τ,
          gain: gainOver(over(environment, objective, CLAIMED, of), over(environment, objective, τ, of)).interval,
        }));
      return { ...about, ...bestOf(title, gains) };
    });
  });

  const sentences = places.flatMap(({ environment, objective }) =>
    decides({ objective, threshold: CLAIMED })
      ? JUDGED.map(({ title, of }) => {
          const told = thresholds.map((τ) => ({ τ, interval: over(environment, objective, τ, of).interval }));
          const known = told.flatMap(({ τ, interval }) => (interval ? [{ τ, interval }] : []));
          if (known.length === 0) return `${environment}, ${objective}: ${title} is unknown.`;
          const best = known.reduce((a, b) => (b.interval.estimate > a.interval.estimate ? b : a));
          return `${environment}, ${objective}: ${title} has its highest mean at τ = ${best.τ} (${signed(best.interval)}).`;
        })
      : [],
  );
  const scores = scoresOf(
    axes,
    results,
    objectives.flatMap((objective) =>
      thresholds.map((threshold) => ({ name: `${objective}, τ = ${threshold}`, at: { objective, threshold } })),
    ),
    JUDGED,
  );
  const diagnostics = places.flatMap(({ environment, objective }) => {
    const where = `threshold, ${environment}, ${objective}, τ = ${CLAIMED}`;
    const of = (figure: Figure) => over(environment, objective, CLAIMED, figure);
    const estimate = (figure: Figure) => of(figure).interval?.estimate ?? Number.NaN;
    const largest = [...of(({ joint }) => joint?.kl.largestUpdate ?? null).values.values()];
    return [
      ...(largest.length > 0 ? [klOfRuns(where, largest)] : []),
      gateOf(
        where,
        estimate(gateDrop),
        estimate(({ posthoc }) => posthoc?.gate.blinded ?? null),
      ),
    ];
  });
  const pictures = axes.environment.flatMap((environment) =>
    DRAWN.flatMap(({ name, what, figure }) => {
      const svg = plotCurves({
        title: `${environment}: ${what}`,
        xLabel: "threshold τ",
        isUnit: true,
        series: objectives.map((objective) => ({
          name: objective,
          points: thresholds.flatMap((τ) => {
            const { interval } = over(environment, objective, τ, figure);
            return interval ? [{ x: τ, ...interval }] : [];
          }),
        })),
      });
      return svg === null ? [] : [{ name: `${environment}-${name}.svg`, svg }];
    }),
  );
  return { tables, judgements, sentences, pictures, scores, diagnostics };
}

/** Whether τ = .5 is above every other, surely. @param gains of it over each of the others */
function bestOf(
  figure: string,
  gains: readonly { readonly τ: number; readonly gain: Interval | null }[],
): Pick<Judgement, "figure" | "measured" | "verdict" | "why"> {
  const known = gains.flatMap(({ τ, gain }) => (gain ? [{ τ, gain }] : []));
  if (known.length < gains.length || known.length === 0) {
    return { figure, measured: null, verdict: "not comparable", why: "it is unknown for some τ" };
  }
  // The one that is nearest to being better.
  const nearest = known.reduce((a, b) => (b.gain.estimate < a.gain.estimate ? b : a));
  const named = { figure: `${figure}, τ = ${CLAIMED} less τ = ${nearest.τ}`, measured: nearest.gain };
  const list = (some: typeof known) => some.map(({ τ }) => τ).join(", ");
  const better = known.filter(({ gain }) => gain.high < 0);
  if (better.length > 0) return { ...named, verdict: "not reproduced", why: `better at τ = ${list(better)}` };
  const open = known.filter(({ gain }) => gain.low <= 0);
  if (open.length > 0) return { ...named, verdict: "not reproduced", why: `not separated from τ = ${list(open)}` };
  return { ...named, verdict: "reproduced", why: "above every other" };
}
