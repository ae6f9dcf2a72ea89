import { describe, expect, it } from "@jest/globals";
import { box, candidates, discrete } from "@magic-mask/core";
import { areComparable, roleNumbers } from "./peers.ts";
import { world } from "./test-world.ts";

describe("peers", () => {
  it("numbers roles as they come", () => {
    expect(Array.from(roleNumbers(world))).toEqual([0, 0, 1]);
    expect(Array.from(roleNumbers({ ...world, roles: ["b", "a", "b"] }))).toEqual([0, 1, 0]);
  });

  it("compares agents by common features, else by like spaces, and never across unlike actions", () => {
    expect(areComparable(world, 0, 2)).toBe(true);
    const apart = {
      ...world,
      commonFeatures: null,
      observationSpaces: [box([8], -1, 1), box([8], -1, 1), box([9], -1, 1)],
    };
    expect(areComparable(apart, 0, 1)).toBe(true);
    expect(areComparable(apart, 0, 2)).toBe(false);
    expect(areComparable({ ...apart, commonFeatures: world.commonFeatures }, 0, 2)).toBe(true);
    const unlike = { ...world, actionSpaces: [discrete(3), discrete(4), box([3], -1, 1)] };
    expect(areComparable(unlike, 0, 1)).toBe(false);
    expect(areComparable(unlike, 0, 2)).toBe(false);
    const lists = { ...world, actionSpaces: [candidates(9, 5), candidates(9, 5), candidates(9, 6)] };
    expect(areComparable(lists, 0, 1)).toBe(true);
    expect(areComparable(lists, 0, 2)).toBe(false);
    expect(areComparable({ ...world, actionSpaces: [candidates(3, 5), discrete(3), discrete(3)] }, 0, 1)).toBe(false);
  });
});
