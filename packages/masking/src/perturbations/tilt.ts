import {
  type ActionSpace,
  boxSize,
  type Decisions,
  DRAWS,
  drawActions,
  LOG_STD_BOUNDS,
  maskedLogSoftmax,
  type Perturbation,
  requireChoices,
  standardDraws,
  stream,
} from "@magic-mask/core";
import type { FeatureSource } from "../features.ts";

/**
 * Â(x, a) of single actions.
 *
 * @param out [B × A] written where an action is legal; [B × G] of those that are given
 * @param given [B × G × w] what is asked about instead of all choices: choices, or the w numbers of continuous actions
 */
export type SingleActionAdvantages = (source: FeatureSource, out: Float32Array, given?: Float32Array) => void;

export interface LearnedContext {
  readonly space: ActionSpace;
  readonly advantages: SingleActionAdvantages;
  /** Root of all chance in it: draws, where actions are continuous. */
  readonly seed: number;
}

/** What a fit came to, over the decisions that it was made from. */
export interface TiltState {
  /** 1/β ≥ 0, in units of 1 / return; at 0 ν is its base. */
  readonly strength: number;
  /** E KL(ν ‖ base), nats. */
  readonly divergence: number;
  /** E[Σ_a (π − ν)(a)·Â(a)], what a blinded decision loses by the estimate. */
  readonly harm: number;
}

/** A perturbation that is made from estimates of what single actions are worth. Its base until it is fitted. */
export interface LearnedPerturbation extends Perturbation {
  /** Chooses the strength by decisions as they are visited, with the estimates as they stand. */
  fit(decisions: Decisions): TiltState;
  exportState(): TiltState;
  restoreState(state: TiltState): void;
}

/** Decisions with their actions one behind the other. */
export interface Weighed {
  /** [S + 1] where each decision's actions begin. */
  readonly starts: Int32Array;
  /** [K] ln of the base's probabilities. */
  readonly logBase: Float64Array;
  /** [K] Â */
  readonly advantages: Float64Array;
  /** [16 × k] where a decision's actions are draws of a normal distribution: these, as they were before they were scaled to it. */
  readonly draws?: Float64Array;
}

/**
 * Writes the tilt of one decision, ν(a) ∝ base(a)·exp(−strength·Â(a)): of all distributions as far from the base, KL(ν ‖ base), the one of
 * least Σ_a ν(a)·Â(a), and of all with as low a sum the nearest.
 */
export function tilt({ starts, logBase, advantages }: Weighed, s: number, strength: number, out: Float64Array): void {
  let highest = Number.NEGATIVE_INFINITY;
  for (let i = starts[s]; i < starts[s + 1]; i++) {
    out[i] = logBase[i] - strength * advantages[i];
    if (out[i] > highest) highest = out[i];
  }
  let sum = 0;
  for (let i = starts[s]; i < starts[s + 1]; i++) {
    out[i] = Math.exp(out[i] - highest);
    sum += out[i];
  }
  for (let i = starts[s]; i < starts[s + 1]; i++) out[i] /= sum;
}

/** E KL(ν ‖ base) and E Σ ν·Â of the tilt, over decisions; of draws the divergence of the normal distribution that ν then is. */
export function tiltFigures(weighed: Weighed, strength: number) {
  const { starts, logBase, advantages, draws } = weighed;
  const nu = new Float64Array(logBase.length);
  const S = starts.length - 1;
  let divergence = 0;
  let worth = 0;
  for (let s = 0; s < S; s++) {
    tilt(weighed, s, strength, nu);
    for (let i = starts[s]; i < starts[s + 1]; i++) {
      if (nu[i] === 0) continue;
      if (!draws) divergence += (nu[i] * (Math.log(nu[i]) - logBase[i])) / S;
      worth += (nu[i] * advantages[i]) / S;
    }
    if (draws) divergence += normalDivergence(draws, nu, starts[s]) / S;
  }
  return { divergence, worth };
}

/** Mean and variance of entry `i` of the draws, weighted by `nu[from …]`. */
function moments(draws: Float64Array, nu: Float64Array, from: number, i: number) {
  const k = draws.length / DRAWS;
  let mean = 0;
  let square = 0;
  for (let draw = 0; draw < DRAWS; draw++) {
    const x = draws[draw * k + i];
    mean += nu[from + draw] * x;
    square += nu[from + draw] * x * x;
  }
  return { mean, variance: Math.max(square - mean * mean, LEAST_VARIANCE) };
}

/** KL of the normal distribution of the weighted draws to the standard one. */
function normalDivergence(draws: Float64Array, nu: Float64Array, from: number): number {
  let sum = 0;
  for (let i = 0; i < draws.length / DRAWS; i++) {
    const { mean, variance } = moments(draws, nu, from, i);
    sum += 0.5 * (variance + mean * mean - 1 - Math.log(variance));
  }
  return sum;
}

/** Where a single draw is left. */
const LEAST_VARIANCE = 1e-8;

/** Halvings: the strength is known to fifteen digits. */
const STEPS = 50;
/** Where exp(−strength · (a difference as large as any)) is nothing, an even stronger tilt is the same. */
const STRONGEST = 1e6;

/**
 * The least strength from which `reached` holds, up to rounding; `reached` must hold for all above one for which it does. The dual of both problems
 * is this: one β for all decisions.
 *
 * @returns below: it does not hold there, or 0; above: it holds there, or the strongest tilt there is, if it never does
 */
export function bracket({ advantages }: Weighed, reached: (strength: number) => boolean) {
  let range = 0;
  for (const value of advantages) range = Math.max(range, Math.abs(value));
  let [below, above] = [0, STRONGEST / range];
  if (above === Number.POSITIVE_INFINITY || reached(0)) return { below: 0, above: 0 };
  if (!reached(above)) return { below: above, above };
  for (let step = 0; step < STEPS; step++) {
    const middle = below === 0 ? above / 16 : Math.sqrt(below) * Math.sqrt(above);
    if (reached(middle)) above = middle;
    else below = middle;
  }
  return { below, above };
}

export interface TiltOptions extends LearnedContext {
  readonly name: string;
  /** Whose rows are tilted: given the batch and the policy's, writes them. */
  readonly base: Perturbation["evaluate"];
  /**
   * @param weighed the base's actions
   * @param worth E Σ base(a)·Â(a) of another distribution's rows, by the same estimates
   */
  readonly strengthOf: (weighed: Weighed, worth: (rows: Float32Array) => number, decisions: Decisions) => number;
}

/**
 * ν = tilt of a base distribution. Over a box the tilt is that of 16 draws from the base, and ν the normal distribution of their
 * mean and variance, of all normal ones the nearest to the tilt; divergences are those of it.
 *
 * @throws unsupported for actions in several parts
 */
export function tilted({ name, space, advantages, seed, base, strengthOf }: TiltOptions): LearnedPerturbation {
  const k = space.kind === "box" ? boxSize(space) : 0;
  const n = k > 0 ? 0 : requireChoices(`masking/${name}`, space);
  const P = k > 0 ? 2 * k : n;
  const z = standardDraws(Math.max(k, 1), stream(seed, "standard draws"));
  let state: TiltState = { strength: 0, divergence: 0, harm: 0 };
  let actions = new Float32Array(0);
  let estimates = new Float32Array(0);
  const one = {
    starts: Int32Array.of(0, DRAWS),
    logBase: new Float64Array(DRAWS),
    advantages: new Float64Array(DRAWS),
  };
  const nu = new Float64Array(DRAWS);

  /** Â into `estimates`: of all choices, or of draws from `rows`. */
  const estimate = (source: FeatureSource, rows: Float32Array) => {
    const size = source.count * (k > 0 ? DRAWS : n);
    if (estimates.length < size) {
      estimates = new Float32Array(size);
      actions = new Float32Array(size * k);
    }
    if (k === 0) advantages(source, estimates);
    else {
      for (let row = 0; row < source.count; row++) drawActions(z, rows, row, actions, row * DRAWS * k);
      advantages(source, estimates, actions.subarray(0, size * k));
    }
  };

  const weigh = (decisions: Decisions, rows: Float32Array): Weighed => {
    estimate(decisions, rows);
    const starts = new Int32Array(decisions.count + 1);
    const logBase: number[] = [];
    const worth: number[] = [];
    for (let row = 0; row < decisions.count; row++) {
      for (let i = 0; i < (k > 0 ? DRAWS : n); i++) {
        if (k === 0 && !decisions.legal[row * n + i]) continue;
        logBase.push(k > 0 ? -Math.log(DRAWS) : rows[row * n + i]);
        worth.push(estimates[row * (k > 0 ? DRAWS : n) + i]);
      }
      starts[row + 1] = logBase.length;
    }
    return {
      starts,
      logBase: Float64Array.from(logBase),
      advantages: Float64Array.from(worth),
      ...(k > 0 && { draws: z }),
    };
  };

  /** Moves the normal distribution in row `row` to the tilt of its draws. */
  const move = (row: number, rows: Float32Array) => {
    for (let i = 0; i < DRAWS; i++) one.advantages[i] = estimates[row * DRAWS + i];
    tilt(one, 0, state.strength, nu);
    for (let i = 0; i < k; i++) {
      const { mean, variance } = moments(z, nu, 0, i);
      const at = row * P + i;
      rows[at] += mean * Math.exp(rows[at + k]);
      rows[at + k] = Math.max(rows[at + k] + 0.5 * Math.log(variance), LOG_STD_BOUNDS[0]);
    }
  };

  return {
    name,
    evaluate(batch, policy, out) {
      base(batch, policy, out);
      if (state.strength === 0) return;
      estimate({ ...batch, policy }, out);
      for (let row = 0; row < batch.count; row++) {
        if (k > 0) {
          move(row, out);
          continue;
        }
        for (let at = row * n; at < (row + 1) * n; at++) {
          if (batch.legal[at]) out[at] -= state.strength * estimates[at];
        }
        maskedLogSoftmax(out, row * n, batch.legal, row * n, n);
      }
    },
    fit(decisions) {
      const rows = new Float32Array(decisions.count * P);
      base(decisions, decisions.policy, rows);
      const worth = (of: Float32Array) => tiltFigures(weigh(decisions, of), 0).worth;
      const weighed = weigh(decisions, rows);
      const strength = strengthOf(weighed, worth, decisions);
      const figures = tiltFigures(weighed, strength);
      state = { strength, divergence: figures.divergence, harm: worth(decisions.policy) - figures.worth };
      return state;
    },
    exportState: () => state,
    restoreState(saved) {
      state = saved;
    },
  };
}
