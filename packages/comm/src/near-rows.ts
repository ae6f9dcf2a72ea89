/** Rows of a leaf. */
const LEAF = 32;
/** Looks at single rows that take as long as it takes to sort one row in. */
const SORTING = 128;

export interface NearRows {
  /** Says that `row` holds another signature than before, or its first. */
  changed(row: number): void;
  /**
   * Visits every row whose signature may lie within `reach()` of `signature`, each once, in any order: others may be visited as well.
   *
   * @param reach squared distance in quanta, asked again and again: it may shrink on the way; nothing is within a negative one
   */
  visit(signature: Int8Array, reach: () => number, look: (row: number) => void): void;
  clear(): void;
}

/**
 * Finds rows with near signatures, in microseconds at 10⁵ rows if there are any: a k-d partition (Bentley 1975,
 * doi:10.1145/361002.361007) whose leaves are passed over where their boxes lie out of reach. Nodes are cut where their entries vary
most, between two values: many rows have the same few, and a cut through equal ones keeps nothing apart. Rows that have changed since it was made
 * are looked at one by one, until that has taken as long as to make it anew takes. What is found does not depend on when that was.
 *
 * @param capacity rows are 0 … capacity − 1
 * @param signatures [capacity × length]
 */
export function createNearRows(capacity: number, signatures: Int8Array, length: number): NearRows {
  /** [R] rows; a node is begins … ends of it. */
  let order = new Int32Array(0);
  /** [nodes] each before its lower half, and that before the upper one, which is at `uppers`: 0 for a leaf. */
  let begins: number[] = [];
  let ends: number[] = [];
  let uppers: number[] = [];
  /** [nodes × 2L] lowest entries, then highest. */
  let boxes = new Int8Array(0);
  const isLate = new Uint8Array(capacity);
  const late: number[] = [];
  /** Looks at late rows since the partition was made. */
  let looks = 0;
  /** Rows in use: 0 … used − 1. */
  let used = 0;

  /** Sorts rows by one entry, by counting: there are 256 values. */
  const sortBy = (rows: Int32Array, entry: number) => {
    const places = new Int32Array(257);
    for (const row of rows) places[signatures[row * length + entry] + 129]++;
    for (let value = 1; value < 257; value++) places[value] += places[value - 1];
    for (const row of rows.slice()) rows[places[signatures[row * length + entry] + 128]++] = row;
  };

  /** The place nearest to the middle of sorted rows, not all alike, before which the entry is less. */
  const borderOf = (rows: Int32Array, entry: number) => {
    const value = (i: number) => signatures[rows[i] * length + entry];
    const isBorder = (i: number) => i > 0 && i < rows.length && value(i - 1) < value(i);
    const middle = rows.length >> 1;
    let off = 0;
    while (!isBorder(middle - off) && !isBorder(middle + off)) off++;
    return isBorder(middle - off) ? middle - off : middle + off;
  };

  const rebuild = () => {
    order = Int32Array.from({ length: used }, (_, row) => row);
    [begins, ends, uppers] = [[], [], []];
    const corners: number[] = [];
    const low = new Int8Array(length);
    const high = new Int8Array(length);
    const sums = new Float64Array(length);
    const squares = new Float64Array(length);
    const split = (begin: number, end: number) => {
      const node = begins.push(begin) - 1;
      ends.push(end);
      uppers.push(0);
      const rows = order.subarray(begin, end);
      low.fill(127);
      high.fill(-128);
      sums.fill(0);
      squares.fill(0);
      for (const row of rows) {
        for (let k = 0; k < length; k++) {
          const value = signatures[row * length + k];
          if (value < low[k]) low[k] = value;
          if (value > high[k]) high[k] = value;
          sums[k] += value;
          squares[k] += value * value;
        }
      }
      corners.push(...low, ...high);
      if (rows.length <= LEAF) return;
      const varied = (k: number) => squares[k] - (sums[k] * sums[k]) / rows.length;
      let most = 0;
      for (let k = 1; k < length; k++) if (varied(k) > varied(most)) most = k;
      // All alike.
      if (low[most] === high[most]) return;
      sortBy(rows, most);
      const middle = begin + borderOf(rows, most);
      split(begin, middle);
      uppers[node] = begins.length;
      split(middle, end);
    };
    split(0, used);
    boxes = Int8Array.from(corners);
    late.length = 0;
    looks = 0;
    isLate.fill(0);
  };

  /** Squared distance from a box; once it exceeds `limit`, any number above that. */
  const away = (signature: Int8Array, node: number, limit: number) => {
    const at = node * 2 * length;
    let sum = 0;
    for (let k = 0; k < length && sum <= limit; k++) {
      const off = Math.max(boxes[at + k] - signature[k], signature[k] - boxes[at + length + k], 0);
      sum += off * off;
    }
    return sum;
  };

  return {
    changed(row) {
      used = Math.max(used, row + 1);
      if (isLate[row]) return;
      isLate[row] = 1;
      late.push(row);
    },
    visit(signature, reach, look) {
      if (looks > SORTING * used) rebuild();
      // The newest first: they may be enough.
      for (let i = late.length - 1; i >= 0 && reach() >= 0; i--) {
        look(late[i]);
        looks++;
      }
      const enter = (node: number, distance: number) => {
        if (distance > reach()) return;
        const upper = uppers[node];
        if (upper === 0) {
          for (let i = begins[node]; i < ends[node]; i++) if (!isLate[order[i]]) look(order[i]);
          return;
        }
        const limit = reach();
        const below = away(signature, node + 1, limit);
        const above = away(signature, upper, limit);
        // The nearer half first, so that a shrinking reach shuts the other out.
        if (below <= above) enter(node + 1, below);
        enter(upper, above);
        if (below > above) enter(node + 1, below);
      };
      if (begins.length > 0) enter(0, 0);
    },
    clear() {
      [begins, ends, uppers] = [[], [], []];
      late.length = 0;
      looks = 0;
      isLate.fill(0);
      used = 0;
    },
  };
}
