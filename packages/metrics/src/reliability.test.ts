import { expect, it } from "@jest/globals";
import { stream } from "@magic-mask/core";
import { splitHalfReliability } from "./reliability.ts";

it("steps the correlation of the halves up to the whole", () => {
  // Deviations (−1, 0, 1) and (−1, 1, 0): r = ½, so 2·½/(1 + ½) = ⅔.
  expect(splitHalfReliability(Float64Array.of(1, 2, 3), Float64Array.of(4, 6, 5))).toBeCloseTo(2 / 3, 12);
});

it("is the share of variance that is not noise", () => {
  // True variance 1; each half has noise variance 1, so their mean has ½: 1/(1 + ½) = ⅔.
  const { normal } = stream(1, "halves");
  const truth = Float64Array.from({ length: 20_000 }, normal);
  expect(
    splitHalfReliability(
      truth.map((x) => x + normal()),
      truth.map((x) => x + normal()),
    ),
  ).toBeCloseTo(2 / 3, 1);
});

it("is NaN where there are no halves", () => {
  expect(splitHalfReliability(Float64Array.of(Number.NaN), Float64Array.of(Number.NaN))).toBeNaN();
});
