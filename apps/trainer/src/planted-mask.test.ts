import { expect, it } from "@jest/globals";
import { explainPlanted, TO_LEARN } from "./test-planted.ts";

it.each(["statemask", "coverage"])(
  "on a planted world with decoys, where the mask itself decides the blinding, %s finds what matters",
  async (name) => {
    const { areaOf, explainer, state } = await explainPlanted(name, ...TO_LEARN.mask);
    expect(areaOf(explainer)).toBeGreaterThanOrEqual(0.95);
    // As many steps as were asked for, in eight rounds: 30,000 are not a multiple of 64.
    expect(state.steps).toBe(64 * Math.ceil(30_000 / 64));
  },
);
