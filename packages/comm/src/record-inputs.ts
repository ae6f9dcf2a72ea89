import type { ActionSpace } from "@magic-mask/core";
import { type ActionCode, actionCode } from "./action-code.ts";
import type { RecordBuffer } from "./buffer.ts";

/** ln π(a) is told from no lower value than this. */
const LOG_FLOOR = -10;
/** p counts as no less: whoever says that it is never blinded, but did what π hardly ever does, would else outweigh thousands. */
const LEAST_BLINDED = 0.005;

/** What a model that learns from records reads of one. */
export interface RecordInputs {
  /** D */
  readonly width: number;
  readonly code: ActionCode;
  /** Writes row `row` of `out` [· × D]: σ / 127 from `signatures[offset …]`, the action, ln π(a) no lower than −10, π(a). */
  write(out: Float32Array, row: number, signatures: Int8Array, offset: number, action: number, logProb: number): void;
}

/** @param length L, entries of a signature @throws unsupported as `actionCode` */
export function recordInputs(space: ActionSpace, length: number): RecordInputs {
  const code = actionCode(space);
  const width = length + code.width + 2;
  return {
    width,
    code,
    write(out, row, signatures, offset, action, logProb) {
      const at = row * width;
      for (let k = 0; k < length; k++) out[at + k] = signatures[offset + k] / 127;
      code.describe(action, out, at + length);
      out[at + width - 2] = Math.max(LOG_FLOOR, logProb);
      out[at + width - 1] = Math.exp(logProb);
    },
  };
}

/** How much rows of a buffer count, whoever sent them. */
export interface RecordWeights {
  /** To be called before the others, whenever the buffer has changed. @param now collector tick */
  begin(now: number): void;
  /** (½π + ½ν)(a) / b(a), b = (1 − p)π + pν, p ≥ .005: lets a row count as if π and ν had drawn the action equally often. At most 101. */
  balance(row: number): number;
  /** ½^(versions behind its sender's newest / half-life) · the row's weight in the buffer. */
  presence(row: number): number;
}

/** @param versionHalfLife updates of a sender's policy after which its older records count half */
export function recordWeights(buffer: RecordBuffer, senders: number, versionHalfLife: number): RecordWeights {
  const newest = new Float64Array(senders);
  let now = 0;
  return {
    begin(tick) {
      now = tick;
      const { rows } = buffer;
      newest.fill(0);
      for (let row = 0; row < rows.length; row++) {
        newest[rows.agents[row]] = Math.max(newest[rows.agents[row]], rows.policyVersions[row]);
      }
    },
    balance(row) {
      const { logProbs, perturbationLogProbs, blindProbability } = buffer.rows;
      const pi = Math.exp(Math.max(LOG_FLOOR, logProbs[row]));
      const nu = Math.exp(perturbationLogProbs[row]);
      const p = Math.max(LEAST_BLINDED, blindProbability[row]);
      return (pi + nu) / 2 / ((1 - p) * pi + p * nu);
    },
    presence(row) {
      const { agents, policyVersions } = buffer.rows;
      const stale = (newest[agents[row]] - policyVersions[row]) / versionHalfLife;
      return Math.exp(-Math.LN2 * stale) * buffer.weight(row, now);
    },
  };
}
