import { describe, expect, it } from "@jest/globals";
import { distributionOf } from "./distribution.ts";
import { ILLEGAL } from "./distributions/categorical.ts";
import { box, candidates, discrete, multiDiscrete } from "./space.ts";

describe("distributionOf", () => {
  it.each([
    [discrete(5), 5],
    [candidates(7, 2), 7],
    [multiDiscrete(2, 3), 5],
    [box([2, 3], -1, 1), 12],
  ])("reads rows as wide as %j needs", (space, width) => expect(distributionOf(space).width).toBe(width));

  it("gives all probability to the candidates that there are", () => {
    const distribution = distributionOf(candidates(5, 2));
    const row = Float32Array.of(9, 1, 1, 1, Number.NaN, 7, 9);
    distribution.normalise(row, 1, Uint8Array.of(1, 1, 1, 1, 0, 0), 1);
    const third = Math.fround(-Math.log(3));
    expect([...row]).toEqual([9, third, third, third, ILLEGAL, ILLEGAL, 9]);
    expect(distribution.at(row, 1).entropy()).toBeCloseTo(Math.log(3), 6);
    expect(() => distribution.normalise(row, 1, new Uint8Array(6), 1)).toThrow(
      expect.objectContaining({ code: "no-legal-action" }),
    );
  });
});
