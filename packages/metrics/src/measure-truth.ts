import { checkCount, checkRange } from "@magic-mask/core";
import type { States } from "./states.ts";
import { addTruth, type Truth, type TruthOptions } from "./truth.ts";

/** How sure the truth is to be. */
export interface TruthPlan {
  /** Rollouts per legal action of the pilot, ≥ 2. */
  readonly pilot: number;
  /** Rollouts per legal action of each batch, ≥ 2, on average over states weighted by their legal actions. */
  readonly rollouts: number;
  /** At most so many batches, ≥ 1. */
  readonly batches: number;
  /** Split-half reliability, in [0, 1], at which no further batch begins. */
  readonly reliability: number;
}

/** What a batch of rollouts is: options of `branchingTruth`. `stage` names a root of chance of its own. */
export interface TruthRequest extends Required<Pick<TruthOptions, "rollouts" | "batch">> {
  readonly stage: "pilot" | "batch";
  readonly rollouts: Int32Array;
}

export interface MeasuredTruth extends Truth {
  /** Batches that were needed. */
  readonly batches: number;
  /** Decisions simulated by the pilot, apart from `decisions`. */
  readonly pilotDecisions: number;
}

const SOURCE = "metrics/measure-truth";
/** The share of a batch that is spread evenly: where a pilot saw no spread there may still be some. */
const EVEN = 0.25;

/**
 * Truth by as many rollouts as it takes:
 *
 * 1. A pilot of a few rollouts finds how much σ_s the paired rollouts of each state vary. It is then thrown away.
 * 2. Batches of fresh rollouts, n_s in state s, follow until halves of them agree as well as was asked (or up to a cap).
 *    For a given cost Σ_s c_s n_s, c_s legal actions being played on from, the mean squared error Σ_s σ_s²/n_s is least for
 *
 *      n_s ∝ σ_s / √c_s      (Neyman 1934, with costs as in Cochran 1977, §5.5)
 *
 *    a quarter of the batch being spread evenly, n_s being even and at least 2.
 *
 * Nothing shown flatters: n_s depends on the pilot alone, so that each state's figure is the mean of rollouts that had no say
 * in how many they were, and stopping is decided by all states together, of which any one is but a sliver. (Adding rollouts
 * to a state until its own error looks small would favour states whose first rollouts happened to agree.)
 *
 * @param branch makes the truth of all states by these rollouts, with a root of chance per stage; where and in what slices is
 * its own affair
 * @throws invalid-option
 */
export async function measureTruth(
  plan: TruthPlan,
  states: States,
  branch: (request: TruthRequest) => Truth | Promise<Truth>,
): Promise<MeasuredTruth> {
  checkCount(SOURCE, "pilot", plan.pilot, 2);
  checkCount(SOURCE, "rollouts", plan.rollouts, 2);
  checkRange(SOURCE, "reliability", plan.reliability, 0, 1);
  checkCount(SOURCE, "batches", plan.batches);
  const even = new Int32Array(states.count).fill(plan.pilot);
  const pilot = await branch({ stage: "pilot", rollouts: even, batch: 0 });
  const rollouts = allot(plan.rollouts, pilot, states);
  let truth = await branch({ stage: "batch", rollouts, batch: 0 });
  let batches = 1;
  // Where nothing varies, more of the same tells nothing.
  const goesOn = () => !(truth.reliability >= plan.reliability) && truth.standardError.some((error) => error > 0);
  while (batches < plan.batches && goesOn()) {
    truth = addTruth(truth, await branch({ stage: "batch", rollouts, batch: batches++ }));
  }
  return { ...truth, batches, pilotDecisions: pilot.decisions };
}

/** [S] n_s */
function allot(rollouts: number, { standardError }: Truth, { decisions, count }: States): Int32Array {
  const A = decisions.legal.length / count;
  const costs = Float64Array.from({ length: count }, (_, s) => {
    let legal = 0;
    for (let a = 0; a < A; a++) legal += decisions.legal[s * A + a];
    // Where actions have no mask, every state costs alike.
    return Math.max(1, legal);
  });
  const wanted = standardError.map((error, s) => error / Math.sqrt(costs[s]));
  let [budget, spent] = [0, 0];
  for (let s = 0; s < count; s++) {
    budget += rollouts * costs[s];
    spent += wanted[s] * costs[s];
  }
  return Int32Array.from(wanted, (share) => {
    const n = spent > 0 ? rollouts * EVEN + ((1 - EVEN) * budget * share) / spent : rollouts;
    return Math.max(2, 2 * Math.round(n / 2));
  });
}
