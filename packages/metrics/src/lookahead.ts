import { checkCount } from "@magic-mask/core";
import { branchingTruth, type TruthOptions } from "./truth.ts";

export interface LookaheadOptions
  extends Pick<TruthOptions, "make" | "policies" | "states" | "seed" | "discount" | "copies"> {
  /** Ticks of the world that may be simulated; what one continuation of each branch over one decision takes is spent at least. */
  readonly budget: number;
  /** Least continuations of each branch, where the budget allows for so many: what is left over for decisions makes H larger. */
  readonly rollouts?: number;
}

/** What a look ahead says of S decisions. */
export interface Lookahead {
  /** [S] in units of return. */
  readonly criticality: Float64Array;
  /** [S] standard error over continuations, V taken as it is; NaN for one alone. */
  readonly standardError: Float64Array;
  /** Continuations of each branch. */
  readonly rollouts: number;
  /** H, how many of its own decisions the agent was followed for. */
  readonly horizon: number;
  /** Ticks that it took, see `Truth`. */
  readonly ticks: number;
}

const SOURCE = "metrics/lookahead";
/** States by which it is found out what a continuation takes. */
const PILOT = 32;

/**
 * Criticality by looking ahead from the decisions themselves, in a world that can be copied: branching as for truth, but
 * each continuation stops after the agent's own decision H, where V of its policy stands for what follows,
 *
 *   Δ̂(s) = Σ_a (π − ν)(a∣s) · mean_n (r_1 + γ r_2 + … + γ^H V(o′))
 *
 * with H as large as the budget allows for four continuations of each branch, and then as many continuations as it allows: the truncated rollout of Bertsekas, Rollout, Policy Iteration, and Distributed
 * Reinforcement Learning (2020), § 2.3. It learns nothing, and takes its steps at the decisions that it is asked about. Like
 * truth, and unlike an explainer, it starts from the world as it stands, hidden parts included.
 *
 * @throws as `branchingTruth`
 */
export function lookahead({ budget, rollouts: wanted = 4, ...options }: LookaheadOptions): Lookahead {
  checkCount(SOURCE, "budget", budget);
  checkCount(SOURCE, "rollouts", wanted);
  const { count } = options.states;
  const piloted = Math.min(PILOT, count);
  const branching = { ...options, bootstrap: true };
  const pilot = branchingTruth({ ...branching, rollouts: 1, horizon: 1, count: piloted });
  /** Ticks that one continuation of each branch takes for one decision. */
  const once = (pilot.ticks * count) / piloted;
  const affordable = Math.max(1, Math.floor((budget - pilot.ticks) / once));
  const horizon = Math.floor(affordable / Math.min(wanted, affordable));
  const rollouts = Math.floor(affordable / horizon);
  const { criticality, standardError, ticks } = branchingTruth({ ...branching, rollouts, horizon });
  return { criticality, standardError, rollouts, horizon, ticks: pilot.ticks + ticks };
}
