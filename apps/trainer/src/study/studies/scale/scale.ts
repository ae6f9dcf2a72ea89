import { modes as comm } from "@magic-mask/comm";
import type { Config, ConfigInput } from "../../../config.ts";
import { playAlone, replaySettings, type Telling } from "../../replay.ts";
import { simulate } from "../../simulate.ts";
import type { Coordinates, Measured, Size, Study, Subject } from "../../study.ts";
import { type TrainingTime, timeTraining } from "../../time-training.ts";
import { stacked } from "../common/figures.ts";
import { measureTelling } from "../common/sharing-figures.ts";
import { reportOnScale } from "./report.ts";
import { partsOf } from "./sized-world.ts";

/** What is measured of a team of some size in one sharing mode. */
export interface ScaleFigures {
  /** AUROC of mask and record head, mean over agents, and inter-agent fidelity; null for teams that only exchange. */
  readonly stacked: number | null;
  readonly fidelity: number | null;
  /** As in `Exchanged`. */
  readonly received: number;
  readonly bytes: number;
  readonly held: number;
}

/** Seconds per agent-step of training (as in `TrainingTime`) and of the exchange by itself, and MiB of the process. */
type ScaleTimings = Partial<TrainingTime> & { readonly exchange: number; readonly memory: number };

/** What can be changed of it. */
export interface ScaleOptions {
  readonly id?: string;
  /** Worlds by size, as `pong_walls_v0@16`; above 16 agents, multiples of 16 that exchange what 16 lived through and learn nothing. */
  readonly environments?: readonly string[];
  /** Names of comm's modes, `none` among them. */
  readonly modes?: readonly string[];
}

/** Truth states of all agents together: more agents have fewer each, so that worlds cost alike but for the play itself. */
const STATES: Readonly<Record<Size, number>> = { quick: 320, default: 1200, paper: 8000 };
const SIZES = [2, 4, 8, 16, 64];

/**
 * What does sharing cost, and what is it worth, as agents are added?
 *
 * Time is that of training policies, masks and heads together, from the start and in one thread, where it is told most; fidelity is measured as in
 * `communication`, with frozen policies. The exchange by itself is timed, too, as records of the same play are told among all agents:
 * with more of them than can learn here, it is all there is.
 */
export function scale(options: ScaleOptions = {}): Study<ScaleFigures> {
  const {
    id = "scale",
    environments = ["highway_fast_v0", "pong_walls_v0"].flatMap((world) => SIZES.map((size) => `${world}@${size}`)),
    modes: names = ["none", "perturbed", "all"],
  } = options;
  return {
    id,
    question: "What does sharing cost, and what is it worth, as agents are added?",
    claim: "sharing is compact; teams of more than five agents are left to future work",
    version: 3,
    axes: (size) => ({
      environment: size === "quick" ? ["pong_walls_v0@2", "pong_walls_v0@16", "pong_walls_v0@64"] : environments,
      seed: size === "quick" ? [1, 2] : [1, 2, 3],
      budget: [size === "quick" ? 3000 : 10_000],
      mode: names,
    }),
    names: { mode: Object.keys(comm) },
    arms: ["mode"],
    config: (environment, size): ConfigInput => {
      const { world, learning } = partsOf(environment);
      const states = Math.ceil(STATES[size] / learning);
      return {
        environment: { id: world, options: { agents: learning } },
        training: { totalSteps: TRAINING[size] },
        evaluation: { states, pilotRollouts: 2, rollouts: size === "quick" ? 8 : 16, batches: 1 },
      };
    },
    settings: replaySettings,
    work: (trials) => {
      const { agents, learning } = partsOf(trials[0].environment as string);
      return learning * ((trials[0].budget as number) + trials.length * (agents > learning ? 20_000 : 60_000));
    },
    pilots: (axes) => {
      const group = (budget: number): Coordinates[] =>
        axes.mode.map((mode) => ({ environment: axes.environment[0], seed: axes.seed[0], budget, mode }));
      return [group(1000), group(6000)];
    },
    run: runModes,
    report: reportOnScale,
  };
}

const TRAINING: Readonly<Record<Size, number>> = { quick: 60_000, default: 300_000, paper: 10_000_000 };
/** Iterations of training that are timed. */
const TIMED = 16;
/** Ticks of the exchange by itself. */
const TICKS = 100;

async function* runModes(trials: readonly Coordinates[], { frozen, truths }: Subject) {
  const { agents, learning } = partsOf(trials[0].environment as string);
  const replay = await playAlone(frozen, trials[0].budget as number, "scale");
  const tellingIn = (mode: string): Telling => ({
    mode,
    sharing: { ...frozen.config.sharing, mode: mode as Config["sharing"]["mode"] },
  });
  // Code that runs for the first time would count against whoever comes first.
  simulate(replay, tellingIn("all"), agents / learning, TICKS);
  for (const { mode } of trials) {
    const begun = performance.now();
    const telling = tellingIn(mode as string);
    const { received, bytes, held, comm } = simulate(replay, telling, agents / learning, TICKS);
    const learns = agents === learning;
    const known = learns ? (await measureTelling(replay, telling, truths)).measured.figures : undefined;
    const training = learns ? await timeTraining({ ...frozen.config, sharing: telling.sharing }, TIMED) : {};
    const timings: ScaleTimings = { ...training, exchange: comm, memory: process.memoryUsage.rss() / 2 ** 20 };
    const measured: Measured<ScaleFigures> = {
      steps: replay.coin.steps,
      figures: { stacked: known ? stacked(known) : null, fidelity: known?.fidelity.all ?? null, received, bytes, held },
      timings,
      seconds: { shared: replay.seconds, learning: (performance.now() - begun) / 1000, judging: 0 },
    };
    yield measured;
  }
}
