import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { createCellIndex } from "./cell-index.ts";

/** Entries within a few quanta of each other, so that cells are shared. */
const near = fc.array(fc.integer({ min: -2, max: 2 }), { minLength: 16, maxLength: 16 });
const signature = fc.oneof(
  near.map((entries) => Int8Array.from(entries)),
  fc.int8Array({ minLength: 16, maxLength: 16 }),
);
const rows = fc.array(fc.tuple(fc.nat(1), signature), { minLength: 1, maxLength: 30 });

describe("cell index", () => {
  it("visits the filed rows of a key and cell, the newest first, up to a number, and no others", () => {
    const orders = rows.chain((filed) => fc.tuple(fc.constant(filed), fc.shuffledSubarray([...filed.keys()])));
    fc.assert(
      fc.property(
        orders,
        fc.integer({ min: 1, max: 256 }),
        fc.integer({ min: 1, max: 40 }),
        signature,
        (drawn, width, most, sought) => {
          const [filed, removed] = drawn;
          const index = createCellIndex(filed.length, width);
          for (const [row, [key, sigma]] of filed.entries()) index.add(row, key, sigma, 0);
          for (const row of removed) index.remove(row);
          const cell = (sigma: Int8Array) => [0, 1, 3, 4, 5, 6].map((k) => Math.floor((sigma[k] + 128) / width)).join();
          const wanted = filed.flatMap(([key, sigma], row) =>
            key === 1 && !removed.includes(row) && cell(sigma) === cell(sought) ? [row] : [],
          );
          const visited: number[] = [];
          index.near(1, sought, 0, most, (row) => visited.push(row));
          expect(visited).toEqual(wanted.reverse().slice(0, most));
          index.clear();
          index.near(1, sought, 0, most, () => {
            throw new Error("cleared");
          });
        },
      ),
      { numRuns: 300 },
    );
  });

  it("reads signatures at their offset", () => {
    const signatures = Int8Array.from({ length: 48 }, (_, i) => 40 * Math.floor(i / 16));
    const index = createCellIndex(3, 10);
    for (let row = 0; row < 3; row++) index.add(row, 0, signatures, 16 * row);
    const visited: number[] = [];
    index.near(0, signatures, 16, 9, (row) => visited.push(row));
    expect(visited).toEqual([1]);
  });
});
