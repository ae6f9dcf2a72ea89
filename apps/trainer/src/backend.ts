import { availableParallelism } from "node:os";
import { type SelectedBackend, selectBackend, type Work } from "@magic-mask/networks";
import { nodeBackends } from "@magic-mask/networks/node";
import { fusedThreads } from "@magic-mask/networks/workers";
import type { Config } from "./config.ts";

/** What runs the networks, and how many threads there are for it and for playing. */
export interface Backend extends SelectedBackend {
  /** W; 0 where all is done in the main thread. */
  readonly workers: number;
  /** Ends its threads. */
  close(): Promise<void>;
}

/** More would wait: for the eight shards that copies are split into by default, and for the few nets that learn at once. */
const MOST = 8;

/**
 * Loads the backend that a configuration asks for.
 *
 * @param config `workers: auto` means as many as the machine runs at once, up to 8, and none where that is one or where the
 *   backend is tfjs, whose native kinds a process can load once only
 * @param work what it will mostly do: the choice of `auto` is by it
 * @throws unknown-name; unsupported if it cannot be had here
 */
export async function loadBackend(config: Pick<Config, "backend" | "workers">, work: Work): Promise<Backend> {
  const wanted = threadsFor(config.workers);
  const threads = wanted > 0 ? fusedThreads(wanted) : undefined;
  const from = threads ? { ...nodeBackends, fused: threads } : nodeBackends;
  const backend = await selectBackend({ work, from, prefer: config.backend === "auto" ? undefined : config.backend });
  return { ...backend, workers: workersFor(config.workers, backend.name), close: async () => threads?.close() };
}

/** How many worker threads a setting means for a backend. */
export const workersFor = (workers: Config["workers"], backend: string): number =>
  workers === "auto" && backend !== "fused" ? 0 : threadsFor(workers);

function threadsFor(workers: Config["workers"]): number {
  const cores = availableParallelism();
  return workers === "auto" ? (cores > 1 ? Math.min(cores, MOST) : 0) : workers;
}
