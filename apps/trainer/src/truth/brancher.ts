import { setImmediate } from "node:timers/promises";
import type { LearnerState } from "@magic-mask/core";
import { startThread } from "@magic-mask/core/threads";
import { branchingTruth, joinTruth, type States, type Truth, type TruthOptions } from "@magic-mask/metrics";
import { learnersOf, type Team, type World } from "../assemble.ts";
import type { Config } from "../config.ts";
import type { BranchServerOptions } from "./server.ts";

/** Which rollouts to make: what of `TruthOptions` is not a matter of world, players or states. */
export type Branching = Pick<TruthOptions, "rollouts" | "batch" | "seed" | "discount">;

/** Makes truth, here or on worker threads: the same figures anywhere, as states are cut into the same slices. */
export interface Brancher {
  /** @param onProgress told the share of the states that are done, in (0, 1] */
  branch(states: States, branching: Branching, onProgress?: (share: number) => void): Promise<Truth>;
  /** Ends its threads. */
  close(): Promise<void>;
}

/** Slices of truth in the order in which they are asked for: what an earlier try has made is not made again. */
export interface SliceStore {
  /** The next one, if it is there. */
  next(): Truth | undefined;
  /** Keeps the one that was not. */
  add(part: Truth): Promise<void>;
}

/** States per slice: what a worker does before it is asked again. */
const SLICE = 25;

/**
 * Branches in this thread.
 *
 * @param policies [N] who plays which agent
 * @param store of one truth: whatever is asked of this brancher is asked in the same order in every try
 */
export function createBrancher(
  { make }: Pick<World, "make">,
  policies: TruthOptions["policies"],
  store?: SliceStore,
): Brancher {
  return {
    async branch(states, branching, onProgress = () => {}) {
      const parts: Truth[] = [];
      for (const slice of slicesOf(states.count)) {
        const known = store?.next();
        const part = known ?? branchingTruth({ ...branching, ...slice, make, policies, states });
        if (!known) await store?.add(part);
        parts.push(part);
        onProgress((slice.first + slice.count) / states.count);
        // Here signals get through.
        await setImmediate();
      }
      return joinTruth(parts);
    },
    async close() {},
  };
}

/**
 * Branches on worker threads, which build world and players from the configuration and take the learners' parameters as they are
 * now. Whoever is done with a slice takes the next.
 *
 * @param backend name of the backend that the learners are of
 * @param workers W ≥ 1
 */
export function createWorkerBrancher(
  config: Config,
  team: Pick<Team, "learners">,
  backend: string,
  workers: number,
): Brancher {
  const parameters: LearnerState[] = learnersOf(team).map(({ learner }) => learner.exportState());
  const options: BranchServerOptions = { config, backend, parameters };
  const threads = Array.from({ length: workers }, () =>
    startThread({ module: SERVER, export: "openBranches", options }),
  );
  return {
    async branch(states, branching, onProgress = () => {}) {
      const slices = slicesOf(states.count);
      const parts: Truth[] = new Array(slices.length);
      let [next, done] = [0, 0];
      const work = async (thread: (typeof threads)[number]) => {
        if (next >= slices.length) return;
        await thread.call<void>("hold", states);
        while (next < slices.length) {
          const k = next++;
          parts[k] = await thread.call<Truth>("branch", { ...branching, ...slices[k] });
          done += slices[k].count;
          onProgress(done / states.count);
        }
      };
      // All have come to rest before an error is passed on.
      const failed = (await Promise.allSettled(threads.map(work))).find(({ status }) => status === "rejected");
      if (failed) throw (failed as PromiseRejectedResult).reason;
      return joinTruth(parts);
    },
    async close() {
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}

function slicesOf(states: number): { readonly first: number; readonly count: number }[] {
  return Array.from({ length: Math.ceil(states / SLICE) }, (_, k) => ({
    first: k * SLICE,
    count: Math.min(SLICE, states - k * SLICE),
  }));
}

/** Beside this file in the source; beside the program, where this is a part of, in the build. */
const SERVER = new URL(import.meta.url.endsWith(".ts") ? "./server.ts" : "./truth/server.js", import.meta.url).href;
