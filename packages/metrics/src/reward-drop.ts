import {
  boxSize,
  byName,
  checkCount,
  type Explainer,
  MagicMaskError,
  type MakeEnvironment,
  type Perturbation,
  type Policy,
  play,
  stream,
} from "@magic-mask/core";
import { bootstrapMean } from "./bootstrap.ts";
import { calibrateGate } from "./calibrate-gate.ts";
import { checkShare } from "./checks.ts";
import { type Gate, gatedPolicy } from "./gated-policy.ts";
import type { Interval } from "./interval.ts";
import { episodeReturns } from "./returns.ts";

export interface RewardDropOptions {
  readonly make: MakeEnvironment;
  /** [N] who plays which agent. */
  readonly policies: readonly Policy[];
  /** The one agent that is blinded: blinding both sides of self-play nets to zero. */
  readonly agent: number;
  /** ν */
  readonly perturbation: Perturbation;
  readonly explainer: Explainer;
  /** q in (0, 1), the share of the agent's decisions to blind. */
  readonly share: number;
  /** Which: those that score highest, those that score lowest, or any, whatever their score. */
  readonly order?: "top" | "bottom" | "random";
  /** Episodes of the evaluation, ≥ 1. */
  readonly episodes: number;
  /** Episodes of each trial of the calibration, ≥ 1; as many as `episodes` by default. */
  readonly calibrationEpisodes?: number;
  /** Root of all chance; calibration and evaluation draw from streams apart. */
  readonly seed: number;
  /**
   * Highest minus lowest return, in game units; where the world declares none, pass the trained policy's return less a
   * random one's.
   */
  readonly range?: number;
  /** Copies of the world played side by side, ≥ 1. No effect on the result. */
  readonly copies?: number;
}

export interface RewardDrop {
  /** Loss as a share of the range, with the 95 % bootstrap interval over pairs of episodes; positive = harm. */
  readonly drop: Interval;
  /** Mean returns on the evaluation's seeds, in game units. */
  readonly unperturbed: number;
  readonly perturbed: number;
  /**
   * Share of decisions that was in fact blinded in the evaluation: to be within .005 of q, else more episodes are
   * needed.
   */
  readonly budget: number;
  readonly gate: Gate;
}

/**
 * `reward_drop@q`: (return − return when the share q of one agent's decisions is blinded) / range, those decisions
 * being picked by an explainer's score against a threshold that `calibrateGate` finds on episodes apart. Both returns
 * are over episodes of the same seeds.
 *
 * @throws invalid-option; unknown-name; unsupported for actions in several parts
 */
export function rewardDrop(options: RewardDropOptions): RewardDrop {
  const { make, policies, agent, perturbation, share, order = "top", episodes, seed, copies = 64 } = options;
  const { calibrationEpisodes = episodes } = options;
  checkShare("metrics/reward-drop", "share", share);
  checkCount("metrics/reward-drop", "episodes", episodes);
  checkCount("metrics/reward-drop", "calibrationEpisodes", calibrationEpisodes);
  const { actionSpaces, observationSpaces, returnRange } = make();
  const range = options.range ?? (returnRange ? returnRange[1] - returnRange[0] : Number.NaN);
  if (!(range > 0)) {
    const came = options.range ?? "none from the options or the world";
    throw new MagicMaskError(
      "invalid-option",
      "metrics/reward-drop",
      `range must be > 0, got ${came}; pass the gap between the trained and a random policy`,
    );
  }
  const space = actionSpaces[agent];
  const observation = boxSize(observationSpaces[agent]);
  const orders = { top: options.explainer, bottom: reversed(options.explainer), random: indifferent };
  const explainer = byName("metrics/reward-drop", "order", orders, order);
  const behind = (gate: Gate, root: number, count: number) => {
    const gated = gatedPolicy(policies[agent], { agent, space, observation, perturbation, explainer, gate });
    const played = play({ make, policies: policies.with(agent, gated), episodes: count, seed: root, copies });
    return { returns: episodeReturns(played, agent), scores: gated.scores, blinded: gated.blinded() };
  };
  const calibration = stream(seed, "calibration").bits();
  const evaluation = stream(seed, "evaluation").bits();
  const gate = calibrateGate((candidate) => behind(candidate, calibration, calibrationEpisodes), share);
  const unperturbed = episodeReturns(play({ make, policies, episodes, seed: evaluation, copies }), agent);
  const perturbed = behind(gate, evaluation, episodes);
  const losses = unperturbed.map((value, e) => (value - perturbed.returns[e]) / range);
  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    drop: bootstrapMean(losses, { seed }),
    unperturbed: mean(unperturbed),
    perturbed: mean(perturbed.returns),
    budget: perturbed.blinded / perturbed.scores.length,
    gate,
  };
}

/** Equal scores for all: its top share is a random one. */
const indifferent: Explainer = {
  name: "random",
  score({ count }, criticality, spread) {
    criticality.fill(0, 0, count);
    spread.fill(Number.NaN, 0, count);
  },
};

const reversed = (explainer: Explainer): Explainer => ({
  name: explainer.name,
  score(decisions, criticality, spread) {
    explainer.score(decisions, criticality, spread);
    for (let row = 0; row < decisions.count; row++) criticality[row] = -criticality[row];
  },
});
