import type { ConfigInput } from "../../../config.ts";
import type { Size } from "../../study.ts";

/** Environment steps of training, where presets take hours. */
const TRAINING: Readonly<Record<string, number>> = {
  connect_four_v0: 2_000_000,
  simple_spread_v0: 1_000_000,
  simple_tag_v0: 1_000_000,
  highway_fast_v0: 500_000,
};
const QUICK = {
  training: { totalSteps: 300_000 },
  evaluation: { states: 250, pilotRollouts: 2, rollouts: 16, batches: 1 },
};

/**
 * Policies and truths that studies of sharing have in common, so that each is made once for all of them. Masks are those of
 * `advantage`: what is asked there is what records add to advantages that were learned.
 */
export function sharingConfig(id: string, size: Size): ConfigInput {
  const totalSteps = size === "paper" ? 10_000_000 : TRAINING[id];
  return {
    environment: { id },
    mask: { objective: "advantage" },
    evaluation: { states: 500 },
    ...(totalSteps !== undefined && { training: { totalSteps } }),
    ...(size === "quick" && QUICK),
  };
}
