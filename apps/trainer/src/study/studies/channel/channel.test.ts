import { describe, expect, it } from "@jest/globals";
import type { Coordinates } from "../../study.ts";
import { plantedSubject } from "../../test-subject.ts";
import { channel, faults } from "./channel.ts";

const study = channel();

async function measured(names: readonly string[]) {
  const trials: Coordinates[] = names.map((name) => ({
    environment: "planted_v0",
    seed: 1,
    budget: 640,
    channel: name,
  }));
  const found = [];
  for await (const { figures, steps } of study.run(trials, await plantedSubject(1))) found.push({ figures, steps });
  return found;
}

describe("channel", () => {
  it("lets arms differ in what arrives alone", async () => {
    const names = ["none", "ideal", "loss_0.5", "delay_10", "cut_whole", "bandwidth_0.1"];
    const [none, ideal, half, late, cut, narrow] = await measured(names);
    for (const each of [ideal, half, late, cut, narrow]) {
      expect(each.steps).toBe(none.steps);
      expect(each.figures.agents.map(({ own }) => own)).toEqual(none.figures.agents.map(({ own }) => own));
    }
    expect([none.figures.received, none.figures.delivery]).toEqual([0, null]);
    expect(ideal.figures.delivery).toBe(1);
    // 640 steps in 16 copies are 40 ticks: 4 broadcasts, each agent to two others. A loss of one half is a coin.
    expect(half.figures.received).toBeLessThan(ideal.figures.received);
    expect(half.figures.received).toBeGreaterThan(0);
    // Ten broadcasts later there is no run left.
    expect([late.figures.received, late.figures.delivery]).toEqual([0, 0]);
    // Of three agents one is cut off: two of six links are left.
    expect(cut.figures.delivery).toBeCloseTo(1 / 3, 1);
    expect(narrow.figures.received).toBeLessThan(ideal.figures.received);
    // What comes late is older at first sight, and what is there at the end is as old as the run.
    expect(ideal.figures.age.atUse as number).toBeGreaterThan(ideal.figures.age.onArrival as number);
    const [again] = await measured(["loss_0.5"]);
    expect(again).toEqual(half);
  });

  it("cuts and delays by the length of the run", () => {
    const run = { ticks: 100, every: 5 };
    expect(faults.delay_10(run)).toEqual({ delay: 50 });
    expect(faults["bandwidth_0.1"](run)).toEqual({ bandwidth: 100 });
    expect(faults.cut_first_half(run)).toEqual({ partition: { start: 0, end: 50, groups: [] } });
    expect(faults.cut_last_half(run).partition).toMatchObject({ start: 50 });
    expect(study.axes("default").channel).toEqual(Object.keys(faults));
  });
});
