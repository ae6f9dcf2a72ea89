import type { Config } from "../../../config.ts";
import { assemblePostHoc, explainPostHoc } from "../../../posthoc.ts";
import { COPIES, replaySettings } from "../../replay.ts";
import type { Coordinates, Measured, Study, Subject } from "../../study.ts";
import { sharingConfig } from "../common/settings.ts";
import { figuresOf, type SharingFigures } from "../common/sharing-figures.ts";
import { reportOnSteering } from "./report.ts";

/** What is measured of a team whose coin peers steer. */
export interface SteeringFigures extends SharingFigures {
  /** Decisions of an agent that were blinded, per 1,000 environment steps. */
  readonly perturbed: number;
}

/** What can be changed of it. */
export interface SteeringStudyOptions {
  readonly id?: string;
  readonly environments?: readonly string[];
  /** s of `createSteering`, 0 among them, as what the others are held against. */
  readonly strengths?: readonly number[];
}

/**
 * Does it help to leave alone what peers have looked into?
 *
 * Policies are fixed beforehand. In each arm the post-hoc pass is played anew, in rounds: what agents have told by the end of one thins
 * the coin of the next. All arms play as many steps; the more steering, the fewer of them are blinded.
 */
export function steering(options: SteeringStudyOptions = {}): Study<SteeringFigures> {
  const { id = "steering", environments = ["pong_walls_v0", "simple_spread_v0"], strengths = [0, 0.5, 1] } = options;
  return {
    id,
    question: "Does it spare perturbations, and cost nothing, to leave alone the states that peers have marked?",
    claim: "agents de-prioritise states that peers have marked, which makes exploring less redundant",
    version: 3,
    axes: (size) => ({
      environment: size === "quick" ? environments.slice(0, 1) : environments,
      seed: size === "quick" ? [1, 2, 3] : [1, 2, 3, 4, 5],
      budget: size === "quick" ? [10_000] : [30_000],
      steer: strengths,
    }),
    arms: ["steer"],
    config: sharingConfig,
    settings: (config) => ({
      ...replaySettings(config),
      headSteps: config.posthoc.headSteps,
      rolloutTicks: config.training.rolloutTicks,
    }),
    work: (trials) => (trials[0].budget as number) * trials.length,
    pilots: (axes) => {
      const group = (budget: number): Coordinates[] =>
        axes.steer.map((steer) => ({ environment: axes.environment[0], seed: axes.seed[0], budget, steer }));
      return [group(2000), group(6000)];
    },
    run: runSteered,
    report: reportOnSteering,
  };
}

/** So little that it thins no coin, yet play is in rounds as it is in the other arms. */
const NONE = Number.EPSILON;

async function* runSteered(trials: readonly Coordinates[], { frozen, truths }: Subject) {
  const { world, team, create } = frozen;
  for (const { budget, steer } of trials) {
    const begun = performance.now();
    const config = steered(frozen.config, budget as number, steer as number);
    const postHoc = assemblePostHoc(config, world, create);
    const { steps } = await explainPostHoc(config, world, team, postHoc, { name: config.backend, workers: 0 });
    const learned = performance.now();
    const { masks, memory } = postHoc.explanation;
    const explainers = masks.map(({ explainer }) => explainer);
    const knowledge = { frozen, explainers, memory, steps, now: steps / COPIES };
    const { blinded } = memory.sharing.counters;
    const measured: Measured<SteeringFigures> = {
      steps,
      figures: {
        ...figuresOf(knowledge, truths),
        perturbed: (1000 * blinded.reduce((sum, count) => sum + count, 0)) / blinded.length / steps,
      },
      seconds: { shared: 0, learning: (learned - begun) / 1000, judging: (performance.now() - learned) / 1000 },
    };
    yield measured;
  }
}

/** @throws unsupported where masks decide the blinding, as `replaySettings` */
function steered(config: Config, steps: number, steer: number): Config {
  const { posthoc, sharing, training, evaluation } = config;
  return {
    ...config,
    workers: 0,
    training: { ...training, copies: COPIES },
    posthoc: { ...posthoc, steps },
    sharing: { ...sharing, mode: "perturbed", steer: Math.max(steer, NONE) },
    evaluation: { ...evaluation, paperSeeds: 2 },
  };
}
