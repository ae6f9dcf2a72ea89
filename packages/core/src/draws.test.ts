import { describe, expect, it } from "@jest/globals";
import { DRAWS, drawActions, standardDraws } from "./draws.ts";
import { stream } from "./random.ts";

describe("standard draws", () => {
  const z = standardDraws(3, stream(4));

  it("have mean 0 and variance 1 in each entry, exactly", () => {
    for (let i = 0; i < 3; i++) {
      const column = Array.from({ length: DRAWS }, (_, draw) => z[draw * 3 + i]);
      expect(column.reduce((sum, x) => sum + x, 0)).toBe(0);
      expect(column.reduce((sum, x) => sum + x * x, 0) / DRAWS).toBeCloseTo(1, 12);
      // They are spread out, and no two entries are alike.
      expect(new Set(column).size).toBe(DRAWS);
    }
    expect(z[0]).not.toBe(z[1]);
    expect(standardDraws(3, stream(4))).toEqual(z);
  });

  it("become those of any normal distribution", () => {
    // Row 1: means 1, 2, 3; σ 1, e, ½.
    const parameters = Float32Array.of(9, 9, 9, 9, 9, 9, 1, 2, 3, 0, 1, -Math.LN2);
    const out = new Float32Array(DRAWS * 3 + 2).fill(7);
    drawActions(z, parameters, 1, out, 1);
    expect([out[0], out.at(-1)]).toEqual([7, 7]);
    for (let draw = 0; draw < DRAWS; draw++) {
      const action = [...out.subarray(1 + 3 * draw, 4 + 3 * draw)];
      const expected = [1 + z[3 * draw], 2 + Math.E * z[3 * draw + 1], 3 + z[3 * draw + 2] / 2];
      expect(action).toEqual(expected.map((x) => expect.closeTo(x, 5)));
    }
  });
});
