import { describe, expect, it } from "@jest/globals";
import { distributionOf } from "./distribution.ts";
import { box, candidates, discrete, multiDiscrete } from "./space.ts";

describe("distributionOf", () => {
  it.each([
    [discrete(5), 5],
    [candidates(7, 2), 7],
    [multiDiscrete(2, 3), 5],
    [box([2, 3], -1, 1), 12],
  ])("reads rows as wide as %j needs", (space, width) => expect(distributionOf(space).width).toBe(width));
});
