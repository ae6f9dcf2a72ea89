import type { Rollout } from "@magic-mask/core";
import { type FitPlan, selectDecisions } from "@magic-mask/masking";
import { coverage } from "@magic-mask/metrics";
import type { Explanation, Team } from "./assemble.ts";
import type { Memory } from "./memory.ts";

/** Passes and learning rates of one round of learning. */
export interface MaskPlan {
  readonly fit: FitPlan;
  /** Optimiser steps of every record head. */
  readonly headSteps: number;
}

/** What came of one round, per agent. */
export interface MaskRound {
  readonly criticLoss: number;
  readonly maskLoss: number;
  /** E[m], over a sample of the decisions. */
  readonly mean: number;
  /** Share of them that the gate m ≤ τ would blind. */
  readonly coverage: number;
}

/**
 * One round of learning from rollouts, the same in joint training and post hoc: every agent's critic learns from its decisions and
 * judges them, its mask learns from the judgement, and its memory takes the decisions in and shares some.
 *
 * @param policyVersion updates that the policies had taken
 * @param now collector tick
 * @param others further memories that take in the same decisions
 */
export async function learnMasks(
  { critics, masks, memory }: Explanation,
  { players }: Team,
  rollouts: readonly Rollout[],
  plan: MaskPlan,
  threshold: number,
  policyVersion: number,
  now: number,
  others: readonly Memory[] = [],
): Promise<MaskRound[]> {
  const rounds: MaskRound[] = [];
  for (const [agent, mask] of masks.entries()) {
    const rollout = rollouts[players[agent]];
    const criticLoss = await critics[agent].fit(rollout, plan.fit);
    const evidence = critics[agent].judge(rollout);
    const statistics = await mask.fit(evidence, plan.fit);
    const masksOf = (rows: Int32Array) => {
      const values = new Float32Array(rows.length);
      mask.mask(selectDecisions(rollout, rows, agent), values);
      return values;
    };
    for (const each of [memory, ...others]) each.remember(evidence, masksOf, policyVersion, now);
    const stride = Math.ceil(evidence.rows.length / LOOKED_AT);
    const { mean, blinded } = coverage(masksOf(evidence.rows.filter((_, i) => i % stride === 0)), threshold);
    rounds.push({ criticLoss, maskLoss: statistics.loss, mean, coverage: blinded });
  }
  for (const each of [memory, ...others]) {
    each.tick(now);
    await each.fitHeads(plan.headSteps, now);
  }
  return rounds;
}

/** Decisions per round whose m is looked at for the report. */
const LOOKED_AT = 512;
