import {
  type ActionSpace,
  checkCount,
  checkRange,
  MagicMaskError,
  type MakeEnvironment,
  type Policy,
} from "@magic-mask/core";
import { type Branches, branchesOf } from "./branches.ts";
import { playContinuations } from "./continuations.ts";
import { splitHalfReliability } from "./reliability.ts";
import type { States } from "./states.ts";

export interface TruthOptions {
  readonly make: MakeEnvironment;
  /** [N] who plays which agent; each row must depend on that row's decision alone. */
  readonly policies: readonly Policy[];
  /** The decisions of one agent, with its π and ν there. */
  readonly states: States;
  /** n ≥ 1 continuations of each branch (each legal action): of all states, or [S] of each. */
  readonly rollouts: number | ArrayLike<number>;
  /**
   * Which n of a state's rollouts: batch k is rollouts kn to (k + 1)n − 1, fresh ones that `addTruth` puts together with
   * the others.
   */
  readonly batch?: number;
  /** Root of all chance: rollout r of state s draws from streams named by (seed, s, r) alone. */
  readonly seed: number;
  /** γ in [0, 1], per decision of the agent's own: the one it was trained with. */
  readonly discount: number;
  /**
   * H ≥ 1, how many decisions of its own the return reaches over, with γ^H < .01 unless γ = 1 or V stands for the rest; the
   * least such by default.
   */
  readonly horizon?: number;
  /** Whether V of the agent's policy stands for what follows decision H: an estimate then, and no truth (`lookahead`). */
  readonly bootstrap?: boolean;
  /** Copies of the world continued side by side, ≥ 1. No effect on the result. */
  readonly copies?: number;
  /**
   * The states from `first` on, `count` of them, give the same figures as in the whole: work can be split. All by
   * default.
   */
  readonly first?: number;
  readonly count?: number;
}

/**
 * What is truly at stake in S decisions of one agent. Plain data. Explainers take `Decisions`, which hold neither this
 * nor the snapshots that it was made from: truth is for judging explanations, never for making them.
 */
export interface Truth {
  readonly agent: number;
  /** Index of the first state. */
  readonly first: number;
  /** [S] n */
  readonly rollouts: Int32Array;
  /** [S] Δ, in the game's units. */
  readonly criticality: Float64Array;
  /** [S] standard error of Δ; NaN for n = 1. */
  readonly standardError: Float64Array;
  /** [S × A] mean G after each action; NaN where it is illegal. Where actions are continuous [S × 2]: drawn from π, and from ν. */
  readonly q: Float64Array;
  /** [S × A] standard error of q; NaN where the action is illegal, and for n = 1. */
  readonly qStandardError: Float64Array;
  /** [S] Δ from the first ⌊n/2⌋ rollouts (of every batch) alone; NaN for n = 1. */
  readonly firstHalf: Float64Array;
  /** [S] Δ from the last ⌊n/2⌋. */
  readonly secondHalf: Float64Array;
  /** See `splitHalfReliability`; aim at ≥ .9. */
  readonly reliability: number;
  /** Decisions that were simulated, of all agents: what the truth cost. */
  readonly decisions: number;
  /** Ticks of the world that continuations took. */
  readonly ticks: number;
}

const SOURCE = "metrics/truth";

/**
 * True criticality by branching from snapshots:
 *
 *   Δ(s) = E[G ∣ a ~ π(·∣s)] − E[G ∣ a ~ ν(·∣s)] = Σ_a (π − ν)(a∣s) · mean_r G_r(s, a)
 *
 * Only the agent's action at s deviates, then everyone follows the policies. G is the agent's return from s, its k-th
 * decision after s and what follows it discounted by γ^k, up to decision H or the end of the episode; forced moves are
 * no decisions. The streams of chance and of actions are named by state and rollout, not by action, so that branches
 * share them (common random numbers), and the standard error is that of the mean of Σ_a (π − ν)(a) G_r(a) over r.
 *
 * @throws unsupported for action spaces without finitely many choices; invalid-option; shape-mismatch
 */
export function branchingTruth(options: TruthOptions): Truth {
  const { make, states, rollouts, batch = 0, first = 0, count = states.count - first } = options;
  checkCount(SOURCE, "first", first, 0);
  checkCount(SOURCE, "count", count);
  checkCount(SOURCE, "batch", batch, 0);
  checkRange(SOURCE, "discount", options.discount, 0, 1);
  if (first + count > states.count) {
    const asked = `states ${first} to ${first + count - 1}`;
    throw new MagicMaskError("invalid-option", SOURCE, `there are ${states.count} states, asked for ${asked}`);
  }
  const n = rolloutsOf(rollouts, states, first, count);
  const { agent } = states.decisions;
  const branches = branchesOf(states, spaceOf(make, agent), first, count, options.seed);
  const { returns, starts, decisions, ticks } = playBranches(options, branches, n, first, batch);

  const A = branches.width;
  const q = new Float64Array(count * A).fill(Number.NaN);
  const qStandardError = new Float64Array(count * A).fill(Number.NaN);
  const offsets = new Int32Array(count + 1);
  for (let s = 0; s < count; s++) offsets[s + 1] = offsets[s] + n[s];
  const paired = new Float64Array(offsets[count]);
  for (let branch = 0, base = 0; branch < branches.states.length; branch++) {
    const s = branches.states[branch] - first;
    if (branches.states[base] !== branches.states[branch]) base = branch;
    let sum = 0;
    for (let r = 0; r < n[s]; r++) {
      const G = returns[starts[branch] + r];
      sum += G;
      // The weights sum to 0, so G may be taken against the state's first branch: what all branches share then leaves no
      // rounding.
      paired[offsets[s] + r] += branches.weights[branch] * (G - returns[starts[base] + r]);
    }
    const at = s * A + branches.columns[branch];
    q[at] = sum / n[s];
    qStandardError[at] = standardErrorOf(returns.subarray(starts[branch], starts[branch + 1]), q[at]);
  }

  /** Per state, the mean of its paired rollouts from ⌈`from`·n⌉ on, as many as `share` of n, rounded down. */
  const over = (share: number, last: boolean) =>
    Float64Array.from({ length: count }, (_, s) => {
      const length = Math.floor(share * n[s]);
      const from = offsets[s] + (last ? n[s] - length : 0);
      return mean(paired.subarray(from, from + length));
    });
  const criticality = over(1, false);
  const standardError = Float64Array.from(criticality, (delta, s) =>
    standardErrorOf(paired.subarray(offsets[s], offsets[s + 1]), delta),
  );
  return withReliability({
    agent,
    first,
    rollouts: n,
    criticality,
    standardError,
    q,
    qStandardError,
    firstHalf: over(0.5, false),
    secondHalf: over(0.5, true),
    decisions,
    ticks,
  });
}

/**
 * The truth of consecutive slices of states as if it had been made in one go.
 *
 * @param parts at least one, in order
 * @throws shape-mismatch unless each part begins where the one before ends, all of one agent
 */
export function joinTruth(parts: readonly Truth[]): Truth {
  if (parts.length === 0) throw new MagicMaskError("shape-mismatch", SOURCE, "needs at least 1 slice to join, got 0");
  const { agent, first } = parts[0];
  let next = first;
  for (const part of parts) {
    if (part.agent !== agent || part.first !== next) {
      const came = `agent ${part.agent}, first state ${part.first}`;
      const wanted = `wanted agent ${agent}, first state ${next}`;
      throw new MagicMaskError("shape-mismatch", SOURCE, `slices do not join: ${wanted}, got ${came}`);
    }
    next += part.criticality.length;
  }
  const all = (of: (part: Truth) => Float64Array) => Float64Array.from(parts.flatMap((part) => [...of(part)]));
  return withReliability({
    agent,
    first,
    rollouts: Int32Array.from(parts.flatMap((part) => [...part.rollouts])),
    criticality: all((part) => part.criticality),
    standardError: all((part) => part.standardError),
    q: all((part) => part.q),
    qStandardError: all((part) => part.qStandardError),
    firstHalf: all((part) => part.firstHalf),
    secondHalf: all((part) => part.secondHalf),
    decisions: parts.reduce((sum, part) => sum + part.decisions, 0),
    ticks: parts.reduce((sum, part) => sum + part.ticks, 0),
  });
}

/**
 * Two truths of the same states from different rollouts as one from all of them. Variances are put together by the
 * formula of Chan, Golub & LeVeque 1983 (eq. 2.1).
 *
 * @throws shape-mismatch if they are of different states
 */
export function addTruth(a: Truth, b: Truth): Truth {
  if (a.agent !== b.agent || a.first !== b.first || a.criticality.length !== b.criticality.length) {
    const [wanted, came] = [a, b].map(
      (of) => `agent ${of.agent}, states from ${of.first} on, ${of.criticality.length} of them`,
    );
    throw new MagicMaskError("shape-mismatch", SOURCE, `cannot add truths of different states: ${wanted}; ${came}`);
  }
  const S = a.criticality.length;
  const A = a.q.length / S;
  const rollouts = a.rollouts.map((n, s) => n + b.rollouts[s]);
  /** Means over n each, the states `per` entries wide. */
  const pooled = (from: Float64Array, more: Float64Array, per: number, size: (n: number) => number) =>
    from.map((value, at) => {
      const [n, m] = [a, b].map((of) => size(of.rollouts[Math.floor(at / per)]));
      if (n === 0 || m === 0) return n === 0 ? more[at] : value;
      return value + ((more[at] - value) * m) / (n + m);
    });
  const half = (n: number) => Math.floor(n / 2);
  const whole = (n: number) => n;
  /** Standard errors of those means, from each part's and from how far apart the means are. */
  const errors = (mean: (of: Truth) => Float64Array, error: (of: Truth) => Float64Array, per: number) =>
    mean(a).map((value, at) => {
      const [n, m] = [a, b].map((of) => of.rollouts[Math.floor(at / per)]);
      const squares = (of: Truth, k: number) => (k > 1 ? error(of)[at] * error(of)[at] * k * (k - 1) : 0);
      const gap = n > 0 && m > 0 ? mean(b)[at] - value : 0;
      const sum = squares(a, n) + squares(b, m) + (gap * gap * n * m) / (n + m);
      return Math.sqrt(sum / (n + m - 1) / (n + m));
    });
  return withReliability({
    agent: a.agent,
    first: a.first,
    rollouts,
    criticality: pooled(a.criticality, b.criticality, 1, whole),
    standardError: errors(
      (of) => of.criticality,
      (of) => of.standardError,
      1,
    ),
    q: pooled(a.q, b.q, A, whole),
    qStandardError: errors(
      (of) => of.q,
      (of) => of.qStandardError,
      A,
    ),
    firstHalf: pooled(a.firstHalf, b.firstHalf, 1, half),
    secondHalf: pooled(a.secondHalf, b.secondHalf, 1, half),
    decisions: a.decisions + b.decisions,
    ticks: a.ticks + b.ticks,
  });
}

const withReliability = (truth: Omit<Truth, "reliability">): Truth => ({
  ...truth,
  reliability: splitHalfReliability(truth.firstHalf, truth.secondHalf),
});

/** [count] n of each state asked for. @throws invalid-option, shape-mismatch */
function rolloutsOf(rollouts: TruthOptions["rollouts"], states: States, first: number, count: number): Int32Array {
  if (typeof rollouts === "number") return new Int32Array(count).fill(checkCount(SOURCE, "rollouts", rollouts));
  if (rollouts.length !== states.count) {
    const message = `needs the rollouts of each of ${states.count} states, got ${rollouts.length}`;
    throw new MagicMaskError("shape-mismatch", SOURCE, message);
  }
  return Int32Array.from({ length: count }, (_, s) => checkCount(SOURCE, "rollouts", rollouts[first + s]));
}

function spaceOf(make: MakeEnvironment, agent: number): ActionSpace {
  const world = make();
  const space = world.actionSpaces[agent];
  world.close?.();
  return space;
}

/**
 * Plays every continuation: jobs (state, branch, rollout), numbered in that order.
 *
 * @param n [S] rollouts per branch of each state
 * @returns G of each job, and the first job of each branch
 */
function playBranches(options: TruthOptions, branches: Branches, n: Int32Array, first: number, batch: number) {
  const { make, policies, states, seed, discount, bootstrap = false, copies } = options;
  const least = discount < 1 ? Math.floor(Math.log(0.01) / Math.log(discount)) + 1 : 1;
  const horizon = options.horizon ?? (discount < 1 ? least : Number.POSITIVE_INFINITY);
  if (horizon !== Number.POSITIVE_INFINITY) checkCount(SOURCE, "horizon", horizon, bootstrap ? 1 : least);
  const J = branches.states.length;
  const starts = new Int32Array(J + 1);
  for (let b = 0; b < J; b++) starts[b + 1] = starts[b] + n[branches.states[b] - first];
  const owner = new Int32Array(starts[J]);
  for (let b = 0; b < J; b++) owner.fill(b, starts[b], starts[b + 1]);
  const rolloutOf = (job: number) => batch * n[branches.states[owner[job]] - first] + job - starts[owner[job]];
  const played = playContinuations({
    make,
    policies,
    agent: states.decisions.agent,
    snapshots: states.snapshots,
    states: states.count,
    jobs: starts[J],
    seed,
    discount,
    horizon,
    bootstrap,
    ...(copies !== undefined && { copies }),
    stateOf: (job) => branches.states[owner[job]],
    rolloutOf,
    act(job, made, _group, _row, _random, actions, at) {
      if (made > 0) return false;
      branches.act(owner[job], rolloutOf(job), actions, at);
      return true;
    },
  });
  return { ...played, starts };
}

function mean(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}

/** Of the mean of `values`; NaN for one alone. */
function standardErrorOf(values: Float64Array, mean: number): number {
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i] - mean) * (values[i] - mean);
  return Math.sqrt(squares / (values.length - 1) / values.length);
}
