import type { Rollout } from "@magic-mask/core";
import { type FitPlan, selectDecisions } from "@magic-mask/masking";
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

export interface LearnMasksOptions {
  readonly world: World;
  readonly team: Team;
  readonly explanation: Explanation;
  /** [L] as the collector gives them. */
  readonly rollouts: readonly Rollout[];
  readonly plan: MaskPlan;
  /** τ */
  readonly threshold: number;
  /** Updates that the policies had taken. */
  readonly policyVersion: number;
  /** Collector tick. */
  readonly now: number;
  /** Further memories that take in the same decisions. */
  readonly others?: readonly Memory[];
}

export interface LearnMasksResult {
  /** [N] */
  readonly rounds: readonly MaskRound[];
  /** Wall seconds spent on learning, training on records included. */
  readonly maskSeconds: number;
  /** Wall seconds spent on records, messages and buffers. */
  readonly commSeconds: number;
}

/**
 * One round of learning from rollouts, the same in joint training and post hoc: every agent's critic learns from its decisions and
 * judges them, its mask learns from the judgement, and its memory takes the decisions in and shares some.
 *
 * Agents learn side by side, as far as the backend has threads; memories take the decisions afterwards, agent by agent, so that
 * what they hold does not depend on who was done first.
 */
export async function learnMasks(options: LearnMasksOptions): Promise<LearnMasksResult> {
  const { world, team, explanation, rollouts, plan, threshold, policyVersion, now, others = [] } = options;
  const { critics, masks } = explanation;
  const memories = [explanation.memory, ...others];
  const rounds: MaskRound[] = [];
  const begun = performance.now();
  let commSeconds = 0;
  const timed = (work: () => void) => {
    const start = performance.now();
    work();
    commSeconds += (performance.now() - start) / 1000;
  };

  const learned = await Promise.all(
    masks.map(async (mask, agent) => {
      const rollout = rollouts[team.players[agent]];
      const criticLoss = await critics[agent].fit(rollout, plan.fit);
      const evidence = critics[agent].judge(rollout);
      const { loss: maskLoss = Number.NaN } = await mask.fit(evidence, plan.fit);
      return { mask, rollout, evidence, criticLoss, maskLoss };
    }),
  );
  for (const [agent, { mask, rollout, evidence, criticLoss, maskLoss }] of learned.entries()) {
    const { rows } = evidence;
    const masksOf = (of: Int32Array) => {
      const values = new Float32Array(of.length);
      mask.mask(selectDecisions(rollout, of, agent), values);
      return values;
    };
    timed(() => {
      for (const memory of memories) memory.remember(evidence, masksOf, policyVersion, now);
    });

    const stride = Math.ceil(rows.length / LOOKED_AT);
    const sample = rows.filter((_, i) => i % stride === 0);
    if (sample.length === 0) {
      rounds.push({ criticLoss, maskLoss, mean: Number.NaN, coverage: Number.NaN, perturbation: Number.NaN });
      continue;
    }
    const { mean, blinded } = coverage(masksOf(sample), threshold);
    const p = sample.reduce((sum, row) => sum + rollout.blindProbability[row], 0) / sample.length;
    const decisions = selectDecisions(rollout, sample, agent);
    const perturbation = klPerturbation(decisions, world.spec.actionSpaces[agent], p);
    rounds.push({ criticLoss, maskLoss, mean, coverage: blinded, perturbation });
  }
  timed(() => {
    for (const memory of memories) memory.tick(now);
  });
  await Promise.all(memories.map((memory) => memory.fitHeads(plan.headSteps, now)));
  return { rounds, maskSeconds: (performance.now() - begun) / 1000 - commSeconds, commSeconds };
}

/** Decisions per round that the report looks at. */
const LOOKED_AT = 128;
