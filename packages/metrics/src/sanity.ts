import { type Explainer, type Perturbation, type Policy, shuffle, stream } from "@magic-mask/core";
import { auroc } from "./auroc.ts";
import type { Interval } from "./interval.ts";
import { type DropCurveOptions, dropCurve, type RewardDrop } from "./reward-drop.ts";
import { type StatemaskFidelityOptions, statemaskFidelity } from "./statemask-fidelity.ts";
import type { States } from "./states.ts";
import { tInterval, tPValue, tQuantile } from "./t-interval.ts";

/** A trial of the figures themselves: whether they see nonsense for what it is. */
export interface SanityRow {
  readonly name: string;
  /** What must come, stated beforehand. */
  readonly expected: string;
  /** What came: 95 % intervals. */
  readonly measured: Interval;
  /** Within four standard errors of what must come; where that is exact, exactly. */
  readonly passed: boolean;
  /** How probable it is at most that it fails by chance alone, were figures normal; 0 where it is exact. */
  readonly byChance: number;
}

/** How many standard errors chance may take a figure from where it must be. */
const ERRORS = 4;
/** 2·(1 − Φ(4)): how probable it is that chance takes a normal one further. */
const FURTHER = 6.334e-5;

const errorOf = ({ low, high }: Interval) => (high - low) / (2 * 1.96);
const about = (value: number, measured: Interval) => Math.abs(measured.estimate - value) <= ERRORS * errorOf(measured);
const exactly = (value: number): Interval => ({ estimate: value, low: value, high: value });

/**
 * Scores in another order know nothing: `auroc@10` of 100 permutations of them is ½ on average.
 *
 * @param scores [S]
 * @param truth [S]
 */
export function permutedScores(scores: ArrayLike<number>, truth: ArrayLike<number>, seed: number): SanityRow {
  const random = stream(seed, "permuted scores");
  const order = Int32Array.from({ length: scores.length }, (_, s) => s);
  const areas = Float64Array.from({ length: 100 }, () => {
    shuffle(order, random);
    return auroc(
      Float64Array.from(order, (s) => scores[s]),
      truth,
    );
  });
  return aboutHalf("permuted scores: AUROC", "½: nothing is left of the explanation", areas);
}

export interface RandomisedPolicyOptions {
  readonly explainer: Explainer;
  readonly states: States;
  /** [S] criticality for the trained policy. */
  readonly truth: ArrayLike<number>;
  readonly perturbation: Perturbation;
  /** [K] K ≥ 2: the policy's network with weights drawn anew. */
  readonly policies: readonly Policy[];
}

/**
 * An explanation is of a policy (Adebayo et al. 2018, "Sanity checks for saliency maps"): told the probabilities of networks whose
 * weights are drawn anew in the place of the trained one's, an explainer must lose what it knew, `auroc@10` against the trained
 * policy's truth falling to ½ on average. One that does not has looked at the states alone.
 *
 * @param options.perturbation one that knows nothing of the trained policy
 */
export function randomisedPolicy(options: RandomisedPolicyOptions): SanityRow {
  const { explainer, states, truth, perturbation, policies } = options;
  const { decisions, count } = states;
  const areas = Float64Array.from(policies, (drawn) => {
    const policy = new Float32Array(decisions.policy.length);
    const withheld = new Float32Array(decisions.perturbation.length);
    drawn.evaluate(decisions, policy, new Float32Array(count));
    perturbation.evaluate(decisions, policy, withheld);
    const scores = new Float32Array(count);
    explainer.score({ ...decisions, policy, perturbation: withheld }, scores, new Float32Array(count));
    return auroc(scores, truth);
  });
  return aboutHalf("randomised policy: AUROC", "½: the explanation was of the trained policy", areas);
}

function aboutHalf(name: string, expected: string, areas: Float64Array): SanityRow {
  // Unknown where nothing is critical.
  if (areas.some(Number.isNaN)) return { name, expected, measured: exactly(Number.NaN), passed: true, byChance: 0 };
  const measured = tInterval(areas);
  const error = (measured.high - measured.estimate) / tQuantile(areas.length - 1, 0.95);
  // Where nothing varies, rounding alone is left.
  const passed = Math.abs(measured.estimate - 0.5) <= Math.max(ERRORS * error, 1e-9);
  return { name, expected, measured, passed, byChance: tPValue(ERRORS, areas.length - 1) };
}

/**
 * Random windows: those that scores drawn at random choose change the return as much as windows of equal length at random places.
 *
 * @param options.explainer one that knows nothing
 */
export function equalWindows(options: StatemaskFidelityOptions): SanityRow {
  const { gain } = statemaskFidelity(options);
  const expected = "0: no more than a window of equal length elsewhere";
  const name = "windows of random scores: change of return";
  return { name, expected, measured: gain, passed: about(0, gain), byChance: FURTHER };
}

/** Replays in which ν is π withhold nothing: their change of return is that of the replay floor, to the last bit. */
export function replayFloor(options: Omit<StatemaskFidelityOptions, "perturbation">): SanityRow {
  const { window, floor } = statemaskFidelity({ ...options, perturbation: nothingWithheld });
  const difference = window.change.estimate - floor.change.estimate;
  const expected = "0: the replay floor, exactly";
  return {
    name: "replays that withhold nothing: change of return above the floor",
    expected,
    measured: exactly(difference),
    passed: difference === 0,
    byChance: 0,
  };
}

/** Reward drops where ν is π are 0 at any budget, to the last bit. */
export function nothingDropped(options: Omit<DropCurveOptions, "perturbation">): SanityRow {
  const drops = dropCurve({ ...options, perturbation: nothingWithheld });
  const most = Math.max(...drops.map(({ drop }) => Math.abs(drop.estimate)));
  const measured = exactly(most);
  const name = "withholding nothing: largest reward drop";
  return { name, expected: "0, exactly", measured, passed: most === 0, byChance: 0 };
}

/** ν = π */
const nothingWithheld: Perturbation = {
  name: "nothing-withheld",
  evaluate(_, policy, out) {
    out.set(policy.subarray(0, out.length));
  },
};

/**
 * The K-curve: blinding more costs more, and the explainer's choice costs no less than chance's, nor chance's less than the
 * explainer's lowest, at any budget.
 *
 * @param options.shares as many budgets as there are to be points
 */
export function orderedCurves(options: Omit<DropCurveOptions, "order">): SanityRow[] {
  const [top, random, bottom] = (["top", "random", "bottom"] as const).map((order) => dropCurve({ ...options, order }));
  const last = options.shares.length - 1;
  const percent = (k: number) => `${Number((100 * options.shares[k]).toFixed(1))} %`;
  return [
    ...top.map((drop, k) => notBelow(`drop at ${percent(k)}: highest scores less random`, drop, random[k])),
    ...random.map((drop, k) => notBelow(`drop at ${percent(k)}: random less lowest scores`, drop, bottom[k])),
    notBelow(`random drop at ${percent(last)} less that at ${percent(0)}`, random[last], random[0]),
  ];
}

/**
 * The K-curve of an explainer that knows nothing: what it scores highest costs what random decisions cost, at every budget.
 *
 * @param options.explainer one that knows nothing
 */
export function chanceCurve(options: Omit<DropCurveOptions, "order">): SanityRow[] {
  const [top, random] = (["top", "random"] as const).map((order) => dropCurve({ ...options, order }));
  return top.map((drop, k) => {
    const measured = differenceOf(drop, random[k]);
    const name = `drop at ${Number((100 * options.shares[k]).toFixed(1))} %: random scores less random`;
    return { name, expected: "0: as if by chance", measured, passed: about(0, measured), byChance: FURTHER };
  });
}

function notBelow(name: string, a: RewardDrop, b: RewardDrop): SanityRow {
  const measured = differenceOf(a, b);
  const passed = measured.estimate >= 0 || about(0, measured);
  return { name, expected: "not below 0", measured, passed, byChance: FURTHER / 2 };
}

/** The episodes are the same, which can only make the difference surer than this says. */
function differenceOf(a: RewardDrop, b: RewardDrop): Interval {
  const estimate = a.drop.estimate - b.drop.estimate;
  const margin = 1.96 * Math.hypot(errorOf(a.drop), errorOf(b.drop));
  return { estimate, low: estimate - margin, high: estimate + margin };
}
