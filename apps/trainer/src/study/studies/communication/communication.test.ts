import { describe, expect, it } from "@jest/globals";
import { modes } from "@magic-mask/comm";
import type { Coordinates } from "../../study.ts";
import { plantedSubject } from "../../test-subject.ts";
import { communication } from "./communication.ts";

const study = communication();

async function measured(seed: number, names: readonly string[], budget = 600) {
  const trials: Coordinates[] = names.map((mode) => ({ environment: "planted_v0", seed, budget, mode }));
  const found = [];
  for await (const { figures, steps } of study.run(trials, await plantedSubject(seed))) found.push({ figures, steps });
  return found;
}

describe("communication", () => {
  it("lets arms differ in the records of peers alone, whichever others there are", async () => {
    const [none, marked, perturbed, all] = await measured(1, ["none", "marked", "perturbed", "all"]);
    for (const each of [marked, perturbed, all]) {
      expect(each.steps).toBe(none.steps);
      expect(each.figures.agents.map(({ own }) => own)).toEqual(none.figures.agents.map(({ own }) => own));
    }
    // 600 steps in 16 copies: 38 ticks.
    expect(none.steps).toBe(608);
    expect([none.figures.bytes, none.figures.received]).toEqual([0, 0]);
    expect(all.figures.received).toBeGreaterThan(perturbed.figures.received);
    expect(perturbed.figures.received).toBeGreaterThan(0);
    const [again] = await measured(1, ["all"]);
    expect(again).toEqual(all);
  });

  it("tells states by features in all that is held against features", async () => {
    const [none, told, bare] = await measured(1, ["none", "all_features", "none_features"]);
    expect(bare.figures.received).toBe(0);
    expect(told.figures.agents.map(({ own }) => own)).toEqual(none.figures.agents.map(({ own }) => own));
    // Other vectors, another head.
    expect(bare.figures.agents.map(({ head }) => head)).not.toEqual(none.figures.agents.map(({ head }) => head));
    const [all] = await measured(1, ["all"]);
    expect(told.figures.received).toBe(all.figures.received);
  });

  it("makes agents know more where peers meet what they would have to meet themselves", async () => {
    const gains = [];
    for (const seed of [1, 2, 3]) {
      const [none, all] = await measured(seed, ["none", "all"], 300);
      gains.push((all.figures.fidelity.all as number) - (none.figures.fidelity.all as number));
    }
    expect(gains.reduce((sum, gain) => sum + gain, 0) / 3).toBeGreaterThan(0.02);
  });

  it("knows every mode there is", () => {
    expect(study.axes("default").mode).toEqual([...Object.keys(modes), "none_features", "all_features"]);
  });
});
