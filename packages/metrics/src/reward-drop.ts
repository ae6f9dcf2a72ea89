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
import { calibrateGates } from "./calibrate-gate.ts";
import { checkShare } from "./checks.ts";
import { type Gate, gatedPolicy } from "./gated-policy.ts";
import type { Interval } from "./interval.ts";
import { reversed } from "./ranked-gates.ts";
import { returnRangeOf } from "./return-range.ts";
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
export function rewardDrop({ share, ...options }: RewardDropOptions): RewardDrop {
  return dropCurve({ ...options, shares: [share] })[0];
}

export interface DropCurveOptions extends Omit<RewardDropOptions, "share"> {
  /** [K] q, each in (0, 1), ascending. */
  readonly shares: readonly number[];
}

/**
 * `reward_drop@q` for several q (the K-curve), on the same episodes. One calibration serves all: play without blinding is tried
 * once, and each trial brackets the gates of all shares.
 *
 * @returns [K]
 * @throws as `rewardDrop`
 */
export function dropCurve(options: DropCurveOptions): RewardDrop[] {
  const { make, policies, agent, perturbation, shares, order = "top", episodes, seed, copies = 64 } = options;
  const { calibrationEpisodes = episodes } = options;
  shares.forEach((share, k) => {
    checkShare(SOURCE, "share", share);
    if (k === 0 || share > shares[k - 1]) return;
    throw new MagicMaskError("invalid-option", SOURCE, `shares must ascend, got ${share} after ${shares[k - 1]}`);
  });
  checkCount(SOURCE, "shares", shares.length);
  checkCount(SOURCE, "episodes", episodes);
  checkCount(SOURCE, "calibrationEpisodes", calibrationEpisodes);
  const { actionSpaces, observationSpaces } = make();
  const range = returnRangeOf(SOURCE, make, options.range);
  const space = actionSpaces[agent];
  const observation = boxSize(observationSpaces[agent]);
  const orders = { top: options.explainer, bottom: reversed(options.explainer), random: indifferent };
  const explainer = byName(SOURCE, "order", orders, order);
  const behind = (gate: Gate, root: number, count: number) => {
    const gated = gatedPolicy(policies[agent], { agent, space, observation, perturbation, explainer, gate });
    const played = play({ make, policies: policies.with(agent, gated), episodes: count, seed: root, copies });
    return { returns: episodeReturns(played, agent), scores: gated.scores, blinded: gated.blinded() };
  };
  const calibration = stream(seed, "calibration").bits();
  const evaluation = stream(seed, "evaluation").bits();
  const gates = calibrateGates((candidate) => behind(candidate, calibration, calibrationEpisodes), shares);
  const unperturbed = episodeReturns(play({ make, policies, episodes, seed: evaluation, copies }), agent);
  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return gates.map((gate) => {
    const perturbed = behind(gate, evaluation, episodes);
    const losses = unperturbed.map((value, e) => (value - perturbed.returns[e]) / range);
    return {
      drop: bootstrapMean(losses, { seed }),
      unperturbed: mean(unperturbed),
      perturbed: mean(perturbed.returns),
      budget: perturbed.blinded / perturbed.scores.length,
      gate,
    };
  });
}

const SOURCE = "metrics/reward-drop";

/** Equal scores for all: its top share is a random one. */
const indifferent: Explainer = {
  name: "random",
  score({ count }, criticality, spread) {
    criticality.fill(0, 0, count);
    spread.fill(Number.NaN, 0, count);
  },
};
