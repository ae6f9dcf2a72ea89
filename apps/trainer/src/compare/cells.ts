import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { type Explainer, stream } from "@magic-mask/core";
import { controls } from "@magic-mask/masking";
import { auroc, calibration, ndcg, spearman, statemaskFidelity } from "@magic-mask/metrics";
import { postHocObjective } from "../assemble.ts";
import { orNull } from "../figures/means.ts";
import { both, bothOf, scoresOf, type Told } from "../figures/scores.ts";
import { isGiven } from "../given.ts";
import { gitCommit } from "../host.ts";
import { randomPlayer } from "../policies.ts";
import { postHocSeed } from "../posthoc.ts";
import { writeFileAtomic } from "../run/atomic.ts";
import { seal, unsealNamed } from "../run/sealed-json.ts";
import { isStopped, type Signals, tellShare } from "../work/signals.ts";
import { type Baseline, baselineOf, type DropOptions, type DropPoint, dropCurve, headlineDrop } from "./drops.ts";
import { type CoinEvidence, type Learned, learnByDeciding, learnFromCoin, playByCoin } from "./learn.ts";
import { look } from "./look.ts";
import { type LookingAlong, lookAlong } from "./look-along.ts";
import { BOTH, type Cell, headlineShare, type Plan } from "./plan.ts";
import type { FrozenTeam } from "./policies.ts";
import type { TruthSet } from "./truth.ts";

/** Rank agreement with truth; null where it is undefined, as where nothing is critical. */
interface Ranking {
  readonly auroc: number | null;
  readonly spearman: number | null;
  readonly ndcg: number | null;
}

export interface AgentFigures extends Ranking {
  readonly agent: string;
  /** Share of truths in the explainer's 90 % intervals, of the first initialisation; null where it tells no spread. */
  readonly calibration: number | null;
  /** One entry per initialisation; the figures above are their means. */
  readonly initialisations: readonly Ranking[];
  /** Of the first initialisation; empty where it was not asked for, or there is no range of returns to take shares of. */
  readonly drops: readonly DropPoint[];
  /** Likewise; null where it was not asked for. */
  readonly statemask: WindowScores | null;
}

/**
 * StateMask's score, lower being better: of the explainer's windows, of windows at random, and of the same windows played again with
 * nothing blinded, which is chance alone. Null where no return changed.
 */
interface WindowScores {
  readonly window: number | null;
  readonly random: number | null;
  readonly floor: number | null;
}

/** What is kept of a cell. */
export interface CellResult {
  readonly explainer: string;
  readonly budget: number;
  readonly agents: readonly AgentFigures[];
  readonly cost: {
    /** Environment steps that the explainer has learned from. */
    readonly steps: number;
    /** Wall seconds of playing them and learning; what explainers share counts in full for each. Of one initialisation. */
    readonly wallSeconds: number;
    /** Wall seconds of the figures. */
    readonly judgingWallSeconds: number;
  };
  readonly commit: string | null;
}

/** One explainer of all agents: [initialisations][N]. */
interface Fitted {
  readonly explainers: readonly (readonly Explainer[])[];
  readonly steps: number;
  readonly wallSeconds: number;
}

/**
 * Makes cells of one policy and one budget and keeps each as soon as it is done. They share what is played: the coin's steps, which
 * every objective that leaves the blinding to it learns from, and the unperturbed episodes of the drop curves.
 *
 * @param played the coin's steps, where they are there already
 * @returns whether all are done; false if it was stopped before
 */
export async function makeCells(
  plan: Plan,
  cells: readonly Cell[],
  frozen: FrozenTeam,
  truths: readonly TruthSet[],
  cache: string,
  signals: Signals,
  played?: CoinEvidence,
): Promise<boolean> {
  const { begin, judge, judgeAlong } = createJudge(plan, frozen, truths);
  let evidence = played;

  for (const [i, cell] of cells.entries()) {
    tellShare(signals, i / cells.length);
    await setImmediate();
    if (isStopped(signals)) return false;
    const coin = async () => {
      evidence ??= await playByCoin(frozen, cell.steps);
      return evidence;
    };
    const { agents, ...cost } = await (cell.explainer.looks ? looked(cell) : fitted(cell, coin));
    await keep(cell, cache, {
      explainer: cell.explainer.name,
      budget: cell.budget,
      agents,
      cost,
      commit: gitCommit(),
    });
  }
  return true;

  async function fitted(cell: Cell, coin: () => Promise<CoinEvidence>) {
    const { explainers, steps, wallSeconds } = await (cell.explainer.learns ? learned : control)(frozen, cell, coin);
    if (cell.played) begin();
    const begun = performance.now();
    const agents = await judge(explainers, cell.played);
    return { agents, steps, wallSeconds, judgingWallSeconds: (performance.now() - begun) / 1000 };
  }

  async function looked({ budget, steps, explainer, played }: Cell) {
    const states = truths.map((truth) => truth.states);
    const first = steps > 0 ? await playByCoin(frozen, steps) : undefined;
    const { config } = frozen;
    const mask =
      first && explainer.name === BOTH
        ? await learnFromCoin(frozen, postHocObjective(config), first, postHocSeed(config))
        : undefined;
    const spent = mask ?? first;
    const critics = isGiven(config) ? first?.critics : undefined;
    const { told, depths, ...own } = look(frozen, states, budget - (spent?.steps ?? 0), critics);
    if (played) begin();
    const begun = performance.now();
    const learned = mask?.explainers.map((each, agent) => scoresOf(each, states[agent]));
    const agents = await judgeAlong(
      learned ? told.map((each, agent) => both(each, learned[agent])) : told,
      (agent) => {
        const { explainer: looker, watch } = lookAlong(frozen, agent, depths[agent], critics?.[agent]);
        return {
          explainer: mask && learned ? bothOf(looker, mask.explainers[agent], told[agent], learned[agent]) : looker,
          watch,
        };
      },
      played,
    );
    return {
      agents,
      steps: own.steps + (spent?.steps ?? 0),
      wallSeconds: own.wallSeconds + (spent?.wallSeconds ?? 0),
      judgingWallSeconds: (performance.now() - begun) / 1000,
    };
  }
}

/** Judges explainers of one team. */
interface Judge {
  /** Plays the unperturbed episodes that all drops are held against, if that has not been done yet. */
  begin(): void;
  /**
   * @param explainers [initialisations][N]
   * @param played whether figures that take play are measured, too
   * @returns [N]
   */
  judge(explainers: readonly (readonly Explainer[])[], played: boolean): Promise<AgentFigures[]>;
  /**
   * What looks ahead, by what it said of held-out decisions. As it plays on from every decision that is met, one drop of it is
   * measured, that of the headline; StateMask's score is not.
   *
   * @param told [N] @param along what looks ahead while an agent plays @param played whether drops are measured, too
   * @returns [N]
   */
  judgeAlong(told: readonly Told[], along: (agent: number) => LookingAlong, played: boolean): Promise<AgentFigures[]>;
}

/** @param plan how much is measured */
export function createJudge(
  plan: Pick<Plan, "states" | "sizes">,
  { config, world, policies }: FrozenTeam,
  truths: readonly TruthSet[],
): Judge {
  const root = stream(config.seed, "compare", plan.states).bits();
  const agents = world.spec.agents.map((_, agent) => agent);
  const dropSeed = (agent: number) => stream(root, "drop", agent).bits();
  let baselines: readonly Baseline[] | undefined;
  const begin = () => {
    baselines ??= agents.map((agent) => {
      const player = randomPlayer(world.spec.actionSpaces[agent]);
      return baselineOf(world.make, policies, agent, plan.sizes.dropEpisodes, dropSeed(agent), player);
    });
    return baselines;
  };

  /** @param told [initialisations] */
  const ranking = (agent: number, told: readonly Told[]) => {
    const { truth } = truths[agent];
    const initialisations = told.map(({ scores }) => ({
      auroc: orNull(auroc(scores, truth.criticality)),
      spearman: orNull(spearman(scores, truth.criticality)),
      ndcg: orNull(ndcg(scores, truth.criticality)),
    }));
    return {
      agent: world.spec.agents[agent],
      ...averaged(initialisations),
      calibration: orNull(calibration(told[0].scores, told[0].spread, truth).coverage),
      initialisations,
    };
  };

  return {
    begin,
    async judgeAlong(told, along, played) {
      const figures: AgentFigures[] = [];
      for (const agent of agents) {
        const baseline = played ? baselineWithRange(agent) : undefined;
        const drops = baseline
          ? [headlineDrop({ ...playOf(agent, told[agent].scores, baseline), ...along(agent) })]
          : [];
        await setImmediate();
        figures.push({ ...ranking(agent, [told[agent]]), drops, statemask: null });
      }
      return figures;
    },
    async judge(explainers, played) {
      const figures: AgentFigures[] = [];
      for (const agent of agents) {
        const told = explainers.map((each) => scoresOf(each[agent], truths[agent].states));
        const baseline = played ? baselineWithRange(agent) : undefined;
        const explainer = explainers[0][agent];
        const drops = baseline
          ? dropCurve({ ...playOf(agent, told[0].scores, baseline), explainer, shares: plan.sizes.shares })
          : [];
        // A curve takes seconds.
        await setImmediate();
        const statemask = baseline ? windowScores(agent, explainer, baseline) : null;
        figures.push({ ...ranking(agent, told), drops, statemask });
      }
      return figures;
    },
  };

  /** Where a policy earns no more than random play, and the world declares no range, there is nothing to take shares of. */
  function baselineWithRange(agent: number): Baseline | undefined {
    const known = begin()[agent];
    return known.range > 0 ? known : undefined;
  }

  function playOf(agent: number, scores: Float32Array, baseline: Baseline): Omit<DropOptions, "explainer" | "shares"> {
    return {
      make: world.make,
      policies,
      agent,
      perturbation: world.perturbations[agent],
      baseline,
      scores,
      headline: headlineShare(plan.sizes.shares),
      seed: dropSeed(agent),
    };
  }

  function windowScores(agent: number, explainer: Explainer, { range }: Baseline): WindowScores {
    const { window, random, floor } = statemaskFidelity({
      make: world.make,
      policies,
      agent,
      perturbation: world.perturbations[agent],
      explainer,
      episodes: plan.sizes.scoreEpisodes,
      seed: stream(root, "windows", agent).bits(),
      range,
      // The interval over episodes is not looked at: policies are the unit.
      draws: 100,
    });
    const known = ({ score }: typeof window) => (Number.isFinite(score.estimate) ? score.estimate : null);
    return { window: known(window), random: known(random), floor: known(floor) };
  }
}

/** An objective's masks. Those that decide the blinding themselves play their own steps, as many. */
async function learned(
  frozen: FrozenTeam,
  { explainer, budget }: Cell,
  coin: () => Promise<CoinEvidence>,
): Promise<Fitted> {
  const { config } = frozen;
  const { name, decides, initialisations } = explainer;
  const objective = postHocObjective(config, name);
  if (decides) {
    const { explainers, steps, wallSeconds } = await learnByDeciding(frozen, objective, budget);
    return { explainers: [explainers], steps, wallSeconds };
  }
  const evidence = await coin();
  const fits: Learned[] = [];
  for (let k = 0; k < initialisations; k++) {
    const seed = k === 0 ? postHocSeed(config) : stream(postHocSeed(config), name, k).bits();
    // Where there are several, E[m] = τ is reached within one pass: further ones change nothing but the time.
    fits.push(await learnFromCoin(frozen, objective, evidence, seed, initialisations > 1 ? 1 : undefined));
  }
  const wallSeconds = fits.reduce((sum, fit) => sum + fit.wallSeconds, 0) / initialisations;
  return { explainers: fits.map(({ explainers }) => explainers), steps: evidence.steps, wallSeconds };
}

/** What needs no learning, but for V where steps are played to learn that. */
async function control(
  { config, world, policies }: FrozenTeam,
  { explainer, steps }: Cell,
  coin: () => Promise<CoinEvidence>,
): Promise<Fitted> {
  const played = steps > 0 ? await coin() : undefined;
  const explainers = world.spec.agents.map((_, agent) =>
    controls[explainer.name].create({
      spec: world.spec,
      agent,
      policy: policies[agent],
      ...(played && { critic: played.critics[agent] }),
      seed: config.seed,
    }),
  );
  return { explainers: [explainers], steps: played?.steps ?? 0, wallSeconds: played?.wallSeconds ?? 0 };
}

/** Means; null where any is. */
function averaged(rankings: readonly Ranking[]): Ranking {
  const mean = (of: (ranking: Ranking) => number | null) => {
    let sum = 0;
    for (const ranking of rankings) {
      const value = of(ranking);
      if (value === null) return null;
      sum += value / rankings.length;
    }
    return sum;
  };
  return {
    auroc: mean((each) => each.auroc),
    spearman: mean((each) => each.spearman),
    ndcg: mean((each) => each.ndcg),
  };
}

/** The file that the cache keeps of a cell, relative to it. */
export const pathOfCell = ({ address }: Cell): string => join("cells", `${address}.json`);
const fileOf = (cell: Cell, cache: string) => join(cache, pathOfCell(cell));

async function keep(cell: Cell, cache: string, result: CellResult): Promise<void> {
  mkdirSync(join(cache, "cells"), { recursive: true });
  await writeFileAtomic(fileOf(cell, cache), seal({ address: cell.address, ...result }));
}

/** A cell that is done; undefined if there is none. @throws corrupt-file */
export function readCell(cell: Cell, cache: string): CellResult | undefined {
  const file = fileOf(cell, cache);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  return unsealNamed(bytes, file, cell.address) as unknown as CellResult;
}
