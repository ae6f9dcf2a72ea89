import type { Interval } from "@magic-mask/metrics";
import { plotCurves } from "../../../curves.ts";
import { formatCount } from "../../../terminal/progress.ts";
import type { Cell } from "../../../terminal/table.ts";
import { gainOver, overSeeds } from "../../over-seeds.ts";
import type { Axes, Judgement, Report, Result } from "../../study.ts";
import { meanOrNull, missingNote, shown, signed } from "../common/figures.ts";
import { scoresOf } from "../common/scores.ts";
import { meanTrust, type TeamFigures } from "./teams.ts";

/** What the others are held against: every agent has its own records alone. */
const ALONE = "none";
/** Nobody lies. */
const FRIENDS = "friends";
/** AUROC that peers may cost on average, and at the end of its interval. */
const MOST = 0.02;
const BOUND = 0.05;

/** One number of an arm, about some agents. */
type Figure = (figures: TeamFigures, honest: readonly number[]) => number | null;

const meanOf =
  (key: "head" | "stacked"): Figure =>
  ({ agents }, honest) =>
    meanOrNull(honest.map((agent) => agents[agent][key]));
const stacked = meanOf("stacked");
/** How well the honest explain their peers, all of them. */
const fidelity: Figure = ({ matrix }, honest) =>
  meanOrNull(honest.flatMap((i) => matrix[i].filter((value, j) => j !== i && value !== null)));
/** What honest agents think of honest peers, or of those that lie. */
const trustIn =
  (whom: "honest" | "liars"): Figure =>
  ({ trust, hostile }) =>
    trust && meanTrust(trust, hostile)[whom];

interface Arm {
  readonly peers: string;
  readonly trust: string;
}

export function reportOnTeams(axes: Axes, results: readonly Result<TeamFigures>[]): Report {
  const kinds = axes.peers as readonly string[];
  const arms = kinds.flatMap((peers) =>
    (peers === ALONE ? axes.trust.slice(0, 1) : axes.trust).map((trust): Arm => ({ peers, trust: trust as string })),
  );
  const places = axes.environment.flatMap((environment) =>
    (axes.budget as readonly number[]).map((budget) => ({ environment, budget })),
  );
  const alone: Arm = { peers: ALONE, trust: axes.trust[0] as string };

  const lookAt = ({ environment, budget }: (typeof places)[number]) => {
    const at = ({ peers, trust }: Arm) => ({ environment, budget, peers, trust });
    /** Who does not lie in this arm, whoever does in another: the same in all seeds. */
    const honestIn = ({ peers, trust }: Arm): readonly number[] => {
      const found = results.find(({ at: own }) =>
        Object.entries({ environment, budget, peers, trust }).every(([axis, value]) => own[axis] === value),
      );
      return found ? found.figures.agents.flatMap((_, i) => (found.figures.hostile.includes(i) ? [] : [i])) : [];
    };
    const over = (arm: Arm, figure: Figure, about: Arm = arm) => {
      const honest = honestIn(about);
      return overSeeds(results, at(arm), axes.seed, (figures) => figure(figures, honest));
    };
    /** Over what the same agents know alone. */
    const gain = (arm: Arm, figure: Figure) => gainOver(over(arm, figure), over(alone, figure, arm));
    return { over, gain };
  };

  const tables = places.map((place) => {
    const { over, gain } = lookAt(place);
    return {
      title: `${place.environment}: ${formatCount(place.budget)} environment steps`,
      note: [
        "About the honest agents alone, each arm beside what the same agents know without sharing. Trust: mean weight that they give records of honest peers, and of those that lie.",
        missingNote(Object.fromEntries(arms.map((arm) => [nameOf(arm), over(arm, stacked)]))),
      ]
        .filter((text) => text !== "")
        .join(" "),
      header: [
        "peers",
        "trust",
        "AUROC, stacked",
        "over none",
        "record head",
        "over none",
        "fidelity",
        "over none",
        "trust in honest",
        "trust in liars",
        "received",
      ],
      body: arms.map((arm): Cell[] => {
        const both = (figure: Figure): Cell[] => [
          shown(over(arm, figure).interval),
          arm.peers === ALONE ? "" : shown(gain(arm, figure).interval),
        ];
        const plain = (figure: Figure) => over(arm, figure).interval?.estimate ?? Number.NaN;
        return [
          arm.peers,
          arm.peers === ALONE ? "" : arm.trust,
          ...both(stacked),
          ...both(meanOf("head")),
          ...both(fidelity),
          plain(trustIn("honest")),
          plain(trustIn("liars")),
          plain(({ received }) => received),
        ];
      }),
    };
  });

  const judged = places.flatMap((place) => {
    const { gain } = lookAt(place);
    return arms
      .filter(({ peers }) => peers !== ALONE)
      .map((arm) => {
        const { interval } = gain(arm, stacked);
        return { place, arm, interval, word: interval ? wordFor(interval) : "unknown" };
      });
  });
  const judgements = judged.map(
    ({ place, arm, interval, word }): Judgement => ({
      where: `${place.environment}, ${nameOf(arm)}, ${formatCount(place.budget)} steps`,
      claim: "open question",
      figure: "stacked AUROC of honest agents over none",
      measured: interval,
      verdict: "not comparable",
      why: `the paper leaves it open; ${word}`,
    }),
  );
  const sentences = places.map((place) => {
    const told = judged
      .filter((each) => each.place === place && each.arm.trust === "on")
      .map(({ arm, interval, word }) => `${arm.peers} ${signed(interval)} (${word})`);
    return `${place.environment}, ${formatCount(place.budget)} steps, trust on: stacked AUROC of honest agents over none: ${told.join("; ")}.`;
  });
  // Arms are held against each other here, so all are about the same agents: those who lie in none.
  const liars = new Map(
    axes.environment.map((environment) => [
      environment,
      new Set(results.flatMap(({ at, figures }) => (at.environment === environment ? figures.hostile : []))),
    ]),
  );
  const ofHonest = results.map((result) => {
    const lying = liars.get(result.at.environment as string);
    const honest = [...result.figures.agents.keys()].filter((agent) => !lying?.has(agent));
    return {
      ...result,
      figures: { auroc: stacked(result.figures, honest), fidelity: fidelity(result.figures, honest) },
    };
  });
  const scores = scoresOf(
    axes,
    ofHonest,
    arms.map((arm) => ({ name: nameOf(arm), at: { ...arm } })),
    [
      {
        name: "auroc",
        title: "stacked AUROC of agents who lie in no arm",
        oneScale: true,
        of: ({ auroc }) => auroc,
      },
      {
        name: "fidelity",
        title: "inter-agent fidelity of agents who lie in no arm",
        oneScale: true,
        of: ({ fidelity: known }) => known,
      },
    ],
  );
  const pictures = places.flatMap(({ environment, budget }) => {
    const course = (peers: string, whom: "honest" | "liars") => {
      const found = results.filter(
        ({ at }) => at.environment === environment && at.budget === budget && at.peers === peers,
      );
      const courses = found.flatMap(({ figures }) => (figures.course ? [figures.course] : []));
      return (courses[0] ?? []).flatMap(({ at }, moment) => {
        const estimate = meanOrNull(courses.map((each) => each[moment]?.[whom] ?? null));
        return estimate === null ? [] : [{ x: at * budget, estimate }];
      });
    };
    const lying = kinds.filter((peers) => peers !== ALONE && course(peers, "liars").length > 0);
    const svg = plotCurves({
      title: `${environment}: what honest agents trust, mean over seeds`,
      xLabel: "environment steps",
      isUnit: true,
      series: [
        ...(kinds.includes(FRIENDS)
          ? [{ name: "friends", points: course(FRIENDS, "honest"), rank: "reference" as const }]
          : []),
        ...lying.map((peers) => ({ name: `liars, ${peers}`, points: course(peers, "liars") })),
      ],
    });
    return svg === null ? [] : [{ name: `${environment}-trust-${budget}.svg`, svg }];
  });
  return { tables, judgements, sentences, pictures, scores };
}

function wordFor({ estimate, low, high }: Interval): string {
  if (low >= -MOST) return `no more than ${MOST} lost`;
  if (high < -MOST) return `more than ${MOST} lost`;
  if (high < 0) return `something lost, and more than ${MOST} not ruled out`;
  if (estimate >= -MOST && low >= -BOUND)
    return `no more than ${MOST} lost on average, and no more than ${BOUND} at the bound`;
  return `a loss of ${estimate < -MOST ? MOST : BOUND} is not ruled out`;
}

const nameOf = ({ peers, trust }: Arm) => (peers === ALONE ? peers : `${peers}, trust ${trust}`);
