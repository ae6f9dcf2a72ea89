import {
  boxSize,
  distributionOf,
  type Explainer,
  MagicMaskError,
  maskWidth,
  stream,
  type VectorEnvironment,
} from "@magic-mask/core";
import type { Critic } from "@magic-mask/masking";
import { branchingTruth, type Lookahead } from "@magic-mask/metrics";
import { postHocSeed } from "../posthoc.ts";
import { teamValuedBy } from "../valued-by.ts";
import type { FrozenTeam } from "./policies.ts";

/** What looks ahead from decisions as they are met. */
export interface LookingAlong {
  /** Of decisions of the copies that it was last shown, which must stand still meanwhile; `spread` is NaN for one continuation alone. */
  readonly explainer: Explainer;
  /** To be given to `play`. Chance begins anew: what is played the same way again is told the same. */
  watch(vector: VectorEnvironment): void;
}

/**
 * Looks ahead, as far and as often as was done for held-out decisions, from wherever the copies of a world stand in which an agent
 * plays: `lookahead` of metrics for decisions that are not known beforehand. The steps are what they are, no budget bounds them.
 *
 * @param critic whose V counts, where the policy gives none
 */
export function lookAlong(
  { config, world, policies }: FrozenTeam,
  agent: number,
  { rollouts, horizon }: Pick<Lookahead, "rollouts" | "horizon">,
  critic?: Pick<Critic, "values">,
): LookingAlong {
  const { make, spec } = world;
  const bytes = spec.snapshotBytes;
  const space = spec.actionSpaces[agent];
  const { width } = distributionOf(space);
  const valued = teamValuedBy(policies, agent, critic);
  let shown: VectorEnvironment | undefined;
  let looks = 0;
  return {
    watch(vector) {
      shown = vector;
      looks = 0;
    },
    explainer: {
      name: "lookahead",
      score(decisions, criticality, spread) {
        const { count, copies } = decisions;
        if (!shown || !copies) {
          const message = "these decisions are of no world that is being played; look ahead from held-out ones instead";
          throw new MagicMaskError("unsupported", "trainer/look-along", message);
        }
        if (count === 0) return;
        const snapshots = new Uint8Array(count * bytes);
        for (let row = 0; row < count; row++) shown.snapshot(copies[row], snapshots, row * bytes);
        const none = new Int32Array(count);
        const rows = (values: Float32Array, width: number) => values.subarray(0, count * width);
        // States are as long as they are many; what a table gathers is longer.
        const met = {
          ...decisions,
          observations: rows(decisions.observations, boxSize(spec.observationSpaces[agent])),
          legal: decisions.legal.subarray(0, count * maskWidth(space)),
          policy: rows(decisions.policy, width),
          perturbation: rows(decisions.perturbation, width),
        };
        const told = branchingTruth({
          make,
          policies: valued,
          states: { count, decisions: met, snapshots, episodes: none, ticks: none },
          rollouts,
          horizon,
          bootstrap: true,
          seed: stream(postHocSeed(config), "look-along", agent, looks++).bits(),
          discount: config.training.discount,
        });
        criticality.set(told.criticality);
        spread.set(told.standardError);
      },
    },
  };
}
