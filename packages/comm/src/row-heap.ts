export interface RowHeap {
  /** The first of all rows in the order; at least one must have been added. */
  first(): number;
  /** The first k rows in order, or all if they are fewer: in time that grows with k alone. */
  leading(k: number): Int32Array;
  add(row: number): void;
  /** To be called when the place of `row` in the order has changed. */
  moved(row: number): void;
  clear(): void;
}

/**
 * A binary heap over row numbers, which keeps the first one at hand.
 *
 * @param capacity rows are 0 … capacity − 1
 * @param before whether row a comes before row b: a total order, so that the answer never depends on the heap's history
 */
export function createRowHeap(capacity: number, before: (a: number, b: number) => boolean): RowHeap {
  const heap = new Int32Array(capacity);
  const place = new Int32Array(capacity);
  let size = 0;

  const put = (row: number, at: number) => {
    heap[at] = row;
    place[row] = at;
  };
  const settle = (row: number, at: number) => {
    for (let parent = (at - 1) >> 1; at > 0 && before(row, heap[parent]); parent = (at - 1) >> 1) {
      put(heap[parent], at);
      at = parent;
    }
    for (let child = 2 * at + 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && before(heap[child + 1], heap[child])) child++;
      if (!before(heap[child], row)) break;
      put(heap[child], at);
      at = child;
    }
    put(row, at);
  };

  return {
    first: () => heap[0],
    leading(k) {
      const found = new Int32Array(Math.min(k, size));
      // Places whose parents are found already, the best first.
      const border = size > 0 ? [0] : [];
      for (let i = 0; i < found.length; i++) {
        const at = border.shift() as number;
        found[i] = heap[at];
        for (const child of [2 * at + 1, 2 * at + 2]) {
          if (child >= size) continue;
          const later = border.findIndex((other) => before(heap[child], heap[other]));
          border.splice(later < 0 ? border.length : later, 0, child);
        }
      }
      return found;
    },
    add: (row) => settle(row, size++),
    moved: (row) => settle(row, place[row]),
    clear() {
      size = 0;
    },
  };
}
