import type { Interval } from "@magic-mask/metrics";
import { formatCount } from "../../../terminal/progress.ts";
import type { Cell } from "../../../terminal/table.ts";
import { combined, gainOver, type OverSeeds, overSeeds, shareOf } from "../../over-seeds.ts";
import type { Axes, Judgement, Report, Result } from "../../study.ts";
import { type Figure, fidelity, missingNote, shown, signed, stacked } from "../common/figures.ts";
import { SHARING, scoresOf } from "../common/scores.ts";
import type { SharingFigures } from "../common/sharing-figures.ts";

/** What the others are held against: no messages, and no faults. */
const ALONE = "none";
const IDEAL = "ideal";
/** Of the gain, at a loss of one half, at least this is to be kept. */
const AIM = { channel: "loss_0.5", share: 0.5 };

/** What must be ruled out to be lost against none, for a channel to be called graceful. */
const HARM = 0.02;

/** What is left of a gain, and whether that is as much as is left of the records. */
interface Kept {
  readonly gain: OverSeeds;
  /** Of the ideal channel's gain; null where that is not apart from zero. */
  readonly share: Interval | null;
  readonly word: "graceful" | "not graceful" | "open";
}

export function reportOnChannel(axes: Axes, results: readonly Result<SharingFigures>[]): Report {
  const budgets = [...(axes.budget as readonly number[])].sort((a, b) => a - b);
  const channels = axes.channel as readonly string[];
  const faulty = channels.filter((name) => name !== ALONE && name !== IDEAL);
  const places = axes.environment.flatMap((environment) => budgets.map((budget) => ({ environment, budget })));

  const tables = places.map(({ environment, budget }) => {
    const { over, plain, records, kept } = lookAt(axes, results, environment, budget);
    return {
      title: `${environment}: ${formatCount(budget)} environment steps`,
      note: [
        "Kept: share of the ideal channel's gain over none, with Fieller's interval; n/a where that gain is not apart from zero. Records: of those that an ideal channel brings. Ages in collector ticks.",
        missingNote(Object.fromEntries(channels.map((name) => [name, over(name, stacked)]))),
      ]
        .filter((text) => text !== "")
        .join(" "),
      header: [
        "channel",
        "AUROC, stacked",
        "over none",
        "kept",
        "",
        "fidelity",
        "over none",
        "kept",
        "",
        "delivered",
        "records",
        "age on arrival",
        "age at use",
        "bytes",
      ],
      body: channels.map((name): Cell[] => {
        const about = (figure: Figure): Cell[] => {
          const all = shown(over(name, figure).interval);
          if (name === ALONE) return [all, "", "", ""];
          const { gain, share, word } = kept(name, figure);
          return name === IDEAL ? [all, shown(gain.interval), "", ""] : [all, shown(gain.interval), shown(share), word];
        };
        return [
          name,
          ...about(stacked),
          ...about(fidelity),
          plain(name, ({ delivery }) => delivery),
          records(name),
          plain(name, ({ age }) => age.onArrival),
          plain(name, ({ age }) => age.atUse),
          plain(name, ({ bytes }) => bytes),
        ];
      }),
    };
  });

  const judgements = places.flatMap(({ environment, budget }) => {
    const { kept, records } = lookAt(axes, results, environment, budget);
    return faulty.map((name): Judgement => {
      const own = kept(name, stacked);
      const peers = kept(name, fidelity);
      return {
        where: `${environment}, ${name}, ${formatCount(budget)} steps`,
        claim: "open question",
        figure: "share kept of the gain in stacked AUROC",
        measured: own.share,
        verdict: "not comparable",
        why: `the paper leaves it open; with ${percent(records(name))} of the records, explaining oneself is ${own.word}, explaining peers ${peers.word}`,
      };
    });
  });

  const sentences = places.flatMap(({ environment, budget }) => {
    const { kept } = lookAt(axes, results, environment, budget);
    const at = `${environment}, ${formatCount(budget)} steps`;
    const ideal = [stacked, fidelity].map((figure) => signed(kept(IDEAL, figure).gain.interval));
    const told = [
      `${at}: an ideal channel changes the stacked AUROC by ${ideal[0]}, inter-agent fidelity by ${ideal[1]}.`,
    ];
    for (const [what, figure] of [
      ["the stacked AUROC", stacked],
      ["fidelity", fidelity],
    ] as const) {
      const words = faulty.map((name) => ({ name, word: kept(name, figure).word }));
      const list = (word: Kept["word"]) =>
        words.flatMap((each) => (each.word === word ? [each.name] : [])).join(", ") || "none";
      told.push(
        `${at}: in ${what} not graceful: ${list("not graceful")}; graceful: ${list("graceful")}; open: ${list("open")}.`,
      );
      if (faulty.includes(AIM.channel)) {
        const { share } = kept(AIM.channel, figure);
        const verdict = !share
          ? "open, as the ideal gain is not apart from zero"
          : share.low >= AIM.share
            ? "met"
            : share.high < AIM.share
              ? "missed"
              : "open";
        told.push(
          `${at}: aim, half of the gain in ${what} kept at a loss of one half: ${verdict}${share ? ` (kept ${signed(share)})` : ""}.`,
        );
      }
    }
    return told;
  });
  return {
    tables,
    judgements,
    sentences: [
      `A channel is called graceful where on average at least that share of the gain is kept as of the records, and a loss of more than ${HARM} against none is ruled out; not graceful where surely less is kept, or something is surely lost; open otherwise.`,
      ...sentences,
    ],
    pictures: [],
    scores: scoresOf(
      axes,
      results,
      channels.map((channel) => ({ name: channel, at: { channel } })),
      SHARING,
    ),
  };
}

function lookAt(axes: Axes, results: readonly Result<SharingFigures>[], environment: string, budget: number) {
  const over = (channel: string, figure: Figure) =>
    overSeeds(results, { environment, budget, channel }, axes.seed, figure);
  const plain = (channel: string, figure: Figure) => over(channel, figure).interval?.estimate ?? Number.NaN;
  const gain = (channel: string, figure: Figure) => gainOver(over(channel, figure), over(ALONE, figure));
  const received: Figure = (figures) => figures.received;
  /** Of the records that an ideal channel brings, the share that arrives. */
  const records = (channel: string) =>
    combined(over(channel, received), over(IDEAL, received), (a, b) => a / b).interval?.estimate ?? Number.NaN;

  const kept = (channel: string, figure: Figure): Kept => {
    const own = gain(channel, figure);
    const ideal = gain(IDEAL, figure);
    const share = shareOf(own, ideal);
    if (!share || !own.interval || (ideal.interval?.low ?? 0) <= 0) return { gain: own, share: null, word: "open" };
    const arrived = records(channel);
    const word =
      own.interval.high < 0 || share.high < arrived
        ? "not graceful"
        : share.estimate >= arrived && own.interval.low >= -HARM
          ? "graceful"
          : "open";
    return { gain: own, share, word };
  };
  return { over, plain, records, kept };
}

const percent = (share: number) => (Number.isNaN(share) ? "an unknown share" : `${Math.round(100 * share)} %`);
