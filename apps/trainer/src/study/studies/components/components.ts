import { byName } from "@magic-mask/core";
import { advantage, coverage, type MaskObjective, type ObjectiveOptions } from "@magic-mask/masking";
import { postHocOptions } from "../../../assemble.ts";
import { type AgentFigures, createJudge } from "../../../compare/cells.ts";
import { type CoinEvidence, learnByDeciding, learnFromCoin, playByCoin } from "../../../compare/learn.ts";
import type { FrozenTeam } from "../../../compare/policies.ts";
import type { Config } from "../../../config.ts";
import { postHocSeed } from "../../../posthoc.ts";
import { isStopped } from "../../../work/signals.ts";
import { type JointFigures, jointRun, pathOfJointRun } from "../../joint-run.ts";
import type { Coordinates, Measured, Study, Subject } from "../../study.ts";
import { planOf } from "../common/cells.ts";
import { BUDGETS, explainedConfig, PAPER_WORLDS } from "../common/explained-worlds.ts";
import { ofJoint, partOf, withObjective, withSteps } from "../common/parts.ts";
import { mainSettings } from "../main/main.ts";
import { reportOnComponents } from "./report.ts";

/** Of one of the two parts; both null where a variant does not exist there. */
export interface ComponentFigures {
  readonly joint: JointFigures | null;
  readonly posthoc: { readonly agents: readonly AgentFigures[] } | null;
}

/** The default with something left out or put in its place. */
interface Variant {
  /** What is missing, or there instead, in words. */
  readonly what: string;
  /** The variant that it is held against: differs in that alone. */
  readonly reference: string;
  /** Post hoc; none where it exists in joint training alone. */
  readonly objective?: (options: ObjectiveOptions) => MaskObjective;
  /** p of the coin, post hoc, where it is not the configuration's. */
  readonly probability?: number;
  /** In joint training; none where that would be the same policies as those of the reference. */
  readonly joint?: (config: Config) => {
    readonly config: Config;
    readonly objective?: { readonly label: string; readonly of: MaskObjective };
  };
}

/** Every variant by name. The default has neither PPO nor a KL term in its mask: those are parts of the published design. */
export const variants: Readonly<Record<string, Variant>> = {
  default: {
    what: "advantage, as it is",
    reference: "default",
    objective: advantage,
    joint: (config) => ({ config: withObjective(config, "advantage") }),
  },
  no_policy_features: {
    what: "nets see the observation and the action alone",
    reference: "default",
    objective: (options) => advantage({ ...options, policyFeatures: false }),
  },
  unbalanced: {
    what: "every decision weighs the same, whatever was done",
    reference: "default",
    objective: (options) => advantage({ ...options, balanced: false }),
  },
  single_net: {
    what: "one net instead of several",
    reference: "default",
    objective: (options) => advantage({ ...options, ensemble: 1 }),
  },
  dense_blinding: {
    what: "half of the ticks blinded instead of a tenth",
    reference: "default",
    objective: advantage,
    probability: 0.5,
  },
  constant_blinding: {
    what: "ε stays where it starts while policies learn",
    reference: "default",
    joint: (config) => ({
      config: {
        ...withObjective(config, "advantage"),
        blinding: { initial: config.blinding.initial, floor: config.blinding.initial },
      },
    }),
  },
  ppo_mask: {
    what: "a mask that PPO trains and that decides the blinding (coverage), instead of a regression from a coin's",
    reference: "default",
    objective: ({ threshold }) => coverage({ threshold }),
    joint: (config) => ({ config: withObjective(config, "coverage") }),
  },
  ppo_mask_no_kl: {
    what: "the same without its KL term",
    reference: "ppo_mask",
    objective: ({ threshold }) => coverage({ threshold, prior: 0 }),
    joint: (config) => ({
      config: withObjective(config, "coverage"),
      objective: { label: "coverage without KL", of: coverage({ threshold: config.mask.threshold, prior: 0 }) },
    }),
  },
};

/** What can be changed of it. */
export interface ComponentsOptions {
  readonly id?: string;
  readonly environments?: readonly string[];
  /** Names from `variants`, those that others are held against among them. */
  readonly variants?: readonly string[];
}

const SOURCE = "trainer/study-components";

/** What is each part worth? The default with one part left out, post hoc where it has one there, and trained together where only that shows it. */
export function components(options: ComponentsOptions = {}): Study<ComponentFigures> {
  const { id = "components", environments = PAPER_WORLDS, variants: names = Object.keys(variants) } = options;
  return {
    id,
    question: "What is each part of the default worth?",
    claim: "mask, communication and KL regularisation are each said to matter; no figures part by part are known",
    version: 2,
    axes: (size) => ({
      environment: size === "quick" ? environments.slice(0, 2) : environments,
      seed: size === "quick" ? [1, 2, 3] : [1, 2, 3, 4, 5],
      part: ["joint", "posthoc"],
      budget: [BUDGETS[size]],
      variant: names,
    }),
    arms: ["variant"],
    config: explainedConfig,
    settings: mainSettings,
    kind: ({ part }) => part as string,
    work: (trials, config) => {
      const [{ part, budget, steps }] = trials;
      const made = trials.filter((at) => (part === "joint" ? variantOf(at).joint : variantOf(at).objective)).length;
      return (
        made * (part === "posthoc" ? (budget as number) : ((steps as number | undefined) ?? config.training.totalSteps))
      );
    },
    keeps: (trial, config, subjects) => {
      const { joint } = variantOf(trial);
      return trial.part === "joint" && joint ? [pathOfJointRun({ ...joint(withSteps(config, trial)), subjects })] : [];
    },
    pilots: (axes) => {
      const group = (part: string, how: Coordinates): Coordinates[] =>
        axes.variant.map((variant) => ({
          environment: axes.environment[0],
          seed: axes.seed[0],
          part,
          budget: axes.budget[0],
          variant,
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
    report: reportOnComponents,
  };
}

const variantOf = ({ variant }: Coordinates): Variant => byName(SOURCE, "variant", variants, variant as string);
/** Of a variant that does not exist in this part. */
const NOTHING: Measured<ComponentFigures> = {
  steps: 0,
  figures: { joint: null, posthoc: null },
  seconds: { shared: 0, learning: 0, judging: 0 },
};

async function* trainTogether(trials: readonly Coordinates[], { frozen: { config }, place }: Subject) {
  for (const trial of trials) {
    const { joint } = variantOf(trial);
    if (!joint) {
      yield NOTHING;
      continue;
    }
    const result = await jointRun({ ...joint(withSteps(config, trial)), place });
    if (!result) return;
    yield ofJoint(result.figures, result);
  }
}

async function* explainFrozen(trials: readonly Coordinates[], subject: Subject) {
  const { frozen, truths, place } = subject;
  const budget = trials[0].budget as number;
  const { judge } = createJudge(planOf(subject, [], budget), frozen, truths);
  const played = new Map<number, CoinEvidence>();
  /** Steps that a coin of this rate blinded, the same for all that ask. */
  const coin = async (team: FrozenTeam) => {
    const { probability } = team.config.posthoc;
    const known = played.get(probability) ?? (await playByCoin(team, budget));
    played.set(probability, known);
    return known;
  };
  for (const trial of trials) {
    if (isStopped(place.signals)) return;
    const { objective: make, probability } = variantOf(trial);
    if (!make) {
      yield NOTHING;
      continue;
    }
    const { config } = frozen;
    const posthoc = { ...config.posthoc, ...(probability !== undefined && { probability }) };
    const team: FrozenTeam = { ...frozen, config: { ...config, posthoc } };
    const objective = make(postHocOptions(config));
    const begun = performance.now();
    const { explainers, steps } =
      objective.blinding === "mask"
        ? await learnByDeciding(team, objective, budget)
        : await learnFromCoin(team, objective, await coin(team), postHocSeed(config));
    const learned = performance.now();
    const agents = await judge([explainers], true);
    const measured: Measured<ComponentFigures> = {
      steps,
      figures: { joint: null, posthoc: { agents } },
      seconds: { shared: 0, learning: (learned - begun) / 1000, judging: (performance.now() - learned) / 1000 },
    };
    yield measured;
  }
}
