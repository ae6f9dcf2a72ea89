import { byName } from "@magic-mask/core";
import { discovery } from "@magic-mask/metrics";
import { plotCurves } from "../../../curves.ts";
import { formatCount } from "../../../terminal/progress.ts";
import type { Cell } from "../../../terminal/table.ts";
import { combined, gainOver, type OverSeeds, overSeeds, shareOf } from "../../over-seeds.ts";
import type { Axes, Judgement, Report, Result } from "../../study.ts";
import { type Figure, fidelity, meanOf, missingNote, shown, signed, stacked } from "../common/figures.ts";
import { SHARING, scoresOf } from "../common/scores.ts";
import type { SharingFigures } from "../common/sharing-figures.ts";
import { arms } from "./arms.ts";

/** Least relative loss of fidelity without sharing that the paper states. */
const CLAIMED = 0.15;
/** The mode that is on unless another is asked for. */
const DEFAULT = "perturbed";
/** AUROC that counts as having found what matters. */
const FOUND = 0.8;

export function reportOnCommunication(axes: Axes, results: readonly Result<SharingFigures>[]): Report {
  const budgets = [...(axes.budget as readonly number[])].sort((a, b) => a - b);
  const modes = axes.mode as readonly string[];
  const last = budgets[budgets.length - 1];
  const over = (environment: string, mode: string, budget: number, figure: Figure) =>
    overSeeds(results, { environment, mode, budget }, axes.seed, figure);
  const gain = (environment: string, mode: string, budget: number, figure: Figure) =>
    gainOver(over(environment, mode, budget, figure), over(environment, referenceOf(mode), budget, figure));
  const sharing = modes.filter((mode) => referenceOf(mode) !== mode);

  const tables = axes.environment.flatMap((environment) => [
    ...budgets.map((budget) => ({
      title: `${environment}: ${formatCount(budget)} environment steps`,
      note: [
        "Bytes that an agent hands to the channel per 1,000 environment steps; share of messages delivered; records received; their ages in collector ticks; share of perturbations in states that peers had settled.",
        missingNote(Object.fromEntries(modes.map((mode) => [mode, over(environment, mode, budget, stacked)]))),
      ]
        .filter((text) => text !== "")
        .join(" "),
      header: [
        "mode",
        "AUROC, stacked",
        "over its none",
        "record head",
        "own mask",
        "fidelity",
        "over its none",
        "same role",
        "cross role",
        "bytes",
        "delivered",
        "received",
        "age on arrival",
        "age at use",
        "redundancy",
      ],
      body: modes.map((mode): Cell[] => {
        const cell = (figure: Figure) => shown(over(environment, mode, budget, figure).interval);
        const plain = (figure: Figure) => over(environment, mode, budget, figure).interval?.estimate ?? Number.NaN;
        const more = (figure: Figure) =>
          mode === referenceOf(mode) ? "" : shown(gain(environment, mode, budget, figure).interval);
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
          plain(({ delivery }) => delivery),
          plain(({ received }) => received),
          plain(({ age }) => age.onArrival),
          plain(({ age }) => age.atUse),
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

  const judgementsAt = (budget: number) =>
    axes.environment.flatMap((environment) =>
      sharing.map((mode) =>
        judged(
          environment,
          mode,
          budget,
          combined(
            over(environment, mode, budget, fidelity),
            over(environment, referenceOf(mode), budget, fidelity),
            (shared, alone) => 1 - alone / shared,
          ),
        ),
      ),
    );
  const judgements = judgementsAt(last);
  const changes = axes.environment.flatMap((environment) =>
    sharing.map((mode) => {
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
      return `${environment}: ${mode} changes the stacked AUROC of ${referenceOf(mode)} by ${told} steps; ${words}${loss} (95 % paired t-intervals over seeds).`;
    }),
  );
  const sentences = [...changes, ...(budgets.length > 1 ? [earlier(budgets.slice(0, -1).flatMap(judgementsAt))] : [])];
  const pictures = axes.environment.flatMap((environment) => {
    const curves = [
      { name: "auroc", what: "AUROC of the true top 10 %, mask and record head stacked", figure: stacked },
      { name: "fidelity", what: "inter-agent fidelity", figure: fidelity },
    ];
    return curves.flatMap(({ name, what, figure }) => {
      const svg = plotCurves({
        title: `${environment}: ${what}`,
        xLabel: "environment steps that agents learned from",
        log: budgets,
        isUnit: true,
        series: modes.map((mode) => ({
          name: mode,
          points: budgets.flatMap((budget) => {
            const { interval } = over(environment, mode, budget, figure);
            return interval ? [{ x: budget, ...interval }] : [];
          }),
          ...(mode === DEFAULT ? { rank: "subject" } : referenceOf(mode) === mode ? { rank: "reference" } : {}),
        })),
      });
      return svg === null ? [] : [{ name: `${environment}-${name}.svg`, svg }];
    });
  });
  const scores = scoresOf(
    axes,
    results,
    modes.map((mode) => ({ name: mode, at: { mode } })),
    SHARING,
  );
  return { tables: [...tables, ...keptTables()], judgements, sentences, pictures, scores };

  /** What signatures keep of what features gain, where both were asked for. */
  function keptTables(): Report["tables"] {
    const pairs = TOLD_BOTH_WAYS.map((pair) => pair.filter((mode) => sharing.includes(mode))).filter(
      ({ length }) => length === 2,
    );
    if (pairs.length === 0) return [];
    return axes.environment.map((environment) => ({
      title: `${environment}: what signatures keep of pooling the features`,
      note: "Gains in stacked AUROC, each over the none that tells states by the same vectors; the share is their ratio with Fieller's interval, n/a where the gain of features is not apart from zero.",
      header: ["steps", ...pairs.flatMap(([short, long]) => [short, long, "share kept"])],
      body: budgets.map((budget): Cell[] => [
        formatCount(budget),
        ...pairs.flatMap(([short, long]) => {
          const [kept, whole] = [short, long].map((mode) => gain(environment, mode, budget, stacked));
          return [shown(kept.interval), shown(whole.interval), shown(shareOf(kept, whole))];
        }),
      ]),
    }));
  }
}

/** Modes that send the same records, told of by signatures and by features. */
const TOLD_BOTH_WAYS = [
  ["perturbed", "features"],
  ["all", "all_features"],
];

const referenceOf = (mode: string) => byName("trainer/study-communication", "mode", arms, mode).reference;

/** What the claim would be called at smaller budgets than the one that it is judged at. */
function earlier(judgements: readonly Judgement[]): string {
  const known = judgements.filter(({ measured }) => measured !== null);
  const held = known.filter(({ verdict }) => verdict === "reproduced");
  const list = held.map(({ where, measured }) => `${where}, ${signed(measured)}`).join("; ");
  return `The claim is judged at the largest budget. At smaller ones, where agents know less, it would be called reproduced in ${held.length} of ${known.length} comparisons${held.length > 0 ? `: ${list}` : ""}.`;
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
    return { ...about, verdict: "not reproduced", why: "the interval holds both no loss and the claimed one" };
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
