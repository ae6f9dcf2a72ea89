import { describe, expect, it } from "@jest/globals";
import {
  actionWidth,
  box,
  boxSize,
  candidates,
  clip,
  contains,
  discrete,
  hasChoice,
  maskWidth,
  multiDiscrete,
  requireChoices,
} from "./space.ts";

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;

describe("widths", () => {
  it.each([
    { space: discrete(7), action: 1, mask: 7 },
    { space: multiDiscrete(2, 3, 4), action: 3, mask: 9 }, // 2 + 3 + 4
    { space: box([2, 3], 0, 1), action: 6, mask: 0 },
    { space: candidates(5, 8), action: 1, mask: 5 },
  ])("of $space.kind", ({ space, action, mask }) => {
    expect(actionWidth(space)).toBe(action);
    expect(maskWidth(space)).toBe(mask);
  });

  it("of boxes: the product of the shape, 1 for a number", () => {
    expect(boxSize(box([6, 7, 2], 0, 1))).toBe(84);
    expect(boxSize(box([], 0, 1))).toBe(1);
  });
});

describe("contains", () => {
  it.each([
    { space: discrete(3), inside: [[0], [2]], outside: [[-1], [3], [0.5], [nan], [infinity], []] },
    { space: candidates(2, 8), inside: [[0], [1]], outside: [[-1], [2], [0.5], [nan], []] },
    {
      space: multiDiscrete(2, 3),
      inside: [
        [0, 0],
        [1, 2],
      ],
      outside: [[2, 0], [0, 3], [0.5, 0], [0, nan], [1]],
    },
    {
      space: box([2], -1, 1),
      inside: [
        [-1, 1],
        [0.5, 0],
      ],
      outside: [[-1.1, 0], [0, 1.1], [nan, 0], [0, nan], [0]],
    },
    {
      space: box([2], [0, -5], [1, 5]),
      inside: [
        [1, -5],
        [0, 5],
      ],
      outside: [
        [0, -6],
        [1.5, 0],
        [-0.5, 0],
        [0, 5.5],
      ],
    },
    { space: box([1], 0, infinity), inside: [[1e30]], outside: [[infinity], [-1], [nan]] },
  ])("$space", ({ space, inside, outside }) => {
    for (const values of inside) expect([values, contains(space, values)]).toEqual([values, true]);
    for (const values of outside) expect([values, contains(space, values)]).toEqual([values, false]);
  });

  it("reads from the offset on", () => {
    expect(contains(discrete(3), [9, 1, 9], 1)).toBe(true);
    expect(contains(discrete(3), [1], 1)).toBe(false);
    expect(contains(multiDiscrete(2, 2), [9, 1, 1, 9], 1)).toBe(true);
    expect(contains(box([2], 0, 1), [9, 1, 0, 9], 1)).toBe(true);
    expect(contains(box([2], 0, 1), [0, 0, 0], 2)).toBe(false);
  });

  it("takes a bound that float32 rounds outwards for inside: 0.1 is stored as 0.100000001", () => {
    expect(Math.fround(0.1)).toBeGreaterThan(0.1);
    expect(contains(box([1], 0, 0.1), Float32Array.of(0.1))).toBe(true);
    expect(contains(box([1], -0.1, 0), Float32Array.of(-0.1))).toBe(true);
    expect(contains(box([1], 0.1, 1), [0.1])).toBe(true);
    expect(contains(box([1], 0, 0.1), Float32Array.of(0.1000001))).toBe(false);
  });
});

describe("discrete", () => {
  it("carries labels where it has them", () => {
    expect(discrete(2)).toEqual({ kind: "discrete", n: 2 });
    expect(discrete(2, ["left", "right"])).toEqual({ kind: "discrete", n: 2, labels: ["left", "right"] });
  });

  it("is what requireChoices counts, as it does candidates; it refuses anything else", () => {
    expect(requireChoices("ppo/train", discrete(2))).toBe(2);
    expect(requireChoices("ppo/train", candidates(30, 5))).toBe(30);
    const refused = () => requireChoices("ppo/train", box([1], 0, 1));
    expect(refused).toThrow("[ppo/train] needs discrete actions or candidates, got box");
    expect(refused).toThrow(expect.objectContaining({ code: "unsupported" }));
  });
});

describe("clip", () => {
  it("moves each entry of a box to the nearest bound, and touches nothing else", () => {
    const values = Float32Array.of(9, -3, 0.25, 7, 9);
    clip(box([3], [-1, 0, -5], [1, 1, 5]), values, 1);
    expect([...values]).toEqual([9, -1, 0.25, 5, 9]);
    clip(discrete(2), values, 0);
    expect([...values]).toEqual([9, -1, 0.25, 5, 9]);
  });

  it("leaves what a space contains, whatever its bounds round to", () => {
    const space = box([1], 0.1, 0.3);
    for (const value of [-1, 0.1, 0.2, 0.3, 1]) {
      const slot = Float32Array.of(value);
      clip(space, slot, 0);
      expect(contains(space, slot)).toBe(true);
    }
  });
});

describe("hasChoice", () => {
  it.each([
    { space: discrete(3), count: 1, choice: false },
    { space: discrete(3), count: 2, choice: true },
    // Three parts of one legal choice each leave one joint action.
    { space: multiDiscrete(2, 3, 4), count: 3, choice: false },
    { space: multiDiscrete(2, 3, 4), count: 4, choice: true },
    { space: candidates(5, 8), count: 1, choice: false },
    { space: box([2], 0, 1), count: 1, choice: true },
  ])("of $space.kind with $count entries legal: $choice", ({ space, count, choice }) => {
    expect(hasChoice(space, count)).toBe(choice);
  });
});
