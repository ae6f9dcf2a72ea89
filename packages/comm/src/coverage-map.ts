import type { RecordBuffer } from "./buffer.ts";
import type { Trust } from "./trust.ts";

/** How well one agent's peers have settled the states around a signature. */
export interface CoverageMap {
  /** Makes the map of what the buffer holds now. @param now collector tick */
  refresh(now: number): void;
  /**
   * [N] weight of each peer's records in the cell of the signature at `signatures[offset …]`; one fresh record of a trusted peer counts
   * 1. Undefined where there are none.
   */
  at(signatures: Int8Array, offset: number): Float64Array | undefined;
}

/** Entries of σ that span the cells: entropy, largest probability, value and three projected features. */
const AXES = [0, 1, 3, 4, 5, 6] as const;
/** Quanta of σ: one bandwidth of a buffer by default. */
const WIDTH = 32;

/**
 * `RecordBuffer.coverage` made coarse, so that it can be asked at every decision: records count where they fall into the same cell
 * of a grid over six entries of σ, a bandwidth wide. Made in one pass over the buffer; a question costs one look at a table.
 *
 * @param agents N
 * @param agent whose buffer it is: its own records do not count
 * @param trust what a record of each peer counts, as it stands when the map is made; all count alike without
 */
export function createCoverageMap(
  buffer: RecordBuffer,
  agents: number,
  agent: number,
  trust?: Pick<Trust, "weights">,
): CoverageMap {
  const cells = new Map<number, Float64Array>();

  const cellOf = (signatures: Int8Array, offset: number) => {
    let cell = 0;
    // Eight steps of 32 quanta from −128 to 127: three bits each.
    for (let axis = 0; axis < AXES.length; axis++) {
      cell = 8 * cell + Math.floor((signatures[offset + AXES[axis]] + 128) / WIDTH);
    }
    return cell;
  };

  return {
    refresh(now) {
      cells.clear();
      const { rows } = buffer;
      for (let row = 0; row < rows.length; row++) {
        const sender = rows.agents[row];
        if (sender === agent) continue;
        const cell = cellOf(rows.signatures, row * buffer.signatureLength);
        const weights = cells.get(cell) ?? new Float64Array(agents);
        cells.set(cell, weights);
        weights[sender] += buffer.weight(row, now) * (trust ? trust.weights[sender] : 1);
      }
    },
    at: (signatures, offset) => cells.get(cellOf(signatures, offset)),
  };
}
