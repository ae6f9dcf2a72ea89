import { plotCurves } from "../../../curves.ts";
import { formatCount } from "../../../terminal/progress.ts";
import { type Cell, formatInterval, formatNumber } from "../../../terminal/table.ts";
import { combined, gainOver, type OverSeeds, overSeeds } from "../../over-seeds.ts";
import type { Axes, Judgement, Report, Result } from "../../study.ts";
import { shown, signed } from "../common/figures.ts";
import { scoresOf } from "../common/scores.ts";
import type { ScaleFigures } from "./scale.ts";
import { partsOf } from "./sized-world.ts";

const ALONE = "none";
const DEFAULT = "perturbed";
/** Where telling is to take less than this share of the time of a core, which is the wall-clock of an idle machine. */
const AIM = { environment: "pong_walls_v0@16", share: 0.03 };

type Reading = (result: Result<ScaleFigures>) => number | null | undefined;

const timing =
  (name: string, times = 1): Reading =>
  ({ timings }) =>
    timings?.[name] === undefined ? null : times * timings[name];
const micro = (name: string) => timing(name, 1e6);
const shareOfTime =
  (name: string): Reading =>
  ({ timings }) =>
    timings?.core === undefined ? null : timings[name] / timings.core;
/** Of the wall-clock. */
const shareOfWall: Reading = ({ timings }) => (timings?.wall === undefined ? null : timings.wallComm / timings.wall);
const figure =
  (name: keyof ScaleFigures): Reading =>
  ({ figures }) =>
    figures[name];

/** What is drawn over the number of agents. */
const DRAWN: readonly { readonly name: string; readonly what: string; readonly reading: Reading }[] = [
  { name: "exchange", what: "the exchange by itself, core µs per agent-step", reading: micro("exchange") },
  { name: "comm", what: "share of comm in training's core time", reading: shareOfTime("comm") },
];

export function reportOnScale(axes: Axes, results: readonly Result<ScaleFigures>[]): Report {
  const modes = axes.mode as readonly string[];
  const budgets = axes.budget as readonly number[];
  const worlds = [...new Set(axes.environment.map((environment) => partsOf(environment).world))];
  const sizesOf = (world: string) =>
    axes.environment
      .filter((environment) => partsOf(environment).world === world)
      .sort((a, b) => partsOf(a).agents - partsOf(b).agents);
  const over = (environment: string, mode: string, budget: number, reading: Reading): OverSeeds => {
    const read = results.map((result) => ({ ...result, figures: reading(result) ?? null }));
    return overSeeds(read, { environment, mode, budget }, axes.seed, (value) => value);
  };

  const tables = worlds.flatMap((world) =>
    budgets.flatMap((budget) => {
      const rows = sizesOf(world).flatMap((environment) => modes.map((mode) => ({ environment, mode })));
      const cell = ({ environment, mode }: (typeof rows)[number], reading: Reading): Cell =>
        shown(over(environment, mode, budget, reading).interval);
      const plain = ({ environment, mode }: (typeof rows)[number], reading: Reading): Cell =>
        over(environment, mode, budget, reading).interval?.estimate ?? Number.NaN;
      const named = ({ environment, mode }: (typeof rows)[number]): Cell[] => [partsOf(environment).agents, mode];
      return [
        {
          title: `${world}: time, by agents and mode`,
          note: "Microseconds per agent-step of training policies, masks and heads together in one thread, wall and of a core, and shares of the latter: what else the machine does shows in the wall's figures alone. The exchange by itself, in microseconds of a core per agent-step; MiB of the process.",
          header: [
            "agents",
            "mode",
            "wall µs",
            "core µs",
            "comm, share",
            "of the wall",
            "remembering, share",
            "heads, share",
            "comm µs",
            "exchange µs",
            "memory MiB",
          ],
          body: rows.map((row) => [
            ...named(row),
            plain(row, micro("wall")),
            cell(row, micro("core")),
            cell(row, shareOfTime("comm")),
            plain(row, shareOfWall),
            plain(row, shareOfTime("remember")),
            plain(row, shareOfTime("heads")),
            plain(row, micro("comm")),
            cell(row, micro("exchange")),
            plain(row, timing("memory")),
          ]),
        },
        {
          title: `${world}: what is told and known, by agents and mode, ${formatCount(budget)} environment steps`,
          note: "Records from peers per agent-step; bytes handed to the channel per agent and 1,000 environment steps; kB of records that an agent holds after the exchange; differences are over none.",
          header: [
            "agents",
            "mode",
            "records",
            "bytes",
            "held kB",
            "AUROC, stacked",
            "over none",
            "fidelity",
            "over none",
          ],
          body: rows.map((row) => {
            const more = (name: keyof ScaleFigures): Cell =>
              row.mode === ALONE
                ? ""
                : shown(
                    gainOver(
                      over(row.environment, row.mode, budget, figure(name)),
                      over(row.environment, ALONE, budget, figure(name)),
                    ).interval,
                  );
            return [
              ...named(row),
              plain(row, figure("received")),
              plain(row, figure("bytes")),
              plain(row, ({ figures }) => figures.held / 1000),
              cell(row, figure("stacked")),
              more("stacked"),
              cell(row, figure("fidelity")),
              more("fidelity"),
            ];
          }),
        },
      ];
    }),
  );

  const sharing = modes.filter((mode) => mode !== ALONE);
  const growth = worlds.flatMap((world) =>
    budgets.flatMap((budget) => sharing.flatMap((mode) => grown(world, sizesOf(world), mode, budget, over))),
  );
  const judgements = axes.environment.flatMap((environment) =>
    budgets.flatMap((budget) =>
      sharing.map((mode): Judgement => {
        const share = over(environment, mode, budget, shareOfTime("comm"));
        const gain = gainOver(
          over(environment, mode, budget, figure("fidelity")),
          over(environment, ALONE, budget, figure("fidelity")),
        );
        return {
          where: `${environment}, ${mode}`,
          claim: "untested beyond 4 to 5 agents",
          figure: "share of the time in comm",
          measured: share.interval,
          verdict: "not comparable",
          why: share.interval
            ? `the paper leaves it open; fidelity changes by ${signed(gain.interval)}`
            : "the paper leaves it open; the exchange alone was measured",
        };
      }),
    ),
  );
  // Of teams that only exchange neither is ever known.
  const learning = axes.environment.filter((environment) => {
    const { agents, learning: those } = partsOf(environment);
    return agents === those;
  });
  const scores = scoresOf(
    { ...axes, environment: learning },
    results,
    modes.map((mode) => ({ name: mode, at: { mode } })),
    [
      { name: "auroc", title: "stacked AUROC", oneScale: true, of: ({ stacked }) => stacked },
      { name: "fidelity", title: "inter-agent fidelity", oneScale: true, of: ({ fidelity }) => fidelity },
    ],
  );
  const pictures = worlds.flatMap((world) => {
    const sizes = sizesOf(world).map((environment) => ({ environment, agents: partsOf(environment).agents }));
    // Where there are several, what the most steps come to.
    const budget = Math.max(...budgets);
    return DRAWN.flatMap(({ name, what, reading }) => {
      const svg = plotCurves({
        title: `${world}: ${what}`,
        xLabel: "agents",
        log: sizes.map(({ agents }) => agents),
        series: sharing.map((mode) => ({
          name: mode,
          points: sizes.flatMap(({ environment, agents }) => {
            const { interval } = over(environment, mode, budget, reading);
            return interval ? [{ x: agents, ...interval }] : [];
          }),
          ...(mode === DEFAULT && { rank: "subject" as const }),
        })),
      });
      return svg === null ? [] : [{ name: `${world}-${name}.svg`, svg }];
    });
  });
  return { tables, judgements, sentences: [...aim(axes, over), ...growth], pictures, scores };
}

/** Whether telling takes as little as it should. */
function aim(axes: Axes, over: (environment: string, mode: string, budget: number, reading: Reading) => OverSeeds) {
  const { environment, share } = AIM;
  if (!axes.environment.includes(environment) || !axes.mode.includes(DEFAULT)) return [];
  return (axes.budget as readonly number[]).map((budget) => {
    const { interval } = over(environment, DEFAULT, budget, shareOfTime("comm"));
    const verdict = !interval
      ? "unknown"
      : interval.high < share
        ? "met"
        : interval.estimate < share
          ? "met on average, the interval reaches above"
          : "missed";
    const own = over(environment, DEFAULT, budget, shareOfTime("remember")).interval;
    const figures = interval
      ? ` (${percent(interval.estimate)}, ${percent(interval.low)} to ${percent(interval.high)}; what agents write down of their own decisions, in every mode, is not in it: ${percent(own?.estimate ?? Number.NaN)})`
      : "";
    return `Aim, comm below ${100 * share} % of the time in ${environment}, ${DEFAULT}, ideal channel: ${verdict}${figures}.`;
  });
}

/** How what an agent hears grows with the agents, and what hearing a record takes: what the exchange takes over one in which nothing is told. */
function grown(
  world: string,
  sizes: readonly string[],
  mode: string,
  budget: number,
  over: (environment: string, mode: string, budget: number, reading: Reading) => OverSeeds,
): string[] {
  const ends = [sizes[0], sizes[sizes.length - 1]];
  if (ends[0] === ends[1]) return [];
  const heard = ends.map((environment) => over(environment, mode, budget, figure("received")));
  const times = combined(heard[1], heard[0], (many, few) => many / few).interval?.estimate;
  const costs = ends.map((environment, i) => {
    const [told, alone] = [mode, ALONE].map((each) => over(environment, each, budget, micro("exchange")));
    return combined(gainOver(told, alone), heard[i], (more, records) => more / records).interval;
  });
  const [from, to] = ends.map((environment) => partsOf(environment).agents);
  const [first, last] = costs;
  if (times === undefined || !first || !last) return [];
  return [
    `${world}, ${mode}: from ${from} to ${to} agents each hears ${formatNumber(times)} times as many records per step of its own; over an exchange in which nothing is told a record heard takes ${formatInterval(first)} µs of a core among ${from} and ${formatInterval(last)} µs among ${to}.`,
  ];
}

const percent = (share: number) => `${formatNumber(100 * share)} %`;
