import type { Policy } from "@magic-mask/core";
import type { Critic, MaskLearner } from "@magic-mask/masking";
import type { World } from "../assemble.ts";
import type { LoadedRun } from "../load-run.ts";
import { valuedBy } from "../valued-by.ts";
import type { EpisodeExplanation } from "./explanation.ts";

/** A team whose play is explained, and what explains it, wherever they are from. */
export interface Subject {
  readonly world: World;
  /** [N]; V is the policy's own, or the critic's where it was trained elsewhere. */
  readonly policies: readonly Policy[];
  /** [N] */
  readonly masks: readonly Pick<MaskLearner, "explainer" | "mask">[];
  /** [N] */
  readonly critics: readonly Pick<Critic, "values">[];
  /** γ per decision of an agent's own. */
  readonly discount: number;
  readonly source: Pick<EpisodeExplanation["source"], "run" | "environment" | "seed" | "hash">;
}

export function subjectOf({ config, record, world, team, postHoc }: LoadedRun): Subject {
  return {
    world,
    policies: team.players.map((k, agent) => {
      const { policy, origin } = team.learners[k];
      return origin ? valuedBy(policy, postHoc.explanation.critics[agent]) : policy;
    }),
    masks: postHoc.explanation.masks,
    critics: postHoc.explanation.critics,
    discount: config.training.discount,
    source: { run: record.id, environment: config.environment, seed: config.seed, hash: record.trajectoryHash },
  };
}
