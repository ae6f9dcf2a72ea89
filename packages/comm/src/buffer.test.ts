import { describe, expect, it } from "@jest/globals";
import { stream } from "@magic-mask/core";
import fc from "fast-check";
import { createRecordBuffer } from "./buffer.ts";
import type { CriticalRecord } from "./record.ts";
import { recordOf, signatureOf } from "./test-world.ts";

/** Squared distance in whole quanta first, so that equal distances give equal similarities. */
const similarityOf = (a: Int8Array, b: Int8Array, bandwidth: number) => {
  const d = Array.from(a).reduce((sum, x, k) => sum + (x - b[k]) ** 2, 0);
  return Math.exp(-d / (2 * (127 * bandwidth) ** 2));
};

/** With δ = .9, h = .2 the merge radius is 25.4·√(−2 ln .9) = 11.66 quanta, a cell four of them wide: 46.64 → 47. */
const cellOf = ({ signature }: CriticalRecord) =>
  [0, 1, 3, 4, 5, 6].map((k) => Math.floor((signature[k] + 128) / 47)).join();

/** Records in few places, so that many are near duplicates. */
const crowded: fc.Arbitrary<CriticalRecord> = fc
  .record({
    agent: fc.nat(1),
    action: fc.nat(1),
    step: fc.nat(400),
    place: fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 5, maxLength: 5 }),
    advantage: fc.double({ min: -3, max: 3, noNaN: true }),
    rank: fc.constantFrom(0, 0.25, 0.5, 1),
  })
  .map(({ place, ...fields }) => recordOf({ ...fields, signature: signatureOf(...place) }));

/** What a buffer must do, without an index, a heap or a running sum: each row is the list of records merged into it. */
function plainBuffer(capacity: number, similarity: number, bandwidth: number, halfLife: number) {
  const rows: { records: CriticalRecord[]; born: number }[] = [];
  let born = 0;
  const weight = (records: CriticalRecord[], now: number) =>
    records.reduce((sum, { step }) => sum + 2 ** (-(now - step) / halfLife), 0);
  return {
    rows,
    weight,
    /** Checks that `row` is where the record had to go, and puts it there. */
    follow(record: CriticalRecord, row: number) {
      const similarities = rows.map(({ records: [head] }) =>
        head.agent === record.agent && head.action === record.action && cellOf(head) === cellOf(record)
          ? similarityOf(head.signature, record.signature, bandwidth)
          : 0,
      );
      const best = Math.max(0, ...similarities);
      if (best >= similarity) {
        expect(row).toBe(similarities.indexOf(best));
        rows[row].records.push(record);
        return;
      }
      const fresh = { records: [record], born: born++ };
      if (rows.length < capacity) {
        expect(row).toBe(rows.length);
        rows.push(fresh);
        return;
      }
      const weights = rows.map(({ records }) => weight(records, 500));
      const least = Math.min(...weights);
      if (row < 0) {
        expect(weight([record], 500)).toBeLessThan(least * (1 + 1e-9));
        born--;
        return;
      }
      // Sums of several weights tie but for rounding; single ones tie exactly, and then the oldest goes.
      expect(weights[row]).toBeLessThan(least * (1 + 1e-9));
      expect(weight([record], 500)).toBeGreaterThan(least * (1 - 1e-9));
      const singles = rows.filter(({ records }, r) => records.length === 1 && weights[r] === weights[row]);
      if (rows[row].records.length === 1)
        expect(rows[row].born).toBe(Math.min(...singles.map((single) => single.born)));
      rows[row] = fresh;
    },
  };
}

describe("record buffer", () => {
  it("merges near duplicates and runs their statistics", () => {
    // h = .25 is 31.75 quanta; s ≥ .95 up to 31.75·√(−2 ln .95) = 10.17 quanta.
    const buffer = createRecordBuffer();
    const at = (x: number, advantage: number, more = {}) =>
      buffer.insert(recordOf({ signature: signatureOf(x), advantage, ...more }));
    expect(at(10, 1)).toBe(0);
    expect(at(20, 4)).toBe(0);
    expect(at(0, 4)).toBe(0);
    expect(at(21, 9)).toBe(1);
    // Mean of 1, 4, 4 is 3; squares 4 + 1 + 1 = 6, variance 6/2 = 3.
    expect([buffer.rows.counts[0], buffer.rows.means[0], buffer.rows.squares[0]]).toEqual([3, 3, 6]);
    // σ stays the first one's.
    expect(buffer.rows.signatures[0]).toBe(10);
    // Another action or another agent is another thing.
    expect(at(10, 1, { action: 1 })).toBe(2);
    expect(at(10, 1, { agent: 1 })).toBe(3);
    // 16 lies 6 from row 0 and 5 from row 1; 15 lies 5 and 6.
    expect(at(16, 9)).toBe(1);
    expect(at(15, 3)).toBe(0);
    // Cells are ⌈4 · 10.17⌉ = 41 quanta wide from −128 on: a border lies between 35 and 36.
    expect(at(35, 1)).toBe(4);
    expect(at(36, 1)).toBe(5);
  });

  it("keeps what the newest record said, whenever it arrives", () => {
    const buffer = createRecordBuffer({ halfLife: 100 });
    buffer.insert(recordOf({ step: 200, logProb: -1, rank: 0.5, policyVersion: 4 }));
    buffer.insert(recordOf({ step: 100, logProb: -2, rank: 0.1, policyVersion: 3 }));
    expect([
      buffer.rows.steps[0],
      buffer.rows.logProbs[0],
      buffer.rows.ranks[0],
      buffer.rows.policyVersions[0],
    ]).toEqual([200, -1, 0.5, 4]);
    // 1 + ½ at tick 200; 100 ticks later half of that, and one more.
    expect(buffer.rows.masses[0]).toBeCloseTo(1.5, 12);
    buffer.insert(recordOf({ step: 300, logProb: -3, rank: 0.75, policyVersion: 5 }));
    expect([
      buffer.rows.steps[0],
      buffer.rows.logProbs[0],
      buffer.rows.ranks[0],
      buffer.rows.policyVersions[0],
    ]).toEqual([300, -3, 0.75, 5]);
    expect(buffer.rows.masses[0]).toBeCloseTo(1.75, 12);
    expect(buffer.weight(0, 500)).toBeCloseTo(1.75 / 4, 12);
  });

  it("loses the row of least weight, of equals the oldest", () => {
    const buffer = createRecordBuffer({ capacity: 3, halfLife: 100 });
    const put = (x: number, step: number) => buffer.insert(recordOf({ signature: signatureOf(x), step }));
    put(0, 100);
    put(0, 100);
    put(50, 150);
    put(100, 150);
    // Weights at 150: 2·2^−.5 = 1.41, 1, 1. Row 1 is older than row 2.
    expect(put(-50, 150)).toBe(1);
    // Now row 2 is the oldest of the three that weigh 1.
    expect(put(-100, 150)).toBe(2);
    // A newcomer of tick 149 weighs less than any of them.
    expect(put(127, 149)).toBe(-1);
    // From tick 150 on rows 1 and 2 weigh 1 against the newcomer's: row 1 is the older.
    expect(put(127, 300)).toBe(1);
    expect(buffer.rows.length).toBe(3);
  });

  it("does what a plain list would do", () => {
    fc.assert(
      fc.property(fc.array(crowded, { maxLength: 60 }), fc.integer({ min: 1, max: 12 }), (records, capacity) => {
        const options = { capacity, similarity: 0.9, bandwidth: 0.2, halfLife: 90 };
        const buffer = createRecordBuffer(options);
        const plain = plainBuffer(capacity, 0.9, 0.2, 90);
        for (const record of records) plain.follow(record, buffer.insert(record));
        expect(buffer.rows.length).toBe(plain.rows.length);
        plain.rows.forEach(({ records: merged }, row) => {
          expect(buffer.rows.counts[row]).toBe(merged.length);
          expect(buffer.rows.agents[row]).toBe(merged[0].agent);
          expect(buffer.rows.actions[row]).toBe(merged[0].action);
          expect(buffer.rows.steps[row]).toBe(Math.max(...merged.map(({ step }) => step)));
          expect(buffer.weight(row, 500)).toBeCloseTo(plain.weight(merged, 500), 9);
          const mean = merged.reduce((sum, { advantage }) => sum + advantage, 0) / merged.length;
          expect(buffer.rows.means[row]).toBeCloseTo(mean, 9);
          const squares = merged.reduce((sum, { advantage }) => sum + (advantage - mean) ** 2, 0);
          expect(buffer.rows.squares[row]).toBeCloseTo(squares, 9);
        });
      }),
      { numRuns: 200 },
    );
  });

  it("finds the nearest and the most critical rows", () => {
    fc.assert(
      fc.property(fc.array(crowded, { maxLength: 30 }), fc.nat(8), crowded, (records, k, { signature }) => {
        const buffer = createRecordBuffer({ similarity: 1 });
        for (const record of records) buffer.insert(record);
        const { rows } = buffer;
        const numbers = Array.from({ length: rows.length }, (_, row) => row);
        const similar = numbers.map((row) =>
          similarityOf(rows.signatures.subarray(28 * row, 28 * row + 28), signature, 0.25),
        );
        const nearest = numbers.toSorted((a, b) => similar[b] - similar[a] || a - b).slice(0, k);
        expect(Array.from(buffer.nearest(signature, k), (row) => similar[row])).toEqual(
          nearest.map((row) => similar[row]),
        );
        const top = numbers
          .toSorted((a, b) => rows.ranks[b] - rows.ranks[a] || rows.steps[b] - rows.steps[a] || a - b)
          .slice(0, k);
        expect(Array.from(buffer.top(k))).toEqual(top);
      }),
    );
  });

  it("answers the same however many rows there are, and whenever they came", () => {
    const random = stream(1);
    // Four numbers tell all sixteen entries, as features of one state go together.
    const drawn = () => {
      const z = Array.from({ length: 4 }, () => random.uniform());
      const entry = (_: unknown, k: number) => Math.round(160 * (z[k % 4] - 0.5 + 0.4 * (z[(k + 1) % 4] - 0.5)));
      return Int8Array.from({ length: 28 }, entry);
    };
    const options = { capacity: 4000, similarity: 1, halfLife: 1000 };
    const buffer = createRecordBuffer(options);
    let early = buffer.exportState();
    let now = 0;
    const check = () => {
      const { rows } = buffer;
      const signature = drawn();
      const distances = Array.from({ length: rows.length }, (_, row) =>
        signature.reduce((sum, x, k) => sum + (x - rows.signatures[28 * row + k]) ** 2, 0),
      );
      const numbers = distances.map((_, row) => row).sort((a, b) => distances[a] - distances[b] || a - b);
      expect(Array.from(buffer.nearest(signature, 8))).toEqual(numbers.slice(0, 8));
      // Three bandwidths of .25 · 127 quanta.
      const within = numbers.filter((row) => distances[row] <= 95.25 ** 2);
      const shares = [0, 0, 0];
      for (const row of within) {
        shares[rows.agents[row]] += Math.exp(-distances[row] / (2 * 31.75 ** 2)) * buffer.weight(row, now);
      }
      const out = new Float64Array(3);
      buffer.senders(signature, now, out);
      // Each of 4,000 is counted to half of 2⁻³⁰: 4,000 / 2³¹ < 2e-6.
      for (const [agent, share] of shares.entries()) expect(Math.abs(share - out[agent])).toBeLessThan(2e-6);
      const covered = buffer.coverage(signature, now, 1);
      expect(Math.abs(shares[0] + shares[2] - covered)).toBeLessThan(2e-6);
      for (const enough of [0.5, 1, 2]) {
        expect(buffer.coverage(signature, now, 1, enough) >= enough).toBe(covered >= enough);
      }
    };
    // Rows are sorted in when 128 looks at each were needed: about once in 128 questions, of which there are six at a time.
    for (; now < 7000; now++) {
      buffer.insert(recordOf({ signature: drawn(), agent: now % 3, step: now }));
      if (now % 25 === 24) check();
      if (now === 1999) early = buffer.exportState();
    }
    // Of 7,000 that differ, 4,000 are held.
    expect(buffer.rows.length).toBe(4000);
    buffer.restoreState(early);
    check();
  });

  it("measures coverage as decayed mass nearby", () => {
    const buffer = createRecordBuffer({ halfLife: 100 });
    const here = signatureOf(0, 10);
    expect(buffer.coverage(here, 0)).toBe(0);
    buffer.insert(recordOf({ signature: here, step: 100 }));
    expect(buffer.coverage(here, 100)).toBe(1);
    expect(buffer.coverage(here, 200)).toBeCloseTo(0.5, 12);
    // 30 quanta away: exp(−½ (30/31.75)²) = exp(−.4464) = .6399, whatever the action, whoever's.
    buffer.insert(recordOf({ signature: signatureOf(0, 40), step: 100, action: 2, agent: 1 }));
    expect(buffer.coverage(here, 100)).toBeCloseTo(1 + 0.6399, 4);
    expect(buffer.coverage(here, 100, 0)).toBeCloseTo(0.6399, 4);
    expect(buffer.coverage(here, 100, 1)).toBe(1);
    // Beyond three bandwidths, 95.25 quanta, nothing counts.
    buffer.insert(recordOf({ signature: signatureOf(0, 106), step: 100 }));
    expect(buffer.coverage(here, 100)).toBeCloseTo(1 + 0.6399, 4);
  });

  it("goes on bit for bit from a saved state", () => {
    fc.assert(
      fc.property(fc.array(crowded, { maxLength: 30 }), fc.array(crowded, { maxLength: 30 }), (before, after) => {
        const options = { capacity: 7, similarity: 0.9, halfLife: 90 };
        const buffer = createRecordBuffer(options);
        for (const record of before) buffer.insert(record);
        const copy = createRecordBuffer(options);
        // Whatever it held before is forgotten.
        for (const record of after) copy.insert(record);
        copy.restoreState(buffer.exportState());
        expect(copy.exportState()).toEqual(buffer.exportState());
        for (const record of after) expect(copy.insert(record)).toBe(buffer.insert(record));
        expect(copy.exportState()).toEqual(buffer.exportState());
      }),
    );
  });

  it("gives away copies of its state", () => {
    const buffer = createRecordBuffer();
    buffer.insert(recordOf({ advantage: 1 }));
    const state = buffer.exportState();
    buffer.insert(recordOf({ advantage: 3 }));
    expect(state.means[0]).toBe(1);
  });

  it("refuses bad options, records and states", () => {
    expect(() => createRecordBuffer({ capacity: 0 })).toThrow(
      "capacity must be a whole number in [1, 16777216], got 0",
    );
    expect(() => createRecordBuffer({ capacity: 1.5 })).toThrow(
      "capacity must be a whole number in [1, 16777216], got 1.5",
    );
    expect(() => createRecordBuffer({ similarity: 0 })).toThrow("similarity must be");
    expect(() => createRecordBuffer({ similarity: 1.1 })).toThrow("similarity must be");
    expect(() => createRecordBuffer({ bandwidth: 0 })).toThrow("bandwidth must be");
    expect(() => createRecordBuffer({ halfLife: 0 })).toThrow("halfLife must be");
    const buffer = createRecordBuffer({ capacity: 2 });
    expect(() => buffer.insert(recordOf({ advantage: Number.NaN }))).toThrow("advantage must be finite");
    expect(buffer.rows.length).toBe(0);
    const full = createRecordBuffer({ capacity: 3 });
    for (const action of [0, 1, 2]) full.insert(recordOf({ action }));
    expect(() => buffer.restoreState(full.exportState())).toThrow("room for 2 rows");
    expect(() => buffer.restoreState({})).toThrow("not that of a record buffer");
    expect(() => full.restoreState({ ...full.exportState(), steps: new Uint32Array(2) })).toThrow(
      "not that of a record buffer",
    );
  });
});
