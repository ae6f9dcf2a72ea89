import { byName } from "@magic-mask/core";
import type { Config } from "../../../config.ts";
import { playAlone, replaySettings, replayWork } from "../../replay.ts";
import type { Coordinates, Size, Study, Subject } from "../../study.ts";
import { sharingConfig } from "../common/settings.ts";
import { measureTelling, type SharingFigures } from "../common/sharing-figures.ts";
import { reportOnChannel } from "./report.ts";

/** What can be changed of it. */
export interface ChannelStudyOptions {
  readonly id?: string;
  readonly environments?: readonly string[];
  /** Names from `faults`, `none` and `ideal` among them, as what the others are held against. */
  readonly channels?: readonly string[];
}

/** A run of which broadcasts are made. */
interface Run {
  /** Collector ticks. */
  readonly ticks: number;
  /** k */
  readonly every: number;
}

type Channel = Partial<Config["sharing"]["channel"]>;

const named = (name: string, values: readonly number[], fault: (value: number, run: Run) => Channel) =>
  Object.fromEntries(
    values.map((value): [string, (run: Run) => Channel] => [`${name}_${value}`, (run) => fault(value, run)]),
  );

/** Beyond the end of any run. */
const NEVER = 1e9;

/** One fault each, in a channel that is ideal otherwise; `none`: nothing is sent. */
export const faults: Readonly<Record<string, (run: Run) => Channel>> = {
  none: () => ({}),
  ideal: () => ({}),
  // Probability that a message is lost.
  ...named("loss", [0.1, 0.5, 0.9], (loss) => ({ loss })),
  // Broadcasts.
  ...named("delay", [10, 100], (broadcasts, { every }) => ({ delay: broadcasts * every })),
  // kB that an agent may send per 1,000 environment steps.
  ...named("bandwidth", [10, 1, 0.1], (kilobytes) => ({ bandwidth: 1000 * kilobytes })),
  // Two halves of the team: for the first half of the run, for the second, for all of it.
  cut_first_half: ({ ticks }) => ({ partition: { start: 0, end: ticks >> 1, groups: [] } }),
  cut_last_half: ({ ticks }) => ({ partition: { start: ticks >> 1, end: NEVER, groups: [] } }),
  cut_whole: () => ({ partition: { start: 0, end: NEVER, groups: [] } }),
};

/**
 * What remains of what sharing gains when messages are lost, late, too many for the line, or cannot cross?
 *
 * As in `communication`, agents tell of the decisions at which they were blinded, and heads learn at the end from what has arrived by
 * then. Broadcasts are frequent enough that the longest delay fits into the run.
 */
export function channel(options: ChannelStudyOptions = {}): Study<SharingFigures> {
  const {
    id = "channel",
    environments = ["pong_walls_v0", "simple_spread_v0"],
    channels = Object.keys(faults),
  } = options;
  return {
    id,
    question: "What remains of what sharing gains when the channel loses, delays, throttles or cuts off messages?",
    claim: "sharing is decentralised and asynchronous; lossy, late and narrow channels are left to future work",
    version: 2,
    axes: (size) => ({
      environment: size === "quick" ? environments.slice(0, 1) : environments,
      seed: size === "quick" ? [1, 2, 3] : [1, 2, 3, 4, 5],
      budget: BUDGETS[size],
      channel: channels,
    }),
    arms: ["channel"],
    config: (environment, size) => ({ ...sharingConfig(environment, size), sharing: { every: EVERY } }),
    settings: replaySettings,
    work: replayWork,
    pilots: (axes) => {
      const group = (budget: number): Coordinates[] =>
        axes.channel.map((name) => ({ environment: axes.environment[0], seed: axes.seed[0], budget, channel: name }));
      return [group(1000), group(4000)];
    },
    run: runChannels,
    report: reportOnChannel,
  };
}

/** Collector ticks from one broadcast to the next. */
const EVERY = 5;
const BUDGETS: Readonly<Record<Size, readonly number[]>> = {
  quick: [10_000],
  default: [3000, 10_000],
  paper: [3000, 10_000, 30_000],
};

async function* runChannels(trials: readonly Coordinates[], { frozen, truths }: Subject) {
  const replay = await playAlone(frozen, trials[0].budget as number, "channel");
  const { sharing } = replay.frozen.config;
  for (const { channel: name } of trials) {
    const fault = byName("trainer/study-channel", "channel", faults, name as string);
    const broken = fault({ ticks: replay.story.ticks, every: sharing.every });
    const mode = name === "none" ? "none" : "perturbed";
    const telling = { mode, sharing: { ...sharing, mode: "perturbed", channel: { ...sharing.channel, ...broken } } };
    yield (await measureTelling(replay, telling, truths)).measured;
  }
}
