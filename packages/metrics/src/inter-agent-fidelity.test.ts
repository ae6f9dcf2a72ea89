import { describe, expect, it } from "@jest/globals";
import { interAgentFidelity } from "./inter-agent-fidelity.ts";

describe("interAgentFidelity", () => {
  const rising = [0, 1, 2, 3];
  const falling = [3, 2, 1, 0];
  const flat = [1, 1, 1, 1];
  const truths = [rising, rising, rising];
  const roles = ["peasant", "peasant", "landlord"];

  it("is the mean AUROC over ordered pairs, by role", () => {
    // Peasants read each other perfectly (1, 1); the landlord's states look reversed to agent 0 (0) and flat to agent 1
    // (½); the landlord has nothing in common with agent 0 (n/a) and reads agent 1 perfectly (1). Mean (1 + 1 + 0 + ½ +
    // 1)/5.
    const scores = [
      [null, rising, falling],
      [rising, null, flat],
      [null, rising, null],
    ];
    const result = interAgentFidelity({ scores, truths, roles, top: 0.25 });
    expect(result).toEqual({
      matrix: [
        [null, 1, 0],
        [1, null, 0.5],
        [null, 1, null],
      ],
      mean: 0.7,
      sameRole: 1,
      crossRole: 0.5,
      missing: 1,
    });
  });

  it("leaves out an agent to whom every state is the same", () => {
    const scores = [
      [null, rising],
      [rising, null],
    ];
    const result = interAgentFidelity({ scores, truths: [flat, rising], roles: ["a", "b"] });
    expect(result).toMatchObject({ mean: 1, sameRole: Number.NaN, crossRole: 1, missing: 1 });
  });

  it("refuses a matrix of another size", () => {
    expect(() => interAgentFidelity({ scores: [[null]], truths, roles })).toThrow(
      "wanted 3 × 3 scores and 3 truths, got 1 × [1] scores and 3 truths",
    );
  });
});
