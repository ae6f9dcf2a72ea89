import { byName, stream } from "@magic-mask/core";
import { type MaskLearner, type ObjectiveOptions, objectives } from "@magic-mask/masking";
import { postHocOptions } from "../../../assemble.ts";
import { type AgentFigures, createJudge } from "../../../compare/cells.ts";
import { learnByDeciding, learnFromCoin, playByCoin } from "../../../compare/learn.ts";
import type { FrozenTeam } from "../../../compare/policies.ts";
import type { Config } from "../../../config.ts";
import { actByGate, type Gated } from "../../../figures/gate.ts";
import { mean } from "../../../figures/means.ts";
import { postHocSeed } from "../../../posthoc.ts";
import { isStopped } from "../../../work/signals.ts";
import { type JointFigures, jointRun, pathOfJointRun } from "../../joint-run.ts";
import type { Coordinates, Measured, Place, Study, Subject } from "../../study.ts";
import { planOf } from "../common/cells.ts";
import { BUDGETS, explainedConfig, PAPER_WORLDS } from "../common/explained-worlds.ts";
import { ofJoint, partOf, withSteps } from "../common/parts.ts";
import { mainSettings } from "../main/main.ts";
import { reportOnThreshold } from "./report.ts";

/** Of one of the two parts. */
export interface ThresholdFigures {
  readonly joint: JointFigures | null;
  readonly posthoc: { readonly agents: readonly AgentFigures[]; readonly gate: Gated } | null;
}

/** What can be changed of it. */
export interface ThresholdOptions {
  readonly id?: string;
  readonly environments?: readonly string[];
  /** Names of mask objectives. */
  readonly objectives?: readonly string[];
}

const SOURCE = "trainer/study-threshold";
/** τ where it changes nothing. */
const PLAIN = 0.5;

/**
 * Tables 2 to 5: how much does τ matter? Where masks decide the blinding while they learn, as by the published loss and by coverage, τ
 * changes what is played and learned. Where a coin decides, as by default, it only says where the gate is when one acts by the mask:
 * neither policies nor rankings depend on it.
 */
export function threshold(options: ThresholdOptions = {}): Study<ThresholdFigures> {
  const {
    id = "threshold",
    environments = PAPER_WORLDS,
    objectives: names = ["advantage", "coverage", "paper"],
  } = options;
  return {
    id,
    question: "How much does the threshold matter, and is one half best?",
    claim: "τ = 0.5 is best (Tables 2 to 5)",
    version: 2,
    axes: (size) => ({
      environment: size === "quick" ? environments.slice(0, 2) : environments,
      seed: size === "quick" ? [1, 2] : [1, 2, 3],
      part: ["joint", "posthoc"],
      budget: [BUDGETS[size]],
      objective: names,
      threshold: [0.1, 0.3, 0.5, 0.7, 0.9],
    }),
    names: { objective: Object.keys(objectives) },
    arms: ["objective", "threshold"],
    config: explainedConfig,
    settings: mainSettings,
    kind: ({ part }) => part as string,
    work: (trials, config) => {
      const [{ part, budget, steps }] = trials;
      const different = new Set(trials.map((at) => (decides(at) ? `${at.objective} ${at.threshold}` : at.objective)))
        .size;
      return (
        different *
        (part === "posthoc" ? (budget as number) : ((steps as number | undefined) ?? config.training.totalSteps))
      );
    },
    keeps: (trial, config, subjects) =>
      trial.part === "joint" ? [pathOfJointRun({ config: jointConfig(config, trial), subjects })] : [],
    pilots: (axes) => {
      const group = (part: string, how: Coordinates): Coordinates[] =>
        axes.objective.map((objective) => ({
          environment: axes.environment[0],
          seed: axes.seed[0],
          part,
          budget: axes.budget[0],
          objective,
          threshold: PLAIN,
          ...how,
        }));
      return [
        group("joint", { steps: 10_000 }),
        group("joint", { steps: 60_000 }),
        group("posthoc", { budget: 2000 }),
        group("posthoc", { budget: 20_000 }),
      ];
    },
    run: (trials, subject) =>
      partOf(SOURCE, trials) === "joint" ? trainTogether(trials, subject) : explainFrozen(trials, subject),
    report: reportOnThreshold,
  };
}

/** @param options what is asked beside τ */
const objectiveOf = ({ objective, threshold: τ }: Coordinates, options?: ObjectiveOptions) =>
  byName(SOURCE, "mask objective", objectives, objective as string)({ ...options, threshold: τ as number });

/** Whether τ changes what is learned. */
export const decides = (trial: Coordinates): boolean => objectiveOf(trial).blinding === "mask";

function jointConfig(config: Config, trial: Coordinates): Config {
  const τ = decides(trial) ? (trial.threshold as number) : PLAIN;
  const mask = { ...config.mask, objective: trial.objective as string, threshold: τ };
  return { ...withSteps(config, trial), mask };
}

async function* trainTogether(trials: readonly Coordinates[], { frozen: { config }, place }: Subject) {
  for (const trial of trials) {
    const result = await jointRun({ config: jointConfig(config, trial), place });
    if (!result) return;
    yield ofJoint(result.figures, result);
  }
}

async function* explainFrozen(trials: readonly Coordinates[], subject: Subject) {
  const { frozen, truths, place } = subject;
  const { config } = frozen;
  const budget = trials[0].budget as number;
  const { judge } = createJudge(planOf(subject, [], budget), frozen, truths);
  const coin = await playByCoin(frozen, budget);
  let known:
    | {
        readonly name: string | number;
        readonly masks: readonly MaskLearner[];
        readonly agents: readonly AgentFigures[];
        readonly steps: number;
      }
    | undefined;
  for (const trial of trials) {
    if (isStopped(place.signals)) return;
    const begun = performance.now();
    let learned = begun;
    // What τ does not change is there already.
    if (known?.name !== trial.objective || decides(trial)) {
      const objective = objectiveOf(trial, postHocOptions(config));
      const { masks, explainers, steps } =
        objective.blinding === "mask"
          ? await learnByDeciding(frozen, objective, budget)
          : await learnFromCoin(frozen, objective, coin, postHocSeed(config));
      learned = performance.now();
      known = { name: trial.objective, masks, steps, agents: await judge([explainers], true) };
    }
    const { agents, masks, steps } = known;
    const gate = behindGates(frozen, masks, trial.threshold as number, place);
    const measured: Measured<ThresholdFigures> = {
      steps,
      figures: { joint: null, posthoc: { agents, gate } },
      seconds: {
        shared: coin.wallSeconds,
        learning: (learned - begun) / 1000,
        judging: (performance.now() - learned) / 1000,
      },
    };
    yield measured;
  }
}

/** Each agent in turn acts by its mask's gate; means over agents. */
function behindGates(
  { config, world, policies }: FrozenTeam,
  masks: readonly MaskLearner[],
  τ: number,
  place: Place,
): Gated {
  const root = stream(config.seed, "gates", place.subjects.states).bits();
  const episodes = config.evaluation.dropEpisodes;
  const points = masks.map((mask, agent) =>
    actByGate(world, policies, agent, mask, τ, { episodes, seed: stream(root, agent).bits() }),
  );
  return { drop: mean(points.map(({ drop }) => drop)), blinded: mean(points.map(({ blinded }) => blinded)) };
}
