import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { createRowHeap } from "./row-heap.ts";

describe("row heap", () => {
  it("knows the least row after any additions and changes", () => {
    const changes = fc.array(fc.tuple(fc.nat(7), fc.nat(5)), { maxLength: 40 });
    fc.assert(
      fc.property(fc.array(fc.nat(5), { minLength: 8, maxLength: 8 }), changes, (keys, moves) => {
        // Equal keys are ordered by row.
        const heap = createRowHeap(8, (a, b) => keys[a] < keys[b] || (keys[a] === keys[b] && a < b));
        const least = (rows: number) => keys.slice(0, rows).indexOf(Math.min(...keys.slice(0, rows)));
        for (let row = 0; row < 8; row++) {
          heap.add(row);
          expect(heap.first()).toBe(least(row + 1));
        }
        for (const [row, key] of moves) {
          keys[row] = key;
          heap.moved(row);
          expect(heap.first()).toBe(least(8));
          const order = [...keys.keys()].sort((a, b) => keys[a] - keys[b] || a - b);
          for (const k of [0, 3, 8, 9]) expect([...heap.leading(k)]).toEqual(order.slice(0, k));
        }
        heap.clear();
        expect([...heap.leading(2)]).toEqual([]);
        heap.add(5);
        expect(heap.first()).toBe(5);
      }),
    );
  });
});
