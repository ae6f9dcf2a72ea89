import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { stream } from "../random.ts";
import { agrees } from "../testing/planted/chi-square.ts";
import { categorical, ILLEGAL, maskedLogSoftmax } from "./categorical.ts";

const { LN2 } = Math;
/** ln of probabilities, `ILLEGAL` for zero. */
const logs = (...probabilities: number[]) => Float32Array.from(probabilities, (p) => (p === 0 ? ILLEGAL : Math.log(p)));
const draw = (row: Float32Array, uniform: number) => {
  const random = stream(0);
  random.uniform = () => uniform;
  const out = new Float32Array(1);
  categorical(row.length).at(row, 0).sample(random, out, 0);
  return out[0];
};

describe("maskedLogSoftmax", () => {
  it("normalises over the legal actions", () => {
    // e^0 + e^ln2 = 3 over actions 0 and 2; action 1 does not count, however large.
    const logits = Float32Array.of(0, 50, LN2);
    maskedLogSoftmax(logits, 0, Uint8Array.of(1, 0, 1), 0, 3);
    expect(logits[0]).toBeCloseTo(Math.log(1 / 3), 6);
    expect(logits[1]).toBe(ILLEGAL);
    expect(logits[2]).toBeCloseTo(Math.log(2 / 3), 6);
  });

  it("gives a forced move all of it", () => {
    const logits = Float32Array.of(-80, 3);
    maskedLogSoftmax(logits, 0, Uint8Array.of(1, 0), 0, 2);
    expect([...logits]).toEqual([0, ILLEGAL]);
  });

  it("works on its own row, at its own offsets", () => {
    const logits = Float32Array.of(9, 9, 0, 0, 9);
    maskedLogSoftmax(logits, 2, Uint8Array.of(0, 0, 0, 1, 1), 3, 2);
    expect([...logits]).toEqual([9, 9, Math.fround(-LN2), Math.fround(-LN2), 9]);
  });

  it("survives logits that would overflow e^x", () => {
    const logits = Float32Array.of(1e6, 1e6 - 1, -1e6);
    maskedLogSoftmax(logits, 0, Uint8Array.of(1, 1, 1), 0, 3);
    // Logistic function at ±1: 1/(1 + e^−1) = .7310586, the rest .2689414, and e^−2·10⁶ = 0.
    expect(Math.exp(logits[0])).toBeCloseTo(0.7310586, 6);
    expect(Math.exp(logits[1])).toBeCloseTo(0.2689414, 6);
    expect(Math.exp(logits[2])).toBe(0);
  });

  it("sums to one and keeps differences, whatever the mask", () => {
    const cell = fc.record({ logit: fc.float({ min: -50, max: 50, noNaN: true }), legal: fc.boolean() });
    fc.assert(
      fc.property(fc.array(cell, { minLength: 1, maxLength: 9 }), fc.nat(), (cells, pick) => {
        const legal = Uint8Array.from(cells, (c, a) => (c.legal || a === pick % cells.length ? 1 : 0));
        const row = Float32Array.from(cells, (c) => c.logit);
        maskedLogSoftmax(row, 0, legal, 0, cells.length);
        const open = cells
          .map((c, a) => ({ logit: Math.fround(c.logit), result: row[a], a }))
          .filter(({ a }) => legal[a]);
        expect(open.reduce((sum, { result }) => sum + Math.exp(result), 0)).toBeCloseTo(1, 4);
        for (const { logit, result } of open) expect(result - open[0].result).toBeCloseTo(logit - open[0].logit, 3);
        expect(row.every((x, a) => legal[a] || x === ILLEGAL)).toBe(true);
      }),
    );
  });

  it("refuses a mask of zeros, and leaves the row alone", () => {
    const logits = Float32Array.of(1, 2);
    const run = () => maskedLogSoftmax(logits, 0, new Uint8Array(2), 0, 2);
    expect(run).toThrow(expect.objectContaining({ code: "no-legal-action" }));
    expect([...logits]).toEqual([1, 2]);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "refuses a legal logit of %p only",
    (bad) => {
      const logits = Float32Array.of(1, bad);
      expect(() => maskedLogSoftmax(logits, 0, Uint8Array.of(1, 1), 0, 2)).toThrow(
        expect.objectContaining({
          code: "not-finite",
          message: expect.stringContaining(`logit of action 1 is ${bad}`),
        }),
      );
      expect(logits[0]).toBe(1);
      maskedLogSoftmax(logits, 0, Uint8Array.of(1, 0), 0, 2);
      expect([...logits]).toEqual([0, ILLEGAL]);
    },
  );
});

describe("categorical", () => {
  it("samples with its probabilities, and what is illegal never", () => {
    const shares = [0.5, 0.125, 0, 0.25, 0.125, 0];
    const distribution = categorical(6).at(logs(...shares), 0);
    const random = stream(1, "sample");
    const counts = new Float64Array(6);
    const out = new Float32Array(1);
    for (let i = 0; i < 50_000; i++) {
      distribution.sample(random, out, 0);
      counts[out[0]]++;
    }
    expect([counts[2], counts[5]]).toEqual([0, 0]);
    expect(agrees(counts, shares)).toBe(true);
  });

  it("cuts [0, 1) in the order of the actions", () => {
    const row = logs(0.25, 0, 0.5, 0.25);
    expect([0, 0.2499, 0.2501, 0.7499, 0.7501, 1 - 2 ** -32].map((u) => draw(row, u))).toEqual([0, 0, 2, 2, 3, 3]);
  });

  it("falls on a legal action where rounding leaves something over, and skips e^x = 0", () => {
    // Three times fround(ln ⅓) can sum to a little less than 1.
    expect(draw(Float32Array.of(-1.0986124, -1.0986124, -1.0986124, ILLEGAL), 1 - 2 ** -32)).toBe(2);
    expect(draw(Float32Array.of(-800, 0), 0)).toBe(1);
  });

  it("refuses to draw from NaN", () => {
    expect(() => draw(Float32Array.of(Number.NaN, 0), 0.5)).toThrow(expect.objectContaining({ code: "not-finite" }));
  });

  it("has the most probable action as its mode, the lowest where several are", () => {
    const out = Float32Array.of(9, 9);
    const mode = (row: Float32Array) => {
      categorical(row.length).at(row, 0).mode(out, 1);
      return out[1];
    };
    expect(mode(logs(0.2, 0.5, 0.3))).toBe(1);
    expect(mode(logs(0.1, 0.45, 0, 0.45))).toBe(1);
    expect(mode(logs(0, 0, 0.5, 0.5))).toBe(2);
    expect(mode(logs(1))).toBe(0);
    expect(out[0]).toBe(9);
  });

  it("knows the log-probability of the action in a slot", () => {
    const distribution = categorical(3).at(logs(0.25, 0, 0.75), 0);
    expect(distribution.logProb(Float32Array.of(9, 2), 1)).toBe(Math.fround(Math.log(0.75)));
    expect(distribution.logProb(Float32Array.of(1), 0)).toBe(ILLEGAL);
  });

  it("has the entropy Σ −p·ln p", () => {
    // Uniform over four: ln 4. (½, ¼, ¼): ½·ln 2 + 2·¼·ln 4 = 1.5·ln 2. A certain one: 0.
    const entropy = (...p: number[]) =>
      categorical(p.length)
        .at(logs(...p), 0)
        .entropy();
    expect(entropy(0.25, 0.25, 0.25, 0.25)).toBeCloseTo(2 * LN2, 6);
    expect(entropy(0.5, 0, 0.25, 0.25)).toBeCloseTo(1.5 * LN2, 6);
    expect(entropy(0, 1)).toBeCloseTo(0, 12);
  });

  it("has exact expectations, and asks for legal actions only", () => {
    const asked: number[] = [];
    const f = (slot: Float32Array) => {
      asked.push(slot[0]);
      return 10 ** slot[0];
    };
    // ½·10⁰ + ¼·10² + ¼·10³ = 275.5
    expect(
      categorical(4)
        .at(logs(0.5, 0, 0.25, 0.25), 0)
        .expect(f, stream(0)),
    ).toBeCloseTo(275.5, 3);
    expect(asked).toEqual([0, 2, 3]);
  });

  it("reads the row it was last put at", () => {
    const rows = logs(1, 0, 0, 1);
    const distribution = categorical(2);
    expect(distribution.width).toBe(2);
    const out = new Float32Array(1);
    distribution.at(rows, 0).mode(out, 0);
    expect(out[0]).toBe(0);
    expect(distribution.at(rows, 2)).toBe(distribution);
    distribution.mode(out, 0);
    expect(out[0]).toBe(1);
  });
});

it("ILLEGAL is a float32, so that it can be compared exactly", () => expect(Math.fround(ILLEGAL)).toBe(ILLEGAL));
