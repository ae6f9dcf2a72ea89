import { type ActionSpace, MagicMaskError, requireChoices } from "@magic-mask/core";
import { controls, controlsFor, objectives, objectivesFor, perturbations } from "@magic-mask/masking";
import type { TruthPlan } from "@magic-mask/metrics";
import { assembleWorld } from "../assemble.ts";
import type { Config } from "../config.ts";
import { isGiven } from "../given.ts";
import { identityOf, isLearned } from "../perturbations.ts";
import { learningSettings } from "../posthoc.ts";
import type { StateSet } from "../truth/truth-of.ts";
import { addressOf } from "../work/address.ts";

/** A frozen policy that is explained: the unit over which intervals are taken. */
export interface PolicySource {
  /** What tables call it: its seed. */
  readonly label: string;
  /** All that it was, or is to be, trained with. */
  readonly config: Config;
  /** Run folder of a policy that was there beforehand; otherwise it is trained. */
  readonly run?: string;
  /** What such a run says of itself: environment steps, who trained, and the hash of all that was played. */
  readonly origin?: { readonly steps: number; readonly commit: string | null; readonly trajectoryHash: string };
  /** Of a team of unlike skill: where it comes from but for some agents, and what those are played by. */
  readonly mixed?: { readonly others: PolicySource; readonly agents: readonly number[]; readonly by: PolicySource };
  /** Content address. */
  readonly address: string;
}

interface PlannedExplainer {
  readonly name: string;
  /** Whether it learns, and so has a budget. */
  readonly learns: boolean;
  /** Whether it learns nothing, but takes its budget at the decisions themselves: it continues the world from them. */
  readonly looks?: true;
  /** Whether it decides the blinding while it learns, and so plays steps of its own; the others share what a coin blinded. */
  readonly decides: boolean;
  /** How many fits with other initial weights its figures are means over. */
  readonly initialisations: number;
}

/** How much is measured. */
interface Sizes {
  /** Truth states of each agent. */
  readonly states: number;
  /** How sure the truth is to be. */
  readonly truth: TruthPlan;
  /** Episodes of each point of a drop curve. */
  readonly dropEpisodes: number;
  /** Episodes that StateMask's score is made of. */
  readonly scoreEpisodes: number;
  /** q: shares of an agent's decisions that are blinded, ascending. */
  readonly shares: readonly number[];
}

/** Frozen policies of one world, and how well the truth of their decisions is to be known. */
export interface Subjects {
  readonly environment: Config["environment"];
  /** Names of the agents. */
  readonly agents: readonly string[];
  readonly policies: readonly PolicySource[];
  readonly states: StateSet;
  readonly sizes: Pick<Sizes, "states" | "truth">;
  readonly backend: string;
}

/** A comparison as a value: everything that its figures depend on. */
export interface Plan extends Subjects {
  readonly explainers: readonly PlannedExplainer[];
  /** Environment steps that an explainer may learn from, ascending. */
  readonly budgets: readonly number[];
  readonly sizes: Sizes;
  /** The explainer that the others are held against: the default. */
  readonly subject: string;
}

/** The truth of one agent's decisions under one policy. */
export interface PlannedTruth {
  readonly policy: number;
  readonly agent: number;
  readonly address: string;
}

/** One explainer of one policy, learned within one budget: the unit of work that is kept. */
export interface Cell {
  readonly policy: number;
  readonly explainer: PlannedExplainer;
  /** 0 where nothing is learned. */
  readonly budget: number;
  /** Environment steps that are played before anything is scored, see `stepsOf`. */
  readonly steps: number;
  /** Whether figures that take play are measured: drop curves and StateMask's score. */
  readonly played: boolean;
  readonly address: string;
}

export interface SubjectsOptions {
  /** Resolved; its seed is of no account. */
  readonly config: Config;
  readonly policies: readonly PolicySource[];
  readonly states: StateSet;
  /** Name of the backend that runs the networks. */
  readonly backend: string;
}

export interface PlanOptions extends SubjectsOptions {
  /** Names from `objectives` and `controls`; all by default. The control `random` is always among them, as chance level. */
  readonly explainers?: readonly string[];
  readonly budgets: readonly number[];
  readonly shares: readonly number[];
}

const SOURCE = "trainer/plan";

/** What cells, truths and policies mean: raised when a change to the program makes other figures of the same settings. */
const FORMAT = 1;
/** Of what looks ahead alone: how it shares out its steps, and what is measured of it. */
const LOOKING = 3;
/** Of drops alone: how the gate is found that blinds a share. */
const GATES = 2;
/** Of cells alone: what is measured of an explainer. */
const CELL_FORMAT = 2;

/** Hashes hold per backend, architecture and major version of Node. */
export const machine = () => ({ architecture: process.arch, node: process.versions.node.split(".")[0] });

/** @throws invalid-option, unknown-name; as `planSubjects` */
export function planComparison(options: PlanOptions): Plan {
  const { config, budgets, shares } = options;
  const { sizes, ...subjects } = planSubjects(options);
  const { actionSpaces } = assembleWorld(config).spec;
  requireOnce(budgets);
  requireOnce(options.explainers ?? []);
  const { dropEpisodes } = config.evaluation;
  return {
    ...subjects,
    explainers: explainersNamed(options.explainers, config, actionSpaces),
    budgets: [...budgets].sort((a, b) => a - b),
    sizes: { ...sizes, dropEpisodes, scoreEpisodes: Math.ceil(dropEpisodes / 5), shares },
    subject: config.mask.objective,
  };
}

/**
 * @throws invalid-option for fewer than two policies; unsupported for worlds that have no truth: without snapshots or with actions in
 *   several parts, and for perturbations that are learned
 */
export function planSubjects({ config, policies, states, backend }: SubjectsOptions): Subjects {
  const { spec } = assembleWorld(config);
  if (spec.snapshotBytes === 0) {
    throw new MagicMaskError(
      "unsupported",
      SOURCE,
      `${spec.id} cannot be copied, so its decisions have no ground truth`,
    );
  }
  for (const space of spec.actionSpaces) if (space.kind !== "box") requireChoices(SOURCE, space);
  if (isLearned(config)) {
    const others = Object.keys(perturbations).filter((name) => perturbations[name].needs !== "advantages");
    const message = `${config.mask.perturbation} would be made by one of the explainers that are compared; set mask.perturbation to one of: ${others.join(", ")}`;
    throw new MagicMaskError("unsupported", SOURCE, message);
  }
  if (policies.length < 2) {
    const message = `intervals are over policies and need at least 2, got ${policies.length}`;
    throw new MagicMaskError("invalid-option", SOURCE, message);
  }
  requireOnce(policies.map(({ label }) => label));
  requireOnce(policies.map(({ address }) => address));
  const { pilotRollouts, rollouts, batches, reliability } = config.evaluation;
  return {
    environment: config.environment,
    agents: spec.agents,
    policies,
    states,
    sizes: {
      states: config.evaluation.states,
      truth: { pilot: pilotRollouts, rollouts, batches, reliability },
    },
    backend,
  };
}

/** @throws invalid-option */
function requireOnce(values: readonly (string | number)[]): void {
  const doubled = values.find((value, i) => values.indexOf(value) !== i);
  if (doubled !== undefined) throw new MagicMaskError("invalid-option", SOURCE, `${doubled} is named twice`);
}

/** @param spaces of the agents: by default those that can score decisions in all of them */
function explainersNamed(
  names: readonly string[] | undefined,
  { mask, evaluation }: Config,
  spaces: readonly ActionSpace[],
): PlannedExplainer[] {
  const learned = Object.keys(objectives).filter((name) =>
    spaces.every((space) => objectivesFor(space).includes(name)),
  );
  const fixed = Object.keys(controls).filter((name) =>
    spaces.every((space) => controlsFor(space).includes(controls[name])),
  );
  // Half of the steps are the coin's, whoever learns from them.
  const isCoins = objectives[mask.objective]({ threshold: mask.threshold }).blinding === "coin";
  const known = [...learned, LOOKAHEAD, ...(isCoins && learned.includes(mask.objective) ? [BOTH] : []), ...fixed];
  const unknown = names?.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const message = `there is no explainer "${unknown}" for such actions; there are: ${known.join(", ")}`;
    throw new MagicMaskError("unknown-name", SOURCE, message);
  }
  return known
    .filter((name) => !names || names.includes(name) || name === CHANCE)
    .map((name) => {
      if (name === LOOKAHEAD || name === BOTH)
        return { name, learns: false, looks: true, decides: false, initialisations: 1 };
      const learns = learned.includes(name);
      const blinding = learns && objectives[name]({ threshold: mask.threshold }).blinding;
      // It carries no signal, so one set of initial weights alone may rank well by luck. As it asks nothing of what comes of its
      // blinding, what a coin blinded is as good.
      const initialisations = name === "paper" ? evaluation.paperSeeds : 1;
      return { name, learns, decides: blinding === "mask" && initialisations === 1, initialisations };
    });
}

/** The control that every drop is printed beside. */
export const CHANCE = "random";
/** What continues the world from the decisions that it is asked about, which no other explainer has before it. */
export const LOOKAHEAD = "lookahead";
/** The mask, learned by `mask.objective` from half of the steps, and what looks ahead by the other half, with the same say. */
export const BOTH = "mask+lookahead";

/** A policy that is yet to be trained. */
export function trainedPolicy(config: Config, backend: string): PolicySource {
  const { seed, environment, training, opponents } = config;
  return {
    label: `${seed}`,
    config,
    address: addressOf({ format: FORMAT, is: "policy", seed, environment, training, opponents, backend, ...machine() }),
  };
}

/** A policy that a run has left. @param parameters digest of its weights */
export const givenPolicy = (given: Omit<PolicySource, "address" | "mixed">, parameters: string): PolicySource => ({
  ...given,
  address: addressOf({ format: FORMAT, is: "policy", parameters, environment: given.config.environment }),
});

/** A team in which some agents are played by another policy. */
export const mixedPolicy = (others: PolicySource, agents: readonly number[], by: PolicySource): PolicySource => ({
  ...others,
  mixed: { others, agents, by },
  address: addressOf({ format: FORMAT, is: "mixed policy", others: others.address, agents, by: by.address }),
});

/** [policies × agents] */
export function truthsOf({ policies, agents, states, sizes, backend }: Subjects): PlannedTruth[] {
  return policies.flatMap(({ address, config }, policy) =>
    agents.map((_, agent) => ({
      policy,
      agent,
      address: addressOf({
        format: FORMAT,
        is: "truth",
        policy: address,
        agent,
        set: states,
        states: sizes.states,
        truth: sizes.truth,
        seed: config.seed,
        discount: config.training.discount,
        perturbation: identityOf(config),
        backend,
        ...machine(),
      }),
    })),
  );
}

/** All cells, in the order of the table. What takes play is measured for the largest budget and for what has none. */
export function cellsOf(plan: Plan): Cell[] {
  const { policies, explainers, budgets, sizes, backend } = plan;
  const truths = truthsOf(plan);
  const cell = (policy: number, explainer: PlannedExplainer, budget: number): Cell => {
    const { config } = policies[policy];
    const { copies, shards, discount } = config.training;
    const largest = budgets[budgets.length - 1];
    const { looks = false } = explainer;
    const played = budget === 0 || budget === largest;
    const steps = stepsOf(explainer, budget, largest, config);
    const learning = { budget: steps, copies, shards, discount, ...learningSettings(config) };
    const address = addressOf({
      format: CELL_FORMAT,
      is: "cell",
      truths: truths.filter((truth) => truth.policy === policy).map((truth) => truth.address),
      explainer,
      threshold: config.mask.threshold,
      ...(steps > 0 && { learning }),
      ...(looks && { looking: { budget, discount, rule: LOOKING } }),
      ...(explainer.name === BOTH && { mask: config.mask.objective }),
      ...(played && { episodes: [sizes.dropEpisodes, sizes.scoreEpisodes], shares: sizes.shares, gates: GATES }),
      backend,
      ...machine(),
    });
    return { policy, explainer, budget, steps, played, address };
  };
  return policies.flatMap((_, policy) =>
    explainers.flatMap((explainer) =>
      (explainer.learns || explainer.looks ? budgets : [0]).map((budget) => cell(policy, explainer, budget)),
    ),
  );
}

/** Environment steps that are played for a cell before anything is scored: where V is asked for and the policy gives none, it is learned. */
function stepsOf({ name, learns, looks }: PlannedExplainer, budget: number, largest: number, config: Config): number {
  if (learns) return budget;
  if (name === BOTH) return Math.floor(budget / 2);
  if (!isGiven(config)) return 0;
  // Half of what it may look ahead by.
  if (looks) return Math.floor(budget / 2);
  return controls[name].values ? largest : 0;
}

/** Of the shares of a drop curve the one that is calibrated and that tables show: the nearest to a tenth. */
export const headlineShare = (shares: readonly number[]): number =>
  shares.reduce((best, share) => (Math.abs(share - 0.1) < Math.abs(best - 0.1) ? share : best));
