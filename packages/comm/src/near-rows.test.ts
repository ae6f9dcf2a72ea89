import { describe, expect, it } from "@jest/globals";
import { stream } from "@magic-mask/core";
import { createNearRows } from "./near-rows.ts";

describe("near rows", () => {
  const LENGTH = 28;
  const ROWS = 6000;
  /** Half-byte entries that three numbers tell, the most of them in one of three or four levels: as signatures are. */
  const signatures = (() => {
    const random = stream(1);
    const rows = new Int8Array(ROWS * LENGTH);
    for (let row = 0; row < ROWS; row++) {
      const z = [random.normal(), random.normal(), random.normal()];
      for (let k = 0; k < LENGTH; k++) {
        const entry = Math.round(z[k % 3] + 0.5 * z[(k + 1) % 3]);
        rows[row * LENGTH + k] = 18 * Math.max(-7, Math.min(7, entry));
      }
    }
    return rows;
  })();
  const signatureOf = (row: number) => signatures.subarray(row * LENGTH, (row + 1) * LENGTH);

  /** Squared distance to the nearest row, and how many rows were looked at. */
  const nearest = (near: ReturnType<typeof createNearRows>, signature: Int8Array) => {
    let [best, looks] = [Number.POSITIVE_INFINITY, 0];
    near.visit(
      signature,
      () => best,
      (row) => {
        looks++;
        const d = signatureOf(row).reduce((sum, entry, k) => sum + (entry - signature[k]) ** 2, 0);
        best = Math.min(best, d);
      },
    );
    return { best, looks };
  };

  it("looks at all rows until they are sorted in, and then at few", () => {
    const near = createNearRows(ROWS, signatures, LENGTH);
    const known = Array.from({ length: ROWS - 300 }, (_, row) => row);
    for (const row of known) near.changed(row);
    const asked = Array.from({ length: 300 }, (_, i) => signatureOf(known.length + i));
    const answers = asked.map((signature) => nearest(near, signature));
    expect(answers[0].looks).toBe(known.length);
    // Sorted in when 128 looks at each were needed.
    const later = answers.slice(140);
    const mean = later.reduce((sum, { looks }) => sum + looks, 0) / later.length;
    expect(mean).toBeLessThan(known.length / 30);
    const scanned = asked.map((signature) => nearest(everyRow(known), signature).best);
    expect(answers.map(({ best }) => best)).toEqual(scanned);
  });

  it("sorts in rows that are all alike, and rows that all but one are", () => {
    const same = new Int8Array(100 * 8);
    same[8 * 99 + 3] = 5;
    const near = createNearRows(100, same, 8);
    for (let row = 0; row < 100; row++) near.changed(row);
    const seen = () => {
      const rows = new Set<number>();
      near.visit(
        new Int8Array(8),
        () => Number.POSITIVE_INFINITY,
        (row) => rows.add(row),
      );
      return rows.size;
    };
    expect(Array.from({ length: 140 }, seen)).toEqual(Array(140).fill(100));
  });

  /** What looks at every one of them. */
  const everyRow = (rows: readonly number[]): ReturnType<typeof createNearRows> => ({
    changed() {},
    clear() {},
    visit: (_, __, look) => rows.forEach(look),
  });
});
