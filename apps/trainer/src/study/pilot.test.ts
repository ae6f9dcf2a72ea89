import { describe, expect, it } from "@jest/globals";
import { pilotsOf } from "./pilot.ts";
import { studies } from "./registry.ts";

describe("pilotsOf", () => {
  const { communication } = studies;
  const axes = { ...communication.axes("quick"), environment: ["planted_v0"], seed: [3], mode: ["none", "all"] };
  const budgets = (budget: number[]) =>
    pilotsOf(communication, { ...axes, budget }).map((group) => group.map((at) => at.budget));

  it("asks for a short group and a longer one, of all arms", () => {
    expect(budgets([3000, 10_000])).toEqual([
      [1000, 1000],
      [6000, 6000],
    ]);
  });

  it("plays no longer than the longest trial", () => {
    expect(budgets([300, 2000])).toEqual([
      [1000, 1000],
      [2000, 2000],
    ]);
    expect(budgets([200, 300])).toEqual([[300, 300]]);
  });
});
