/** What `run.json` in a run folder holds: enough to know what ran, where, and whether two runs were the same run. */
export interface RunRecord {
  readonly format: 1;
  /** Name of the run folder. */
  readonly id: string;
  /** Id of the environment. */
  readonly environment: string;
  readonly seed: number;
  /** The resolved configuration. */
  readonly config: unknown;
  /** Versions of the software, by name. */
  readonly versions: Readonly<Record<string, string>>;
  /** Git commit of the software; null outside a checkout. */
  readonly commit: string | null;
  readonly host: {
    readonly platform: string;
    readonly architecture: string;
    readonly cpus: number;
    readonly cpu: string;
    /** Worker threads beside the main one; nothing but the time depends on it. */
    readonly workers: number;
  };
  /** What runs the networks, and why it was taken. */
  readonly backend: { readonly name: string; readonly reason: string };
  /** `trained`: the policies are final, their post-hoc explanation is still to come. */
  readonly state: "running" | "interrupted" | "failed" | "trained" | "finished";
  /** Environment steps taken, over all copies. */
  readonly steps: number;
  /** Digest of every action, reward and ending so far; equal for equal runs on one backend, CPU architecture and Node major. */
  readonly trajectoryHash: string;
  /**
   * Each time that figures were made on the test states, in order: methods are tuned on the development states, which leave no
   * trace here. Older records have none.
   */
  readonly testLooks: readonly { readonly at: string; readonly command: string }[];
  /** What training warned of, once each, in order. Older records have none. */
  readonly warnings: readonly RunWarning[];
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly updatedAt: string;
}

/** A figure that was beyond its limit while a run trained, in words. */
export interface RunWarning {
  /** Environment steps taken when it was first seen. */
  readonly steps: number;
  /** Which figure. */
  readonly what: string;
  readonly value: string;
  /** When there is something wrong. */
  readonly limit: string;
  /** What to do. */
  readonly advice: string;
}
