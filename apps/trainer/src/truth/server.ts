/** What a worker thread runs to make truth; `brancher.ts` names this file. */
import { type LearnerState, MagicMaskError } from "@magic-mask/core";
import { branchingTruth, type States, type Truth } from "@magic-mask/metrics";
import { assembleTeam, assembleWorld, policyWork } from "../assemble.ts";
import { loadBackend } from "../backend.ts";
import type { Config } from "../config.ts";
import type { Branching } from "./brancher.ts";

/** As structured cloning carries them. */
export interface BranchServerOptions {
  readonly config: Config;
  /** Name of the backend that the main thread has. */
  readonly backend: string;
  /** [L] of the learners. */
  readonly parameters: readonly LearnerState[];
}

interface BranchServer {
  /** Takes the states that calls of `branch` are about from now on. */
  hold(states: States): void;
  /** @throws out-of-order before `hold`; as `branchingTruth` */
  branch(slice: Branching & { readonly first: number; readonly count: number }): Truth;
}

/** Builds world and players anew. @throws as `assembleTeam` */
export async function openBranches({ config, backend, parameters }: BranchServerOptions): Promise<BranchServer> {
  const world = assembleWorld(config);
  const own = { backend: backend as Config["backend"], workers: 0 };
  const { create } = await loadBackend(own, policyWork(config, world));
  const { learners, players } = assembleTeam(config, world, create);
  learners.forEach(({ learner }, k) => {
    learner.restoreState(parameters[k]);
  });
  const policies = players.map((k) => learners[k].policy);
  let held: States | undefined;
  return {
    hold(states) {
      held = states;
    },
    branch(slice) {
      if (!held) throw new MagicMaskError("out-of-order", "trainer/truth", "hold states before branching from them");
      return branchingTruth({ ...slice, make: world.make, policies, states: held });
    },
  };
}
