import { rm } from "node:fs/promises";
import { join } from "node:path";
import { byName, type Explainer, type Policy, play, shuffle, stream } from "@magic-mask/core";
import { withStarts } from "@magic-mask/environments";
import { controls } from "@magic-mask/masking";
import { auroc, collectStates, episodeReturns, type States } from "@magic-mask/metrics";
import { learnersOf, postHocObjective } from "../../../assemble.ts";
import { learnFromCoin, playByCoin } from "../../../compare/learn.ts";
import { machine, type Subjects } from "../../../compare/plan.ts";
import { assemble, type FrozenTeam, trainKept } from "../../../compare/policies.ts";
import type { Config } from "../../../config.ts";
import { mean } from "../../../figures/means.ts";
import { scoresOf } from "../../../figures/scores.ts";
import { type JointState, trainJointly } from "../../../joint.ts";
import { identityOf } from "../../../perturbations.ts";
import { postHocSeed } from "../../../posthoc.ts";
import { hasCheckpoint, loadCheckpoint } from "../../../run/checkpoint.ts";
import type { StateSet } from "../../../truth/truth-of.ts";
import { addressOf } from "../../../work/address.ts";
import type { Signals } from "../../../work/signals.ts";
import { COPIES, replaySettings } from "../../replay.ts";
import type { Coordinates, Measured, Size, Study, Subject } from "../../study.ts";
import { meanOrNull } from "../common/figures.ts";
import { reportOnRetrain } from "./report.ts";

/** What training on from chosen states has come to. */
export interface RetrainFigures {
  /** Mean return on held-out episodes that begin as always, game units, before and after, on the same seeds. */
  readonly before: number;
  readonly after: number;
  /** AUROC of the true top tenth by what the states were chosen by, mean over agents; null where they were not, or it is undefined. */
  readonly auroc: number | null;
  /** Of the steps, those of looking at states and of learning to explain; the rest is training. */
  readonly spent: { readonly looking: number; readonly explaining: number };
}

/** How starts are chosen. */
interface Choice {
  /** None: episodes begin as always. */
  readonly starts: boolean;
  /** Scores states; by chance where there is nothing. */
  by?(team: FrozenTeam, budget: number): Promise<{ readonly explainers: readonly Explainer[]; readonly steps: number }>;
}

/** Ways to choose, by name. */
export const choices: Readonly<Record<string, Choice>> = {
  none: { starts: false },
  random: { starts: true },
  entropy: {
    starts: true,
    by: async ({ world: { spec }, policies, config: { seed } }) => ({
      explainers: spec.agents.map((_, agent) => {
        const context = { spec, agent, policy: policies[agent], seed };
        return controls.entropy.create(context);
      }),
      steps: 0,
    }),
  },
  critical: {
    starts: true,
    async by(team, budget) {
      const coin = await playByCoin(team, budget);
      return learnFromCoin(team, postHocObjective(team.config), coin, postHocSeed(team.config));
    },
  },
};

/** What can be changed of it. */
export interface RetrainOptions {
  readonly id?: string;
  readonly environments?: readonly string[];
  /** Names from `choices`, `none` and `random` among them, as what the others are held against. */
  readonly starts?: readonly string[];
}

/**
 * Is an explanation of use: does a policy learn faster where training begins at the states that are called critical?
 *
 * Policies whose training was cut short train on for the same number of environment steps, in which all is counted: a tenth of the steps
 * is played to have states to choose from, and another tenth to learn what is critical in them, where that is asked. Of the states of each agent
 * the highest tenth is taken, or as many at random, and half of the episodes begin there, the others as always (RICE, Cheng et al. 2024,
 * arXiv:2405.03064; StateMask likewise). PPO, its settings and its chance are the same in all arms. Truth has no part in it: it tells how
 * well states were chosen.
 */
export function retrain(options: RetrainOptions = {}): Study<RetrainFigures> {
  const {
    id = "retrain",
    environments = ["connect_four_v0", "highway_fast_v0", "pong_v0"],
    starts = Object.keys(choices),
  } = options;
  return {
    id,
    question: "Does a policy learn faster where training begins at critical states?",
    claim: "not tested: a study with users, of trust and debugging, is left to future work",
    version: 1,
    axes: (size) => ({
      environment: size === "quick" ? environments.slice(0, 2) : environments,
      seed: size === "quick" ? [1, 2, 3] : [1, 2, 3, 4, 5],
      budget: [BUDGETS[size]],
      starts,
    }),
    arms: ["starts"],
    config(environment, size) {
      const episodes = size === "quick" ? 200 : environment === "pong_v0" ? 64 : 2000;
      const states = size === "quick" ? 100 : 300;
      return {
        environment: { id: environment },
        training: {
          totalSteps: size === "paper" ? 10_000_000 : size === "quick" ? 100_000 : (TRAINING[environment] ?? 500_000),
        },
        evaluation: { states, pilotRollouts: 2, rollouts: 16, batches: 1, episodes },
      };
    },
    settings: settingsOf,
    work: (trials) => (trials[0].budget as number) * trials.length,
    pilots: (axes) => {
      const group = (budget: number): Coordinates[] =>
        axes.starts.map((name) => ({ environment: axes.environment[0], seed: axes.seed[0], budget, starts: name }));
      return [group(20_000), group(40_000)];
    },
    keeps: (trial, config, subjects) => [pathOfTraining(trial, config, subjects)],
    run: runArms,
    report: reportOnRetrain,
  };
}

const SOURCE = "trainer/study-retrain";
const FOLDER = "retrain";
const TRAINING: Readonly<Record<string, number>> = { pong_v0: 2_000_000, highway_fast_v0: 300_000 };
const BUDGETS: Readonly<Record<Size, number>> = { quick: 100_000, default: 500_000, paper: 5_000_000 };
/** Shares of the steps: to look at states, and to learn to explain. */
const LOOK = 0.1;
const EXPLAIN = 0.1;
/** Of the states, those that are taken. */
const TAKEN = 0.1;
/** Of the episodes, those that begin at one. */
const SHARE = 0.5;
/** The first learning rate beside that of training from nothing: what is there is not to be forgotten. */
const RATE = 1 / 3;
/** Most states of an agent that are looked at, and episodes that tell how long they are. */
const STATES = 1000;
const PROBES = 8;

/** What the figures depend on beside policies and truths. */
function settingsOf(config: Config) {
  const { sharing: _, ...settings } = replaySettings(config);
  const { training, opponents, evaluation } = config;
  return { ...settings, training, opponents, episodes: evaluation.episodes };
}

/** The folder in which an arm keeps how far its training is, relative to the cache. */
function pathOfTraining(at: Coordinates, config: Config, { policies }: Subjects): string {
  const policy = policies.find((source) => source.config.seed === config.seed)?.address;
  const settings = { ...settingsOf(config), perturbation: identityOf(config) };
  return join(FOLDER, addressOf({ is: "training on", at, policy, settings, ...machine() }));
}

/** What is kept of training that is under way. */
export interface SavedTraining {
  readonly joint: JointState;
  readonly seconds: number;
}

async function* runArms(
  trials: readonly Coordinates[],
  { frozen, truths, place }: Subject,
): AsyncIterable<Measured<RetrainFigures>> {
  const budget = trials[0].budget as number;
  const seed = stream(frozen.config.seed, "study", "retrain").bits();
  const { episodes } = frozen.config.evaluation;
  const earned = (policies: readonly Policy[]) => returnOf(frozen, policies, place.subjects.states, episodes);
  const begun = performance.now();
  const before = earned(frozen.policies);
  // What arms look at is the same.
  const seen = trials.some(({ starts }) => choiceOf(starts).starts) ? look(frozen, seed, LOOK * budget) : undefined;
  const shared = (performance.now() - begun) / 1000;
  const few = { ...frozen, config: { ...frozen.config, training: { ...frozen.config.training, copies: COPIES } } };

  for (const trial of trials) {
    const { starts } = trial;
    const started = performance.now();
    const choice = choiceOf(starts);
    const told = await choice.by?.(few, EXPLAIN * budget);
    const looking = choice.starts && seen ? seen.steps : 0;
    const explaining = told?.steps ?? 0;
    const snapshots = choice.starts && seen ? chosen(seen.states, told?.explainers, seed) : undefined;
    const folder = join(place.cache, pathOfTraining(trial, frozen.config, place.subjects));
    const taught = await trainOn(frozen, snapshots, budget - looking - explaining, seed, folder, place.signals);
    if (!taught) return;
    const { policies, before: earlier } = taught;
    const trained = performance.now();
    const areas = told?.explainers.map((explainer, agent) => {
      const value = auroc(scoresOf(explainer, truths[agent].states).scores, truths[agent].truth.criticality);
      return Number.isNaN(value) ? null : value;
    });
    yield {
      steps: budget,
      figures: {
        before,
        after: earned(policies),
        auroc: meanOrNull(areas ?? []),
        spent: { looking, explaining },
      },
      seconds: {
        shared,
        learning: earlier + (trained - started) / 1000,
        judging: (performance.now() - trained) / 1000,
      },
    };
    // What the arm came to is kept by now.
    await rm(folder, { recursive: true, force: true });
  }
}

const choiceOf = (name: string | number): Choice => byName(SOURCE, "way to choose starts", choices, name as string);

/** [N] states of the team's own play, whole episodes in about so many environment steps. */
function look({ world, policies }: FrozenTeam, root: number, wanted: number) {
  const { make, spec, perturbations } = world;
  const seed = stream(root, "look").bits();
  const ticksOf = (count: number) => play({ make, policies, episodes: count, seed }).map(({ ticks }) => ticks);
  // These are the first of those that are looked at.
  const length = mean(ticksOf(PROBES));
  const episodes = Math.max(1, Math.floor(wanted / length));
  const played = play({ make, policies, episodes, seed });
  const N = spec.agents.length;
  const states = spec.agents.flatMap((_, agent) => {
    let decisions = 0;
    for (const { acting, ticks } of played) for (let t = 0; t < ticks; t++) decisions += acting[t * N + agent];
    // Some may be forced.
    const count = Math.min(STATES, Math.max(1, Math.floor(decisions / 2)));
    return collectStates({
      make,
      policies,
      perturbation: perturbations[agent],
      agents: [agent],
      count,
      episodes,
      seed,
    });
  });
  return { states, steps: played.reduce((sum, { ticks }) => sum + ticks, 0) };
}

/** Snapshots of the tenth of each agent's states that scores highest, or of as many at random. */
function chosen(states: readonly States[], explainers: readonly Explainer[] | undefined, seed: number): Uint8Array {
  const parts = states.flatMap((own, agent) => {
    const order = Int32Array.from({ length: own.count }, (_, row) => row);
    if (explainers) {
      const { scores } = scoresOf(explainers[agent], own);
      order.sort((a, b) => scores[b] - scores[a] || a - b);
    } else shuffle(order, stream(seed, "starts", agent));
    const width = own.snapshots.length / own.count;
    const taken = order.subarray(0, Math.max(1, Math.round(TAKEN * own.count)));
    return Array.from(taken, (row) => own.snapshots.subarray(row * width, (row + 1) * width));
  });
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/**
 * Trains a copy of the team on for as many whole iterations as these steps have room for; goes on where an earlier try stopped.
 *
 * @param snapshots where half of the episodes begin; none: all begin as always
 * @param folder keeps how far it is
 * @returns [N] the policies, and wall seconds that earlier tries have spent; undefined if it was stopped before the end
 */
async function trainOn(
  frozen: FrozenTeam,
  snapshots: Uint8Array | undefined,
  steps: number,
  seed: number,
  folder: string,
  signals: Signals,
): Promise<{ readonly policies: readonly Policy[]; readonly before: number } | undefined> {
  const { training, mask } = frozen.config;
  const { start } = training.learningRate;
  const iteration = training.copies * training.rolloutTicks;
  const config: Config = {
    ...frozen.config,
    seed,
    mask: { ...mask, enabled: false },
    training: {
      ...training,
      totalSteps: Math.max(1, Math.floor(steps / iteration)) * iteration,
      learningRate: { start: RATE * start, end: 0 },
    },
  };
  const { world, team, backend } = await assemble(config);
  const taught = learnersOf(frozen.team);
  for (const [k, { learner }] of learnersOf(team).entries()) learner.restoreState(taught[k].learner.exportState());
  const make = snapshots ? withStarts(world.make, { snapshots, share: SHARE }) : world.make;
  const saved = (await hasCheckpoint(folder)) ? ((await loadCheckpoint(folder)).tree as SavedTraining) : undefined;
  const before = saved?.seconds ?? 0;
  const begun = performance.now();
  const finished = await trainKept(trainJointly(config, { ...world, make }, team, undefined, backend, saved?.joint), {
    ...{ config, folder, signals },
    async save(iteration): Promise<SavedTraining> {
      return { joint: await iteration.exportState(), seconds: before + (performance.now() - begun) / 1000 };
    },
  });
  return finished ? { policies: team.players.map((k) => team.learners[k].policy), before } : undefined;
}

/**
 * Mean return of a team over agents and held-out episodes; where what one wins another loses, of each of them with the frozen policies in the other
 * seats: among equals it would be 0.
 */
function returnOf(
  { config, world, policies: frozen }: FrozenTeam,
  policies: readonly Policy[],
  states: StateSet,
  episodes: number,
): number {
  const { make, spec } = world;
  const seed = stream(config.seed, "study", "retrain", states).bits();
  const alone = (agent: number, seated: readonly Policy[]) =>
    mean(Array.from(episodeReturns(play({ make, policies: seated, episodes, seed }), agent)));
  if (spec.zeroSum) {
    return mean(spec.agents.map((_, agent) => alone(agent, frozen.with(agent, policies[agent]))));
  }
  const played = play({ make, policies, episodes, seed });
  return mean(spec.agents.map((_, agent) => mean(Array.from(episodeReturns(played, agent)))));
}
