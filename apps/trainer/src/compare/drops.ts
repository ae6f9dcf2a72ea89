import {
  boxSize,
  type Explainer,
  type MakeEnvironment,
  type Perturbation,
  type PlayOptions,
  type Policy,
  play,
  stream,
} from "@magic-mask/core";
import { descending, episodeReturns, type Gate, gateAt, gatedPolicy, reversed } from "@magic-mask/metrics";

/** What it costs one agent that a share of its decisions is blinded. */
export interface DropPoint {
  /** Which: those scored highest, or those scored lowest. */
  readonly order: "top" | "bottom";
  /** q, the share aimed at. */
  readonly share: number;
  /** The share that was in fact blinded. */
  readonly budget: number;
  /** (unperturbed return − return) / range. */
  readonly drop: number;
}

/** One agent's unperturbed play, which the curves of all explainers are held against. */
export interface Baseline {
  /** [E] returns on the evaluation's seeds. */
  readonly returns: Float64Array;
  /** Highest minus lowest return; where the world declares none, the policy's return less a random player's. */
  readonly range: number;
}

export interface DropOptions {
  readonly make: MakeEnvironment;
  /** [N] */
  readonly policies: readonly Policy[];
  readonly agent: number;
  /** ν */
  readonly perturbation: Perturbation;
  readonly baseline: Baseline;
  /** Scores of decisions of unperturbed play: where the calibration begins. */
  readonly scores: Float32Array;
  readonly explainer: Explainer;
  /** Is shown the copies before each play behind a gate, as in `play`. */
  readonly watch?: PlayOptions["watch"];
  /** q in (0, 1), the shares of the curve. */
  readonly shares: readonly number[];
  /** The one of them that is calibrated, and that the lowest scores are blinded at, too. */
  readonly headline: number;
  readonly seed: number;
}

/**
 * A drop curve: `rewardDrop` of metrics where many explainers are compared on one policy, at a tenth of the play. All of them share
 * the unperturbed episodes; a gate is first set by scores of unperturbed decisions that are at hand; the gate of one share alone is
 * calibrated, and the others are set by what its trials showed. Every point states the share that was in fact
 * blinded, which is what it is to be read against.
 *
 * Trials play the evaluation's own episodes, so that what was found is what is blinded: a gate is fitted to how much it blinds, never
 * to what that costs.
 */
export function dropCurve(options: DropOptions): DropPoint[] {
  return [...pointsOf(options, "top", options.shares), ...pointsOf(options, "bottom", [options.headline])];
}

/** The one point of such a curve that all are compared by, where play takes long: q the headline, the highest scores. */
export const headlineDrop = (options: Omit<DropOptions, "shares">): DropPoint =>
  pointsOf(options, "top", [options.headline])[0];

function pointsOf(
  options: Omit<DropOptions, "shares">,
  order: "top" | "bottom",
  shares: readonly number[],
): DropPoint[] {
  const { headline } = options;
  const explainer = order === "top" ? options.explainer : reversed(options.explainer);
  const behind = (gate: Gate) => playBehind({ ...options, explainer }, gate);
  const scores = Array.from(options.scores, (score) => (order === "top" ? score : -score));
  const { nearest, gateFor } = calibrated(scores, headline, behind);
  return shares.map((share) => {
    const { drop, budget } = share === headline ? nearest : behind(gateFor(share));
    return { order, share, budget, drop };
  });
}

/** Plays the baseline's episodes behind a gate: what that costs as a share of the range, and which share of decisions it blinds. */
export function playBehind(
  {
    make,
    policies,
    agent,
    perturbation,
    baseline,
    explainer,
    watch,
    seed,
  }: Omit<DropOptions, "scores" | "shares" | "headline">,
  gate: Gate,
): { readonly drop: number; readonly scores: readonly number[]; readonly budget: number } {
  const { actionSpaces, observationSpaces } = make();
  const about = { agent, space: actionSpaces[agent], observation: boxSize(observationSpaces[agent]) };
  const episodes = baseline.returns.length;
  const gated = gatedPolicy(policies[agent], { ...about, perturbation, explainer, gate });
  const seated = policies.with(agent, gated);
  const watched = watch && { watch };
  const played = play({ make, policies: seated, episodes, seed: evaluationSeed(seed), copies: COPIES, ...watched });
  const returns = episodeReturns(played, agent);
  const loss = returns.reduce((sum, value, e) => sum + baseline.returns[e] - value, 0) / episodes;
  return { drop: loss / baseline.range, scores: gated.scores, budget: gated.blinded() / gated.scores.length };
}

/**
 * A position in the ranking of scores (0 blinds none, 1 all) is a gate. Blinding changes which states are met, so what a gate blinds
 * is not its position: that is found by play, for one share exactly and for the others by straight lines between what was tried.
 *
 * @param scores of unperturbed decisions
 * @param share q that trials are made for, until one blinds it to a quarter of a percentage point, twenty at most
 * @returns what came of the trial nearest to q, and the gate for any other share
 */
export function calibrated<T extends { readonly scores: readonly number[]; readonly budget: number }>(
  scores: readonly number[],
  share: number,
  trial: (gate: Gate) => T,
): { readonly nearest: T; readonly gateFor: (share: number) => Gate } {
  let ranking = descending(scores);
  let known = [NONE, ALL];
  /** Between the two nearest gates that were tried: on the straight line, or half-way. */
  const positionOf = (wanted: number, isHalved = false) => {
    const above = Math.max(
      1,
      known.findIndex(({ budget }) => budget >= wanted),
    );
    const [low, high] = [known[above - 1], known[above]];
    const weight = high.budget > low.budget && !isHalved ? (wanted - low.budget) / (high.budget - low.budget) : 0.5;
    return low.position + weight * (high.position - low.position);
  };
  let nearest: T | undefined;
  for (let round = 0; round < TRIALS; round++) {
    // Where few scores more blind much more, lines alone come near by ever smaller steps.
    const gate = gateAt(ranking, positionOf(share, round >= STRAIGHT && round % 2 === 1));
    const result = trial(gate);
    const { scores: met, budget } = result;
    if (!nearest || Math.abs(budget - share) < Math.abs(nearest.budget - share)) nearest = result;
    if (round === 0) {
      // The states behind a gate may score unlike any before: they belong into the ranking.
      ranking = descending([...scores, ...met]);
    }
    const point = { position: positionIn(ranking, gate), budget };
    known = [...known, point].sort((a, b) => a.position - b.position || a.budget - b.budget);
    if (Math.abs(budget - share) <= TOLERANCE) break;
  }
  // More to a gate's one side never blinds less, but for chance.
  for (let i = 1; i < known.length; i++) {
    known[i] = { ...known[i], budget: Math.max(known[i].budget, known[i - 1].budget) };
  }
  return { nearest: nearest as T, gateFor: (wanted) => gateAt(ranking, positionOf(wanted)) };
}

const NONE = { position: 0, budget: 0 };
const ALL = { position: 1, budget: 1 };
/** So many at most, of which the first by straight lines alone: most shares are found by then. */
const TRIALS = 20;
const STRAIGHT = 5;
const TOLERANCE = 0.0025;

/** Where in a descending ranking the scores equal to `threshold` begin and how many there are. */
function tiesIn(ranking: Float64Array, threshold: number): { readonly above: number; readonly tied: number } {
  let above = 0;
  while (above < ranking.length && ranking[above] > threshold) above++;
  let tied = 0;
  while (above + tied < ranking.length && ranking[above + tied] === threshold) tied++;
  return { above, tied };
}

/** The share of `ranking` that a gate blinds. */
function positionIn(ranking: Float64Array, { threshold, ties }: Gate): number {
  const { above, tied } = tiesIn(ranking, threshold);
  return (above + ties * tied) / ranking.length;
}

/** @param randomPlayer plays the agent's seat for the range, where the world declares none */
export function baselineOf(
  make: MakeEnvironment,
  policies: readonly Policy[],
  agent: number,
  episodes: number,
  seed: number,
  randomPlayer: Policy,
): Baseline {
  const returnsOf = (seated: readonly Policy[]) =>
    episodeReturns(play({ make, policies: seated, episodes, seed: evaluationSeed(seed), copies: COPIES }), agent);
  const returns = returnsOf(policies);
  const { returnRange } = make();
  if (returnRange) return { returns, range: returnRange[1] - returnRange[0] };
  return { returns, range: mean(returns) - mean(returnsOf(policies.with(agent, randomPlayer))) };
}

const evaluationSeed = (seed: number) => stream(seed, "evaluation").bits();

const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Copies side by side: a forward pass costs least for some hundred rows. */
const COPIES = 256;
