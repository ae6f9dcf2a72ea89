import { MagicMaskError } from "@magic-mask/core";
import { SIGNATURE_LENGTH } from "./signature.ts";

/** What an agent tells, or remembers, of one of its decisions. */
export interface CriticalRecord {
  /** Whose decision it was, 0 … 255. */
  agent: number;
  /** Number of its role, see `roleNumbers`. */
  role: number;
  /** Updates that its policy had taken; a 32-bit integer, as are the next two. */
  policyVersion: number;
  /** Collector tick. */
  step: number;
  /** Names the episode in the whole run: all agents in it give it the same number. */
  episode: number;
  /** Whether the action was drawn from the perturbation ν. */
  blinded: boolean;
  /** σ, or the longer `features`; see `Signature`. */
  signature: Int8Array;
  /** Four bytes: the action taken, see `actionCode`. */
  action: number;
  /** ln π(a∣o) ≤ 0; of a density less `highestDensity`. */
  logProb: number;
  /** ln ν(a∣o) ≤ 0, likewise. */
  perturbationLogProb: number;
  /** p in [0, 1], the probability with which the agent was to be blinded here. */
  blindProbability: number;
  /** y − V(o): one sample of the advantage of the action, in the game's units. */
  advantage: number;
  /** Mask m in [0, 1]: the rank of the state's criticality for its agent. */
  rank: number;
}

/** A record to be written over. @param length of its signature */
export const emptyRecord = (length: number = SIGNATURE_LENGTH): CriticalRecord => ({
  agent: 0,
  role: 0,
  policyVersion: 0,
  step: 0,
  episode: 0,
  blinded: false,
  signature: new Int8Array(length),
  action: 0,
  logProb: 0,
  perturbationLogProb: 0,
  blindProbability: 0,
  advantage: 0,
  rank: 0,
});

/** Rounding may lift the logarithm of a probability this far above 0. */
const LOG_SLACK = 1e-3;
const WORD = 4294967295;
const LARGEST_FLOAT32 = 3.4028234663852886e38;

/**
 * Lets a record pass whose fields are all in range.
 *
 * @param length that its signature is to have
 * @throws not-finite for a NaN or an infinite advantage; invalid-option for any other value out of range
 */
export function checkRecord(source: string, record: Readonly<CriticalRecord>, length: number): void {
  const { advantage, logProb, perturbationLogProb, blindProbability, rank } = record;
  if (!(Math.abs(advantage) <= LARGEST_FLOAT32)) refuse(source, "advantage", "finite", advantage);
  if (!(logProb <= LOG_SLACK)) refuse(source, "logProb", "≤ 0", logProb);
  if (!(perturbationLogProb <= LOG_SLACK)) refuse(source, "perturbationLogProb", "≤ 0", perturbationLogProb);
  if (!(blindProbability >= 0 && blindProbability <= 1))
    refuse(source, "blindProbability", "in [0, 1]", blindProbability);
  if (!(rank >= 0 && rank <= 1)) refuse(source, "rank", "in [0, 1]", rank);
  if (!isWhole(record.agent, 255)) refuse(source, "agent", "a whole number in [0, 255]", record.agent);
  if (!isWhole(record.role, 255)) refuse(source, "role", "a whole number in [0, 255]", record.role);
  if (!isWhole(record.policyVersion, WORD))
    refuse(source, "policyVersion", "a 32-bit whole number", record.policyVersion);
  if (!isWhole(record.step, WORD)) refuse(source, "step", "a 32-bit whole number", record.step);
  if (!isWhole(record.episode, WORD)) refuse(source, "episode", "a 32-bit whole number", record.episode);
  if (!isWhole(record.action, WORD)) refuse(source, "action", "a 32-bit whole number", record.action);
  if (record.signature.length !== length) {
    throw new MagicMaskError(
      "shape-mismatch",
      source,
      `signature must have ${length} entries, got ${record.signature.length}`,
    );
  }
}

const isWhole = (x: number, high: number) => x >= 0 && x <= high && Math.floor(x) === x;

function refuse(source: string, field: string, wanted: string, got: number): never {
  throw new MagicMaskError(
    Number.isFinite(got) ? "invalid-option" : "not-finite",
    source,
    `${field} must be ${wanted}, got ${got}`,
  );
}
