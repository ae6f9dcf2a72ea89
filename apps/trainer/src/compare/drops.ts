import { type Explainer, type MakeEnvironment, type Perturbation, type Policy, play, stream } from "@magic-mask/core";
import { calibrateGate, episodeReturns, type Gate, gatedPolicy } from "@magic-mask/metrics";

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

/** One agent's unperturbed play, which the points of all explainers are held against. */
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
  readonly order: "top" | "bottom";
  readonly share: number;
  readonly seed: number;
}

/**
 * One point of a drop curve: `rewardDrop` of metrics, cheaper where many explainers are compared on one policy. All of them share
 * the unperturbed episodes, and their gates are first set by scores of unperturbed decisions that are at hand, so that nothing is
 * played for them.
 *
 * Calibration and evaluation play E episodes each, of streams apart.
 */
export function dropPoint(options: DropOptions): DropPoint {
  const { make, policies, agent, perturbation, baseline, order, share, seed } = options;
  const space = make().actionSpaces[agent];
  const explainer = order === "top" ? options.explainer : reversed(options.explainer);
  const scores = Array.from(options.scores, (score) => (order === "top" ? score : -score));
  const episodes = baseline.returns.length;
  const behind = (gate: Gate, root: number) => {
    const gated = gatedPolicy(policies[agent], { agent, space, perturbation, explainer, gate });
    const played = play({ make, policies: policies.with(agent, gated), episodes, seed: root, copies: COPIES });
    return { returns: episodeReturns(played, agent), scores: gated.scores, blinded: gated.blinded() };
  };
  const calibration = stream(seed, "calibration").bits();
  const gate = calibrateGate(
    (candidate) =>
      candidate.threshold === Number.POSITIVE_INFINITY ? { scores, blinded: 0 } : behind(candidate, calibration),
    share,
  );
  const { returns, scores: met, blinded } = behind(gate, evaluationSeed(seed));
  const loss = returns.reduce((sum, value, e) => sum + baseline.returns[e] - value, 0) / episodes;
  return { order, share, budget: blinded / met.length, drop: loss / baseline.range };
}

/** @param range where the world declares none */
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

const reversed = (explainer: Explainer): Explainer => ({
  name: explainer.name,
  score(decisions, criticality, spread) {
    explainer.score(decisions, criticality, spread);
    for (let row = 0; row < decisions.count; row++) criticality[row] = -criticality[row];
  },
});

const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Copies side by side: a forward pass costs least for some hundred rows. */
const COPIES = 256;
