import {
  boxSize,
  type CreateLearner,
  distributionOf,
  type EnvironmentSpec,
  type Learner,
  MagicMaskError,
  type MakeEnvironment,
  type ModelSpec,
  type Perturbation,
  type Policy,
  stream,
} from "@magic-mask/core";
import {
  advantage,
  type Critic,
  createCritic,
  type LearnedPerturbation,
  type MaskLearner,
  type MaskObjective,
  type ObjectiveOptions,
  objectives,
} from "@magic-mask/masking";
import { learnerPolicy, type Work } from "@magic-mask/networks";
import { type Opponents, pool, scripted, self, type TrainOptions } from "@magic-mask/ppo";
import type { Config } from "./config.ts";
import { givenPlayers, isGiven } from "./given.ts";
import { createMemory, type Memory } from "./memory.ts";
import { assemblePerturbations, isLearned } from "./perturbations.ts";
import { randomPlayer } from "./policies.ts";
import { requireScriptedPlayer } from "./scripted.ts";
import { makerOf } from "./worlds.ts";

/** The world that a configuration asks for, and what of it all parts need. */
export interface World {
  readonly make: MakeEnvironment;
  readonly spec: EnvironmentSpec;
  /** [N] */
  readonly perturbations: readonly Perturbation[];
  /** The same, where they are learned from masks. */
  readonly learned?: readonly LearnedPerturbation[];
}

/** What explains one team: per agent a critic and a mask, and what the agents tell each other. */
export interface Explanation {
  /** [N] */
  readonly critics: readonly Critic[];
  /** [N] */
  readonly masks: readonly MaskLearner[];
  /** [N] masks that learn beside those what single actions are worth; none unless perturbations are made of it and they do not know. */
  readonly advisers: readonly MaskLearner[];
  readonly memory: Memory;
}

/** A policy with the network that it reads, where that is ours. */
export interface Player {
  readonly policy: Policy;
  readonly learner?: Learner;
  /** Of a policy that was trained elsewhere: its file, that one's digest, and what it gives, in words. */
  readonly origin?: {
    readonly file: string;
    readonly sha256: string;
    readonly gives: string;
    /** Whether probabilities are the model's own, or an estimate from actions alone. */
    readonly exact: boolean;
  };
}

/** The policies, the k-th playing every agent i with `players[i]` = k, and whom they train against. */
export interface Team {
  readonly learners: readonly Player[];
  /** [N] */
  readonly players: readonly number[];
  readonly opponents: Opponents;
}

/** Those of a team that can learn: all, or none where policies are given. */
export const learnersOf = ({ learners }: Pick<Team, "learners">): TrainOptions["learners"] =>
  learners.flatMap(({ learner, policy }) => (learner ? [{ learner, policy }] : []));

/** @throws as the perturbation; peers and learned ones are made later: `withPeers`, `withLearned` */
export function assembleWorld(config: Config): World {
  const make = makerOf(config.environment);
  const spec = make();
  // Only what is fixed about it is read from here on.
  spec.close?.();
  return { make, spec, perturbations: assemblePerturbations(config, spec) };
}

/** What the backend will mostly do. */
export const policyWork = (config: Config, { spec }: World): Work => ({
  model: policyModel(config, spec, 0),
  minibatch: config.training.minibatch,
});

/** The network of the policy that plays `agent`. */
function policyModel({ training }: Config, spec: EnvironmentSpec, agent: number): ModelSpec {
  const { separateCritic, hidden, activation } = training;
  const space = spec.actionSpaces[agent];
  const inputs = boxSize(spec.observationSpaces[agent]);
  if (space.kind === "candidates") return { ...space, inputs, hidden, activation };
  const P = distributionOf(space).width;
  const outputs = separateCritic ? [P, 1] : [P + 1];
  return { kind: "mlp", inputs, hidden, activation, outputs };
}

/** The team that a configuration asks for: new networks, or given policies. @throws unsupported if there are no such opponents; as `givenPlayers` */
export function assembleTeam(config: Config, { spec }: World, create: CreateLearner): Team {
  const { sharedPolicy } = config.training;
  // Who shares a policy shares spaces.
  const shapes = spec.agents.map((_, i) => JSON.stringify([spec.observationSpaces[i], spec.actionSpaces[i]]));
  const groups = [...new Set(shapes)];
  if (isGiven(config)) {
    const given = givenPlayers(
      config,
      spec,
      shapes.map((shape) => groups.indexOf(shape)),
    );
    return { ...given, opponents: self() };
  }
  const players = shapes.map((shape, i) => (sharedPolicy ? groups.indexOf(shape) : i));
  const learners = [...new Set(players)].map((k) => {
    const first = players.indexOf(k);
    const learner = create(policyModel(config, spec, first), stream(config.seed, "policy", k));
    return { learner, policy: learnerPolicy(learner, spec.actionSpaces[first]) };
  });
  return { learners, players, opponents: assembleOpponents(config, spec, learners, create) };
}

function assembleOpponents(
  config: Config,
  spec: EnvironmentSpec,
  learners: TrainOptions["learners"],
  create: CreateLearner,
): Opponents {
  const { kind, share, size, every } = config.opponents;
  const random = kind === "random" ? spec.actionSpaces.map(randomPlayer) : undefined;
  const policies = kind === "scripted" ? requireScriptedPlayer(config).policies : random;
  // Where roles differ, those of one role are a side.
  const isAlone = new Set(spec.roles).size === 1;
  if (policies) return scripted({ policies, share, ...(!isAlone && { sides: spec.roles }) });
  if (kind === "self") return self();
  if (learners.length > 1) {
    throw new MagicMaskError(
      "unsupported",
      "trainer/assemble",
      "a pool of past selves needs one policy for all agents: alike spaces and training.sharedPolicy=true",
    );
  }
  const { learner } = learners[0];
  const createMember = () => {
    const member = create(learner.spec, stream(config.seed, "pool"));
    return { learner: member, policy: learnerPolicy(member, spec.actionSpaces[0]) };
  };
  return pool({ learner, createMember, size, every, share });
}

/** What the post-hoc pass tells objectives: there ensembles are nets of their own instead of heads on a shared trunk. */
export const postHocOptions = ({ mask: { threshold }, posthoc: { ensemble, hidden } }: Config): ObjectiveOptions => ({
  threshold,
  separate: true,
  ensemble,
  hidden,
});

/** An objective by name as the post-hoc pass has it. */
export const postHocObjective = (config: Config, name = config.mask.objective): MaskObjective =>
  objectives[name](postHocOptions(config));

/** The mask of one agent. @param seed, separate as in `assembleExplanation` */
export function assembleMask(
  config: Config,
  { spec }: World,
  agent: number,
  createLearner: CreateLearner,
  seed: number,
  separate: boolean,
): MaskLearner {
  const { objective: name, threshold } = config.mask;
  const objective = separate ? postHocObjective(config) : objectives[name]({ threshold });
  return objective.create({ spec, agent, createLearner, seed });
}

/** Whether masks say who is blinded while they are learned, instead of a coin. */
export const masksDecide = ({ mask }: Config): boolean =>
  mask.enabled && objectives[mask.objective]({ threshold: mask.threshold }).blinding === "mask";

/** [N] an own estimate of V for each agent. @param seed, separate as in `assembleExplanation` */
export function assembleCritics(
  config: Config,
  world: World,
  createLearner: CreateLearner,
  seed: number,
  separate: boolean,
): Critic[] {
  return world.spec.agents.map((_, agent) => assembleCritic(config, world, agent, createLearner, seed, separate));
}

/** The critic of one agent, as `assembleCritics` makes it. */
export function assembleCritic(
  { training, posthoc }: Config,
  { spec }: World,
  agent: number,
  createLearner: CreateLearner,
  seed: number,
  separate: boolean,
): Critic {
  const { discount } = training;
  const { trace } = separate ? posthoc : training;
  return createCritic({ spec, agent, createLearner, seed, discount, trace });
}

/**
 * @param seed root of all chance in it
 * @param separate ensembles of separate nets (post hoc) instead of heads on one trunk (joint training)
 */
export function assembleExplanation(
  config: Config,
  world: World,
  create: CreateLearner,
  seed: number,
  separate: boolean,
): Explanation {
  const { spec } = world;
  const { copies } = config.training;
  const agents = spec.agents.map((_, agent) => agent);
  const critics = assembleCritics(config, world, create, seed, separate);
  const masks = agents.map((agent) => assembleMask(config, world, agent, create, seed, separate));
  // Post hoc perturbations are there before masks begin.
  const isAdvised = !separate && isLearned(config) && masks.some((mask) => !mask.advantages);
  const adviser = (agent: number) => advantage().create({ spec, agent, createLearner: create, seed });
  return {
    critics,
    masks,
    advisers: isAdvised ? agents.map(adviser) : [],
    memory: createMemory({
      spec,
      mode: config.sharing.mode,
      config,
      copies,
      retrospective: separate,
      seed,
      createLearner: create,
      critics,
    }),
  };
}
