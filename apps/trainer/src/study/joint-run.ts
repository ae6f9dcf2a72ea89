import { rm } from "node:fs/promises";
import { join } from "node:path";
import { stream } from "@magic-mask/core";
import { type MaskObjective, random } from "@magic-mask/masking";
import { collectStates } from "@magic-mask/metrics";
import { assembleExplanation, masksDecide } from "../assemble.ts";
import { baselineOf, dropCurve } from "../compare/drops.ts";
import { machine } from "../compare/plan.ts";
import { assemble, type FrozenTeam, trainKept } from "../compare/policies.ts";
import type { Config } from "../config.ts";
import { mean, orNull } from "../figures/means.ts";
import { scoresOf } from "../figures/scores.ts";
import { type JointIteration, type JointState, trainJointly } from "../joint.ts";
import type { MaskRound } from "../learn-masks.ts";
import { identityOf } from "../perturbations.ts";
import { randomPlayer } from "../policies.ts";
import { hasCheckpoint, loadCheckpoint } from "../run/checkpoint.ts";
import { addressOf } from "../work/address.ts";
import { keep, read } from "./store.ts";
import { type Strength, strengthOf } from "./strength.ts";
import type { Place } from "./study.ts";

/** What came of policies that learned together with masks. */
export interface JointFigures {
  /** Environment steps. */
  readonly steps: number;
  readonly strength: readonly Strength[];
  /** Means over policies, or agents, of the last iterations; the largest of all. Nats; null where there is no such number. */
  readonly kl: {
    readonly update: number | null;
    readonly largestUpdate: number | null;
    readonly perturbation: number | null;
  };
  /** Of the masks as training ends, over agents: E[m], the share that the gate m ≤ τ blinds. */
  readonly mask: { readonly mean: number | null; readonly coverage: number | null };
  /** Reward drop at a tenth of the decisions, mean over agents: those that the mask as training ends scores highest, lowest, any. */
  readonly drop: { readonly top: number; readonly bottom: number; readonly random: number };
}

interface JointResult {
  readonly figures: JointFigures;
  /** Wall seconds of training and judging. */
  readonly seconds: number;
  /** Whether it was made now, not found. */
  readonly isNew: boolean;
}

export interface JointRunOptions {
  /** Policies, opponents, blinding and mask; of sharing nothing is asked, as it changes neither policies nor masks. */
  readonly config: Config;
  /** The mask's objective, where it is not the configuration's as it stands; of the same kind of blinding. */
  readonly objective?: { readonly label: string; readonly of: MaskObjective };
  readonly place: Place;
}

const FOLDER = "joint";
/** Raised when a run of the same description comes to other figures. */
const FORMAT = 1;
/** Iterations at the end that figures are means over. */
const RECENT = 20;
/** q */
const SHARE = 0.1;

/** What is kept of a run that is under way. */
interface SavedJoint {
  readonly joint: JointState;
  readonly seen: Seen;
  readonly seconds: number;
}

/** What iterations have shown. */
interface Seen {
  /** [≤ RECENT] */
  readonly updates: readonly number[];
  readonly largest: number;
  /** [≤ RECENT][N] */
  readonly rounds: readonly (readonly MaskRound[])[];
}

/**
 * Trains policies and masks together and judges them, or finds what came of it before. Where a coin blinds, masks do not touch the
 * policies; where they decide, they do.
 *
 * @returns undefined if it was stopped before the end; then it goes on there another time
 */
export async function jointRun({ config: asked, objective, place }: JointRunOptions): Promise<JointResult | undefined> {
  const { cache, signals, subjects } = place;
  const { mask, sharing } = asked;
  const config: Config = {
    ...asked,
    workers: 0,
    mask: { ...mask, enabled: true },
    // Records change neither policies nor masks: as few as there can be.
    sharing: { ...sharing, mode: "none", capacity: 1024, steer: 0, hostile: {} },
  };
  const folder = join(cache, FOLDER);
  const address = addressOfRun({ config: asked, subjects, ...(objective && { objective }) });
  const { seed, evaluation } = config;
  const known = (await read(folder, address)) as Omit<JointResult, "isNew"> | undefined;
  if (known) return { ...known, isNew: false };

  const path = join(folder, address);
  const saved = (await hasCheckpoint(path)) ? ((await loadCheckpoint(path)).tree as SavedJoint) : undefined;
  const begun = performance.now();
  const { world, team, backend } = await assemble(config);
  const { create } = backend;
  const root = stream(seed, "explanation").bits();
  const assembled = assembleExplanation(config, world, create, root, false);
  const explanation = objective
    ? {
        ...assembled,
        masks: world.spec.agents.map((_, agent) =>
          objective.of.create({ spec: world.spec, agent, createLearner: create, seed: root }),
        ),
      }
    : assembled;
  let seen: Seen = saved?.seen ?? { updates: [], largest: 0, rounds: [] };
  let steps = saved?.joint.train?.steps ?? 0;
  const seconds = () => (saved?.seconds ?? 0) + (performance.now() - begun) / 1000;
  const finished = await trainKept(trainJointly(config, world, team, explanation, backend, saved?.joint), {
    ...{ config, folder: path, signals },
    look(iteration) {
      ({ steps } = iteration);
      seen = look(seen, iteration);
    },
    async save(iteration): Promise<SavedJoint> {
      return { joint: await iteration.exportState(), seen, seconds: seconds() };
    },
  });
  if (!finished) return undefined;
  const policies = team.players.map((k) => team.learners[k].policy);
  const frozen: FrozenTeam = { config, world, team, policies, create };
  const explainers = explanation.masks.map(({ explainer }) => explainer);
  const over = (of: (round: MaskRound) => number) => orNull(mean(seen.rounds.flat().map(of).filter(isKnown)));
  const figures: JointFigures = {
    steps,
    strength: strengthOf(frozen, subjects.states, evaluation.episodes),
    kl: {
      update: orNull(mean(seen.updates)),
      largestUpdate: orNull(seen.largest),
      perturbation: over(({ perturbation }) => perturbation),
    },
    mask: { mean: over((round) => round.mean), coverage: over(({ coverage }) => coverage) },
    drop: liveDrops(frozen, explainers, place),
  };
  const result = { figures, seconds: seconds() };
  await keep(folder, address, result);
  // What is kept says it all.
  await rm(path, { recursive: true, force: true });
  return { ...result, isNew: true };
}

/** The folder in which a run keeps how far it is, relative to the cache. */
export const pathOfJointRun = (about: DescribedRun): string => join(FOLDER, addressOfRun(about));

type DescribedRun = Pick<JointRunOptions, "config" | "objective"> & Pick<Place, "subjects">;

function addressOfRun({ config, objective, subjects }: DescribedRun): string {
  const { seed, environment, training, opponents, blinding, mask, evaluation } = config;
  return addressOf({
    format: FORMAT,
    is: "joint run",
    seed,
    environment,
    training,
    opponents,
    objective: objective?.label ?? mask.objective,
    perturbation: identityOf(config),
    every: mask.every,
    learningRate: mask.learningRate,
    threshold: mask.threshold,
    ...(!masksDecide(config) && { blinding }),
    judged: [subjects.states, evaluation.episodes, evaluation.dropEpisodes],
    backend: config.backend,
    ...machine(),
  });
}

function look({ updates, largest, rounds }: Seen, iteration: Pick<JointIteration, "statistics" | "rounds">): Seen {
  // Undefined where an iteration held nothing to learn from.
  const all = iteration.statistics.flatMap(({ approx_kl: kl }) => (kl === undefined ? [] : [kl]));
  const update = all.length > 0 ? [mean(all)] : [];
  return {
    updates: [...updates, ...update].slice(-RECENT),
    largest: Math.max(largest, ...update),
    rounds: iteration.rounds.length > 0 ? [...rounds, iteration.rounds].slice(-RECENT) : rounds,
  };
}

/** What it costs to blind each agent where its mask says, or says least, or anywhere. */
function liveDrops(
  { config, world, policies }: FrozenTeam,
  explainers: readonly Parameters<typeof scoresOf>[0][],
  { subjects }: Place,
): JointFigures["drop"] {
  const { make, spec, perturbations } = world;
  const root = stream(config.seed, "live drops", subjects.states).bits();
  const points = explainers.map((explainer, agent) => {
    const perturbation = perturbations[agent];
    const seed = stream(root, agent).bits();
    const player = randomPlayer(spec.actionSpaces[agent]);
    const baseline = baselineOf(make, policies, agent, config.evaluation.dropEpisodes, seed, player);
    const [states] = collectStates({
      make,
      policies,
      perturbation,
      agents: [agent],
      count: CALIBRATION,
      seed: stream(seed, "states").bits(),
    });
    const about = { make, policies, agent, perturbation, baseline, shares: [SHARE], headline: SHARE, seed };
    const curve = (by: typeof explainer) => dropCurve({ ...about, explainer: by, scores: scoresOf(by, states).scores });
    const [top, bottom] = curve(explainer);
    const [any] = curve(random({ seed: stream(seed, "random").bits() }));
    return { top: top.drop, bottom: bottom.drop, random: any.drop };
  });
  const over = (of: (point: JointFigures["drop"]) => number) => mean(points.map(of));
  return { top: over(({ top }) => top), bottom: over(({ bottom }) => bottom), random: over((each) => each.random) };
}

/** Decisions that gates are first set by. */
const CALIBRATION = 200;

const isKnown = (value: number) => !Number.isNaN(value);
