import type { EnvironmentSpec } from "@magic-mask/core";
import type { CriticalRecord } from "../record.ts";
import type { StateArrays } from "../state.ts";

/** What a hostile agent tells its peers instead of the truth. What it keeps for itself stays true. */
export interface Adversary {
  readonly name: string;
  /**
   * The messages that go out to every peer at a broadcast.
   *
   * @param records what an honest agent would tell
   * @param tick of the broadcast
   */
  speak(records: readonly Readonly<CriticalRecord>[], tick: number): Uint8Array[];
  /** What reaches the agent, as it comes. Absent where it does not listen. */
  hear?(bytes: Uint8Array): void;
  /** What it remembers. */
  exportState(): StateArrays;
  restoreState(state: StateArrays): void;
}

export interface AdversaryOptions {
  readonly spec: EnvironmentSpec;
  /** Who is hostile. */
  readonly agent: number;
  /** L, entries of a signature; those of σ by default. */
  readonly signatureLength?: number;
  /** Root of its chance. */
  readonly seed: number;
}

export type CreateAdversary = (options: AdversaryOptions) => Adversary;

/** Of an adversary that remembers nothing. */
export const stateless = { exportState: (): StateArrays => ({}), restoreState() {} };
