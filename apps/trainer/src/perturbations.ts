import {
  type ActionSpace,
  type CreateLearner,
  completeRows,
  type EnvironmentSpec,
  MagicMaskError,
  type Perturbation,
  type Policy,
  type Rollout,
} from "@magic-mask/core";
import { type LearnedPerturbation, perturbations, selectDecisions } from "@magic-mask/masking";
import { assembleTeam, assembleWorld, type Explanation, learnersOf, type World } from "./assemble.ts";
import { type Config, parseConfig } from "./config.ts";
import { inFolder, isGiven } from "./given.ts";
import type { JointState } from "./joint.ts";
import { loadCheckpoint } from "./run/checkpoint.ts";
import { openRunFolder } from "./run/run-folder.ts";

const SOURCE = "trainer/perturbations";

/** What a configuration's perturbations are made of; uniform where nobody is ever blinded. */
const entryOf = ({ mask }: Config) => perturbations[mask.enabled ? mask.perturbation : "uniform"];

/** Whether ν is learned from masks. */
export const isLearned = (config: Config): boolean => entryOf(config).needs === "advantages";

/** What their factories are told. */
export const settingsOf = ({ perturbation: { temperature, action, divergence, harm } }: Config) => ({
  temperature,
  divergence,
  ...(action !== "" && { action }),
  ...(harm !== null && { harm }),
});

/** What tells a configuration's perturbation from others, as plain data. @throws invalid-option, io, corrupt-file if its peer is not there */
export const identityOf = (config: Config): string | object => {
  const { mask, perturbation } = config;
  // Of uniform there is nothing to set.
  if (mask.perturbation === "uniform") return mask.perturbation;
  return {
    name: mask.perturbation,
    ...settingsOf(config),
    ...(entryOf(config).needs === "peer" && { peer: openPeer(perturbation.peer).record.trajectoryHash }),
  };
};

/** What each agent does when it is blinded, as far as that is known before anything is loaded or learned. @throws as the perturbation */
export function assemblePerturbations(config: Config, spec: EnvironmentSpec): Perturbation[] {
  const { mask, seed } = config;
  const entry = entryOf(config);
  if (entry.needs !== "nothing") return spec.agents.map(() => unmade(mask.perturbation));
  // One for all who have the same space: a collector asks each once.
  const made = new Map<ActionSpace, Perturbation>();
  return spec.actionSpaces.map((space, agent) => {
    const own = made.get(space) ?? entry.create({ spec, agent, seed, settings: settingsOf(config) });
    made.set(space, own);
    return own;
  });
}

/** Stands for what is still to be made, so that nothing else is taken for it. */
const unmade = (name: string): Perturbation => ({
  name,
  evaluate() {
    throw new MagicMaskError("out-of-order", SOURCE, `${name} is not made yet: its peers or masks come first`);
  },
});

/** The world with frozen peers, where they act; else as it is. @throws io, corrupt-file; invalid-option; shape-mismatch */
export async function withPeers(config: Config, world: World, create: CreateLearner): Promise<World> {
  const entry = entryOf(config);
  if (entry.needs !== "peer") return world;
  const { spec } = world;
  const peers = await loadPeers(config.perturbation.peer, spec, create);
  return {
    ...world,
    perturbations: peers.map((peer, agent) => entry.create({ spec, agent, seed: config.seed, peer })),
  };
}

function openPeer(path: string) {
  if (path !== "") return openRunFolder(path);
  const message = "frozen_peer needs a run whose policies act in the agents' place: perturbation.peer=<run folder>";
  throw new MagicMaskError("invalid-option", SOURCE, message);
}

/** [N] who plays each agent in the last checkpoint of a run. */
async function loadPeers(path: string, spec: EnvironmentSpec, create: CreateLearner): Promise<Policy[]> {
  const { record, path: folder } = openPeer(path);
  const config = inFolder(parseConfig(record.config), folder);
  const world = assembleWorld(config);
  const shapeOf = ({ agents, observationSpaces, actionSpaces }: EnvironmentSpec) =>
    JSON.stringify([agents, observationSpaces, actionSpaces]);
  if (shapeOf(world.spec) !== shapeOf(spec)) {
    const message = `the peers of ${path} play ${world.spec.id} with other agents or spaces than this ${spec.id}`;
    throw new MagicMaskError("shape-mismatch", SOURCE, message);
  }
  const team = assembleTeam(config, world, create);
  const { learners, players } = team;
  if (!isGiven(config)) {
    const { joint } = (await loadCheckpoint(path)).tree as { readonly joint: JointState };
    if (!joint.train) {
      const message = `the run ${path} has learned nothing yet; train it on first: magic-mask train --resume ${path}`;
      throw new MagicMaskError("out-of-order", SOURCE, message);
    }
    learnersOf(team).forEach(({ learner }, k) => {
      learner.restoreState(joint.learners[k]);
    });
  }
  return players.map((k) => learners[k].policy);
}

/** The world with perturbations that are learned from these masks or their advisers, where they are; else as it is. @throws unsupported */
export function withLearned(
  config: Config,
  world: World,
  { masks, advisers }: Pick<Explanation, "masks" | "advisers">,
  seed: number,
): World {
  const entry = entryOf(config);
  if (entry.needs !== "advantages") return world;
  const learned = (advisers.length > 0 ? advisers : masks).map(({ advantages }, agent) =>
    entry.create({ spec: world.spec, agent, seed, advantages, settings: settingsOf(config) }),
  );
  return { ...world, perturbations: learned, learned };
}

/** Fits learned perturbations to what was just visited, by what their masks know now. @param rollouts [L] */
export function fitLearned(
  learned: readonly LearnedPerturbation[],
  rollouts: readonly Rollout[],
  players: readonly number[],
): void {
  learned.forEach((perturbation, agent) => {
    const rollout = rollouts[players[agent]];
    const rows = completeRows(rollout, agent);
    const stride = Math.ceil(rows.length / LOOKED_AT);
    const sample = rows.filter((_, i) => i % stride === 0);
    if (sample.length > 0) perturbation.fit(selectDecisions(rollout, sample, agent));
  });
}

/** Decisions that a fit looks at. */
const LOOKED_AT = 512;
