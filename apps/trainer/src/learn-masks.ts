import type { Rollout } from "@magic-mask/core";
import { type Critic, type FitPlan, type MaskLearner, selectDecisions } from "@magic-mask/masking";
import { coverage, klPerturbation } from "@magic-mask/metrics";
import type { Explanation, Team, World } from "./assemble.ts";
import type { Memory } from "./memory.ts";

/** Passes and learning rates of one round of learning. */
interface MaskPlan {
  readonly fit: FitPlan;
  /** Optimiser steps of every record head. */
  readonly headSteps: number;
}

/** What came of one round for one agent, over a sample of its decisions; NaN where it had none. */
export interface MaskRound {
  readonly criticLoss: number;
  readonly maskLoss: number;
  /** E[m] */
  readonly mean: number;
  /** Share that the gate m ≤ τ would blind. */
  readonly coverage: number;
  /** kl/perturbation, nats. */
  readonly perturbation: number;
}

export interface LearnMasksOptions extends RoundOptions {
  readonly explanation: Explanation;
  /** Further memories that take in the same decisions. */
  readonly others?: readonly Memory[];
}

/** What all agents' parts of a round have in common. */
export interface RoundOptions {
  readonly world: World;
  readonly team: Team;
  /** [L] as the collector gives them. */
  readonly rollouts: readonly Rollout[];
  readonly plan: MaskPlan;
  /** τ */
  readonly threshold: number;
  /** Updates that the policies had taken. */
  readonly policyVersion: number;
  /** Collector tick. */
  readonly now: number;
}

/** What of one agent learns. */
export interface Learning {
  readonly critic: Critic;
  readonly mask: MaskLearner;
  readonly adviser?: MaskLearner | undefined;
  readonly memories: readonly Memory[];
}

export interface LearnMasksResult {
  /** [N] */
  readonly rounds: readonly MaskRound[];
  /** Wall seconds. */
  readonly seconds: MaskSeconds;
}

/** Where the time of a round of learning goes, in wall seconds. */
export interface MaskSeconds {
  /** Critics and masks. */
  readonly mask: number;
  /** Records of one's own: written, and taken into one's own memory, whether or not anybody is told. */
  readonly remember: number;
  /** What telling takes: messages written, carried, read, and taken into memories. */
  readonly comm: number;
  /** Training on records, one's own and peers'. */
  readonly heads: number;
}

/**
 * One round of learning from rollouts, the same in joint training and post hoc: every agent's critic learns from its decisions and
 * judges them, its mask learns from the judgement, and its memory takes the decisions in and shares some.
 *
 * Agents learn side by side, as far as the backend has threads. What an agent learns and remembers is its own, so nothing depends on
 * who is done first; messages leave and arrive when all are.
 */
export async function learnMasks(options: LearnMasksOptions): Promise<LearnMasksResult> {
  const { explanation, plan, now, others = [] } = options;
  const { critics, masks, advisers } = explanation;
  const memories = [explanation.memory, ...others];
  const begun = performance.now();
  const remember = createStopwatch();
  const rounds = await Promise.all(
    masks.map((mask, agent) =>
      learnOne(options, agent, { critic: critics[agent], mask, adviser: advisers[agent], memories }, remember),
    ),
  );
  const learned = performance.now();
  for (const memory of memories) memory.tick(now);
  const told = performance.now();
  await Promise.all(memories.map((memory) => memory.fitHeads(plan.headSteps, now)));
  const seconds = {
    mask: (learned - begun) / 1000 - remember.seconds,
    remember: remember.seconds,
    comm: (told - learned) / 1000,
    heads: (performance.now() - told) / 1000,
  };
  return { rounds, seconds };
}

/** One agent's part; nothing in it touches another agent's. @param remember measures what goes into records */
export async function learnOne(
  { world, team, rollouts, plan, threshold, policyVersion, now }: RoundOptions,
  agent: number,
  { critic, mask, adviser, memories }: Learning,
  remember: Stopwatch,
): Promise<MaskRound> {
  const rollout = rollouts[team.players[agent]];
  const criticLoss = await critic.fit(rollout, plan.fit);
  const evidence = critic.judge(rollout);
  const { rows } = evidence;
  const masksOf = (of: Int32Array) => {
    const values = new Float32Array(of.length);
    mask.mask(selectDecisions(rollout, of, agent), values);
    return values;
  };
  const fitting = Promise.all([mask.fit(evidence, plan.fit), adviser?.fit(evidence, plan.fit)]);
  // It reaches the caller below, unless something else has failed before.
  fitting.catch(() => {});
  // Where a thread fits the mask, this goes on meanwhile.
  const mayShare = remember.time(() => memories.map((memory) => memory.remember(evidence, policyVersion, now)));
  const [{ loss: maskLoss = Number.NaN }] = await fitting;
  const ranks = mayShare.map(masksOf);
  remember.time(() => {
    memories.forEach((memory, k) => {
      memory.share(evidence, mayShare[k], ranks[k], policyVersion, now);
    });
  });

  const stride = Math.ceil(rows.length / LOOKED_AT);
  const sample = rows.filter((_, i) => i % stride === 0);
  if (sample.length === 0) {
    return { criticLoss, maskLoss, mean: Number.NaN, coverage: Number.NaN, perturbation: Number.NaN };
  }
  const { mean, blinded } = coverage(masksOf(sample), threshold);
  const p = sample.reduce((sum, row) => sum + rollout.blindProbability[row], 0) / sample.length;
  const decisions = selectDecisions(rollout, sample, agent);
  const perturbation = klPerturbation(decisions, world.spec.actionSpaces[agent], p);
  return { criticLoss, maskLoss, mean, coverage: blinded, perturbation };
}

/** Adds up the wall time of pieces of work. */
interface Stopwatch {
  readonly seconds: number;
  time<T>(work: () => T): T;
}

export function createStopwatch(): Stopwatch {
  let seconds = 0;
  return {
    get seconds() {
      return seconds;
    },
    time(work) {
      const start = performance.now();
      const result = work();
      seconds += (performance.now() - start) / 1000;
      return result;
    },
  };
}

/** Decisions per round that the report looks at. */
const LOOKED_AT = 128;
