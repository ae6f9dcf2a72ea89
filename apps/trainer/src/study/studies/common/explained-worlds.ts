import type { ConfigInput } from "../../../config.ts";
import type { Size } from "../../study.ts";
import { sharingConfig } from "./settings.ts";

/** The paper's four worlds. */
export const PAPER_WORLDS = ["connect_four_v0", "pong_v0", "doudizhu_v0", "highway_fast_v0"] as const;

/** Environment steps of training in worlds that studies of sharing do not know. */
const TRAINING: Readonly<Record<string, number>> = { pong_v0: 5_000_000, doudizhu_v0: 2_000_000 };
/** Held-out episodes per figure that takes play: fewer where an episode is thousands of decisions, or agents are many. */
const EPISODES: Readonly<Record<string, number>> = { pong_v0: 64, doudizhu_v0: 128, highway_fast_v0: 128 };
/** A game of Doudizhu has up to dozens of legal actions to be played out from each decision. */
const TRUTH: Readonly<Record<string, object>> = { doudizhu_v0: { rollouts: 16, batches: 2 } };
const QUICK = {
  training: { totalSteps: 100_000 },
  evaluation: { states: 100, pilotRollouts: 2, rollouts: 8, batches: 1, paperSeeds: 2 },
};

/**
 * Policies and truths that studies of explainers have in common with those of sharing: each is made once for all of them.
 *
 * @returns what is set for a world; presets below it
 */
export function explainedConfig(id: string, size: Size): ConfigInput {
  const base = sharingConfig(id, size);
  const most = EPISODES[id] ?? 400;
  const episodes = size === "quick" ? Math.min(most, 48) : most;
  const own = size === "default" && TRAINING[id] !== undefined ? { training: { totalSteps: TRAINING[id] } } : {};
  return {
    ...base,
    ...own,
    ...(size === "quick" && { training: QUICK.training }),
    evaluation: {
      ...base.evaluation,
      ...TRUTH[id],
      ...(size === "quick" && QUICK.evaluation),
      episodes,
      dropEpisodes: episodes,
    },
  };
}

/** Of the steps of a post-hoc pass, as many as each explainer learns from. */
export const BUDGETS: Readonly<Record<Size, number>> = { quick: 20_000, default: 100_000, paper: 1_000_000 };
