import { describe, expect, it } from "@jest/globals";
import { distributionOf } from "./distribution.ts";
import { box, candidates, discrete, multiDiscrete } from "./space.ts";

describe("distributionOf", () => {
  it.each([
    [discrete(5), 5],
    [multiDiscrete(2, 3), 5],
    [box([2, 3], -1, 1), 12],
  ])("reads rows as wide as %j needs", (space, width) => expect(distributionOf(space).width).toBe(width));

  it("has none yet for candidates", () => {
    const run = () => distributionOf(candidates(3, 2));
    expect(run).toThrow("[core/distribution] no distribution over candidates actions");
    expect(run).toThrow(expect.objectContaining({ code: "unsupported" }));
  });
});
