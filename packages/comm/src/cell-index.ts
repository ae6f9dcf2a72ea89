/** Entries of σ that span the grid: entropy, largest probability, value and three projected features. */
const AXES = [0, 1, 3, 4, 5, 6] as const;

export interface CellIndex {
  /** Files `row` under a key and a signature. */
  add(row: number, key: number, signatures: Int8Array, offset: number): void;
  remove(row: number): void;
  /** Visits the rows of the same key in the same cell that were filed last, `most` of them at most. */
  near(key: number, signatures: Int8Array, offset: number, most: number, visit: (row: number) => void): void;
  clear(): void;
}

/**
 * Finds rows with close signatures without looking at all of them: rows hang in chains, one for each cell of a grid over
 * six entries of σ.
 *
 * @param capacity rows are 0 … capacity − 1
 * @param width of a cell in quanta of σ, ≥ 1
 */
export function createCellIndex(capacity: number, width: number): CellIndex {
  const mask = (1 << Math.ceil(Math.log2(2 * capacity))) - 1;
  const first = new Int32Array(mask + 1).fill(-1);
  const next = new Int32Array(capacity);
  const previous = new Int32Array(capacity);
  /** [R] hash of key and cell: 32 bits tell them apart, the lowest choose the chain. */
  const hashes = new Int32Array(capacity);

  const hashOf = (key: number, signatures: Int8Array, offset: number) => {
    let hash = Math.imul(key + 1, 0x85ebca6b);
    for (let axis = 0; axis < AXES.length; axis++) {
      const cell = Math.floor((signatures[offset + AXES[axis]] + 128) / width);
      hash = Math.imul(hash ^ (hash >>> 15) ^ cell, 0x9e3779b1);
    }
    return hash ^ (hash >>> 15);
  };

  return {
    add(row, key, signatures, offset) {
      const hash = hashOf(key, signatures, offset);
      const head = first[hash & mask];
      hashes[row] = hash;
      previous[row] = -1;
      next[row] = head;
      if (head >= 0) previous[head] = row;
      first[hash & mask] = row;
    },
    remove(row) {
      if (previous[row] >= 0) next[previous[row]] = next[row];
      else first[hashes[row] & mask] = next[row];
      if (next[row] >= 0) previous[next[row]] = previous[row];
    },
    near(key, signatures, offset, most, visit) {
      const hash = hashOf(key, signatures, offset);
      for (let row = first[hash & mask], left = most; row >= 0 && left > 0; row = next[row]) {
        if (hashes[row] !== hash) continue;
        visit(row);
        left--;
      }
    },
    clear: () => void first.fill(-1),
  };
}
