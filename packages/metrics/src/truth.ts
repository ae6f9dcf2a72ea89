import {
  checkCount,
  checkRange,
  clip,
  decisionTable,
  distributionOf,
  hasChoice,
  isCopyOver,
  MagicMaskError,
  type MakeEnvironment,
  maskWidth,
  type Policy,
  requireChoices,
  slotWidth,
  stream,
  vectorize,
} from "@magic-mask/core";

import { DRAWN, drawnActions } from "./drawn-actions.ts";
import { splitHalfReliability } from "./reliability.ts";
import type { States } from "./states.ts";

export interface TruthOptions {
  readonly make: MakeEnvironment;
  /** [N] who plays which agent; each row must depend on that row's decision alone. */
  readonly policies: readonly Policy[];
  /** The decisions of one agent, with its π and ν there. */
  readonly states: States;
  /** n ≥ 1 continuations of each legal action; where actions are continuous, n draws each from π and ν. */
  readonly rollouts: number;
  /** Root of all chance: rollout r of state s draws from streams named by (seed, s, r) alone. */
  readonly seed: number;
  /** γ in [0, 1], per decision of the agent's own: the one it was trained with. */
  readonly discount: number;
  /**
   * H ≥ 1, how many decisions of its own the return reaches over, with γ^H < .01 unless γ = 1; the least such by
   * default.
   */
  readonly horizon?: number;
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
  /** n */
  readonly rollouts: number;
  /** [S] Δ, in the game's units. */
  readonly criticality: Float64Array;
  /** [S] standard error of Δ; NaN for n = 1. */
  readonly standardError: Float64Array;
  /** [S × A] mean G after each action; NaN where it is illegal. Where actions are continuous [S × 2]: drawn from π, and from ν. */
  readonly q: Float64Array;
  /** [S] Δ from the first ⌊n/2⌋ rollouts alone; NaN for n = 1. */
  readonly firstHalf: Float64Array;
  /** [S] Δ from the last ⌊n/2⌋. */
  readonly secondHalf: Float64Array;
  /** See `splitHalfReliability`; aim at ≥ .9. */
  readonly reliability: number;
  /** Decisions that were simulated, of all agents: what the truth cost. */
  readonly decisions: number;
}

/** The job of a copy that found none left. */
const IDLE = -1;

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
 * Where actions are continuous the first one is drawn: see `drawnActions`.
 *
 * @throws unsupported for actions in several parts; invalid-option; shape-mismatch
 */
export function branchingTruth(options: TruthOptions): Truth {
  const { states, rollouts, first = 0, count = states.count - first } = options;
  checkCount("metrics/truth", "rollouts", rollouts);
  checkCount("metrics/truth", "first", first, 0);
  checkCount("metrics/truth", "count", count);
  if (first + count > states.count) {
    const asked = `states ${first} to ${first + count - 1}`;
    throw new MagicMaskError("invalid-option", "metrics/truth", `there are ${states.count} states, asked for ${asked}`);
  }
  const { policy, perturbation, legal, agent } = states.decisions;
  const { returns, branchStates, branchActions, decisions } = continueBranches(options, first, count);

  const drawn = legal.length === 0;
  const A = drawn ? DRAWN.length : legal.length / states.count;
  const half = Math.floor(rollouts / 2);
  const q = new Float64Array(count * A).fill(Number.NaN);
  const paired = new Float64Array(count * rollouts);
  for (let branch = 0, base = 0; branch < branchStates.length; branch++) {
    const state = branchStates[branch];
    const action = branchActions[branch];
    if (state !== branchStates[base]) base = branch;
    const at = state * A + action;
    const weight = drawn ? 1 - 2 * action : Math.exp(policy[at]) - Math.exp(perturbation[at]);
    let sum = 0;
    for (let r = 0; r < rollouts; r++) {
      const G = returns[branch * rollouts + r];
      sum += G;
      // π − ν sums to 0, so G may be taken against the state's first branch: what all branches share then leaves no
      // rounding.
      paired[(state - first) * rollouts + r] += weight * (G - returns[base * rollouts + r]);
    }
    q[(state - first) * A + action] = sum / rollouts;
  }

  const over = (from: number, to: number) =>
    Float64Array.from({ length: count }, (_, s) => mean(paired.subarray(s * rollouts + from, s * rollouts + to)));
  const criticality = over(0, rollouts);
  const firstHalf = over(0, half);
  const secondHalf = over(rollouts - half, rollouts);
  const standardError = Float64Array.from(criticality, (delta, s) => {
    let squares = 0;
    for (let r = 0; r < rollouts; r++)
      squares += (paired[s * rollouts + r] - delta) * (paired[s * rollouts + r] - delta);
    return Math.sqrt(squares / (rollouts - 1) / rollouts);
  });
  const reliability = splitHalfReliability(firstHalf, secondHalf);
  return { agent, first, rollouts, criticality, standardError, q, firstHalf, secondHalf, reliability, decisions };
}

/**
 * The truth of consecutive slices of states as if it had been made in one go.
 *
 * @param parts at least one, in order
 * @throws shape-mismatch unless each part begins where the one before ends, all of one agent and number of rollouts
 */
export function joinTruth(parts: readonly Truth[]): Truth {
  if (parts.length === 0)
    throw new MagicMaskError("shape-mismatch", "metrics/truth", "needs at least 1 slice to join, got 0");
  const { agent, first, rollouts } = parts[0];
  let next = first;
  for (const part of parts) {
    if (part.agent !== agent || part.rollouts !== rollouts || part.first !== next) {
      const came = `agent ${part.agent}, ${part.rollouts} rollouts, first state ${part.first}`;
      const wanted = `wanted agent ${agent}, ${rollouts} rollouts, first state ${next}`;
      throw new MagicMaskError("shape-mismatch", "metrics/truth", `slices do not join: ${wanted}, got ${came}`);
    }
    next += part.criticality.length;
  }
  const all = (of: (part: Truth) => Float64Array) => Float64Array.from(parts.flatMap((part) => [...of(part)]));
  const firstHalf = all((part) => part.firstHalf);
  const secondHalf = all((part) => part.secondHalf);
  return {
    agent,
    first,
    rollouts,
    criticality: all((part) => part.criticality),
    standardError: all((part) => part.standardError),
    q: all((part) => part.q),
    firstHalf,
    secondHalf,
    reliability: splitHalfReliability(firstHalf, secondHalf),
    decisions: parts.reduce((sum, part) => sum + part.decisions, 0),
  };
}

/**
 * Plays every continuation: jobs (state, legal action, rollout), numbered in that order, which copies of the world take
 * up one after the other as they finish; each policy is asked once per tick for all copies. Copies that find no job
 * left play on unheeded until the last one is done.
 *
 * @returns G of each job, with the state and the action of each branch (n jobs)
 */
function continueBranches(options: TruthOptions, first: number, count: number) {
  const { make, policies, states, rollouts, seed, discount, copies = 256 } = options;
  const { agent, legal } = states.decisions;
  checkRange("metrics/truth", "discount", discount, 0, 1);
  checkCount("metrics/truth", "copies", copies);
  const least = discount < 1 ? Math.floor(Math.log(0.01) / Math.log(discount)) + 1 : 1;
  const horizon = options.horizon ?? (discount < 1 ? least : Number.POSITIVE_INFINITY);
  if (horizon !== Number.POSITIVE_INFINITY) checkCount("metrics/truth", "horizon", horizon, least);

  const drawn = legal.length === 0;
  const A = drawn ? DRAWN.length : legal.length / states.count;
  const branchStates: number[] = [];
  const branchActions: number[] = [];
  for (let state = first; state < first + count; state++) {
    for (let action = 0; action < A; action++) {
      if (!drawn && !legal[state * A + action]) continue;
      branchStates.push(state);
      branchActions.push(action);
    }
  }
  const jobs = branchStates.length * rollouts;
  const vector = vectorize(make, Math.min(copies, jobs));
  const { spec, acting, rewards } = vector;
  const space = spec.actionSpaces[agent];
  const choices = space.kind === "box" ? DRAWN.length : requireChoices("metrics/truth", space);
  const draw = drawnActions(states, space, seed);
  if (choices !== A || states.snapshots.length !== states.count * spec.snapshotBytes) {
    const wanted = `${A} actions and snapshots of ${states.snapshots.length / states.count} bytes, as the states have`;
    throw new MagicMaskError(
      "shape-mismatch",
      "metrics/truth",
      `wanted a world with ${wanted}; got ${choices} and ${spec.snapshotBytes}`,
    );
  }
  const C = vector.copies;
  const N = spec.agents.length;
  const W = slotWidth(spec);
  const distributions = spec.actionSpaces.map(distributionOf);
  const table = decisionTable(
    vector,
    policies,
    Uint8Array.from({ length: C * N }, (_, at) => at % N),
  );
  const actions = new Float32Array(C * N * W);
  const mask = new Uint8Array(maskWidth(space));
  const returns = new Float64Array(jobs);
  const chance = Array.from({ length: C }, () => stream(seed));
  const draws = Array.from({ length: C }, () => stream(seed));
  const job = new Int32Array(C);
  /** [C] decisions that the agent has made since s, the one at s included, and the weight of its next reward. */
  const made = new Int32Array(C);
  const weight = new Float64Array(C);
  let started = 0;
  let finished = 0;
  let decisions = 0;

  const begin = (copy: number) => {
    job[copy] = started < jobs ? started++ : IDLE;
    if (job[copy] === IDLE) return;
    const state = branchStates[Math.floor(job[copy] / rollouts)];
    const rollout = job[copy] % rollouts;
    chance[copy].rekey(seed, "environment", state, rollout);
    draws[copy].rekey(seed, "action", state, rollout);
    vector.restore(copy, states.snapshots, state * spec.snapshotBytes, chance[copy]);
    made[copy] = 0;
    weight[copy] = 1;
  };
  for (let copy = 0; copy < C; copy++) begin(copy);

  while (finished < jobs) {
    table.gather();
    for (let i = 0; i < N; i++) {
      const group = table.groups[i];
      const distribution = distributions[i];
      for (let row = 0; row < group.count; row++) {
        const copy = group.copies[row];
        const slot = (copy * N + i) * W;
        const decides = group.free[row] === 1;
        if (decides && job[copy] !== IDLE) decisions++;
        if (decides && i === agent && made[copy]++ === 0) {
          const branch = Math.floor(job[copy] / rollouts);
          if (drawn) draw(branchStates[branch], branchActions[branch], job[copy] % rollouts, actions, slot);
          else actions[slot] = branchActions[branch];
          clip(spec.actionSpaces[i], actions, slot);
          continue;
        }
        if (decides && i === agent) weight[copy] *= discount;
        distribution.at(group.parameters, row * distribution.width).sample(draws[copy], actions, slot);
        clip(spec.actionSpaces[i], actions, slot);
      }
    }
    vector.step(actions);
    for (let copy = 0; copy < C; copy++) {
      if (job[copy] === IDLE) continue;
      returns[job[copy]] += weight[copy] * rewards[copy * N + agent];
      const decidesAgain =
        made[copy] === horizon && acting[copy * N + agent] && hasChoice(space, vector.legal(copy, agent, mask, 0));
      if (!decidesAgain && !isCopyOver(vector, copy)) continue;
      finished++;
      begin(copy);
    }
  }
  return { returns, branchStates, branchActions, decisions };
}

function mean(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}
