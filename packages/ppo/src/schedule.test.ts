import { describe, expect, it } from "@jest/globals";
import { blindingSchedule, linear } from "./schedule.ts";

describe("the blinding schedule", () => {
  it("falls from ε₀ = .2 to the floor of .05 at half of the run, and stays there", () => {
    const p = blindingSchedule();
    // Two halvings in half a run: .2·(.05/.2)^(2t) is .2, .1 and .05 at t = 0, ¼ and ½.
    for (const [t, wanted] of [
      [0, 0.2],
      [0.25, 0.1],
      [0.5, 0.05],
      [0.75, 0.05],
      [1, 0.05],
    ])
      expect(p(t)).toBeCloseTo(wanted, 12);
    expect(p(0.49)).toBeGreaterThan(0.05);
  });

  it("takes other rates: from .9 to .1 in nine parts a half", () => {
    const p = blindingSchedule({ initial: 0.9, floor: 0.1 });
    // .9·(1/9)^(2·¼) = .9/3
    expect([0, 0.25, 0.5, 1].map(p)).toEqual([0.9, expect.closeTo(0.3, 12), expect.closeTo(0.1, 12), 0.1]);
  });

  it("stays where it starts if the floor is there, and is 0 throughout if both are", () => {
    expect([0, 0.3, 1].map(blindingSchedule({ initial: 0.1, floor: 0.1 }))).toEqual([0.1, 0.1, 0.1]);
    expect([0, 0.3, 1].map(blindingSchedule({ initial: 0, floor: 0 }))).toEqual([0, 0, 0]);
  });

  it.each([
    { initial: 1.5 },
    { initial: Number.NaN },
    { floor: 0.3 },
    { floor: 0 },
    { initial: 0.2, floor: -1 },
    { initial: 0, floor: 0.1 },
  ])("refuses %j", (options) => {
    expect(() => blindingSchedule(options)).toThrow(expect.objectContaining({ code: "invalid-option" }));
  });
});

it("a line goes from its start to its end and no further", () => {
  expect([-1, 0, 0.25, 1, 2].map(linear(4, 0))).toEqual([4, 4, 3, 0, 0]);
});
