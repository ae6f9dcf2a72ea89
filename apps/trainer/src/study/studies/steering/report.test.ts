import { describe, expect, it } from "@jest/globals";
import type { Result } from "../../study.ts";
import { reportOnSteering } from "./report.ts";
import type { SteeringFigures } from "./steering.ts";

const axes = { environment: ["pong"], seed: [1, 2, 3], budget: [1000], steer: [0, 1] };
const result = (steer: number, seed: number, redundancy: number, area: number): Result<SteeringFigures> => ({
  at: { environment: "pong", seed, budget: 1000, steer },
  steps: 1000,
  figures: {
    agents: [{ agent: "a", own: area, head: area, stacked: area }],
    fidelity: { all: area, sameRole: area, crossRole: null },
    matrix: [],
    bytes: 500,
    delivery: 1,
    received: 10,
    age: { onArrival: 5, atUse: 30 },
    redundancy,
    perturbed: 100 - 50 * steer,
  },
  seconds: { shared: 0, learning: 0, judging: 0 },
});
/** What steering changes of redundancy and of everything else, seed by seed. */
const reported = (changes: readonly (readonly [redundancy: number, area: number])[]) =>
  reportOnSteering(
    axes,
    changes.flatMap(([redundancy, area], i) => [
      result(0, i + 1, 0.9, 0.8),
      result(1, i + 1, 0.9 + redundancy, 0.8 + area),
    ]),
  );

describe("the report on steering", () => {
  it("says what was spared and what it cost, over seeds", () => {
    // −.1, −.12, −.08: −.1 ± 4.303 · .02/√3 = .0497.
    const { tables, judgements, sentences, scores } = reported([
      [-0.1, 0.001],
      [-0.12, 0],
      [-0.08, -0.001],
    ]);
    const [none, all] = tables[0].body;
    expect([none[0], none[2], all[0]]).toEqual(["0", "", "1"]);
    expect(all[2]).toMatchObject({ estimate: -50 });
    const spared = judgements[0].measured;
    expect([spared?.estimate, spared?.low, spared?.high]).toEqual(
      [-0.1, -0.1497, -0.0503].map((x) => expect.closeTo(x, 4)),
    );
    expect(judgements).toMatchObject([{ where: "pong, s = 1, 1.00k steps", verdict: "reproduced" }]);
    expect(judgements[0].why).toContain("no more than 0.02 lost");
    expect(sentences[0]).toContain("redundancy −0.10");
    expect(scores?.runs).toHaveLength(6);
    const values = { auroc: 0.8 + 0.001, fidelity: 0.8 + 0.001 };
    expect(scores?.runs[3]).toEqual({ environment: "pong", arm: "s = 1", seed: 1, steps: 1000, values });
  });

  it("does not call that spared or free which may be chance", () => {
    const { judgements } = reported([
      [-0.1, -0.05],
      [0.1, 0.05],
      [0, 0],
    ]);
    expect(judgements[0]).toMatchObject({ verdict: "not reproduced" });
    expect(judgements[0].why).toContain("a loss of 0.02 is not ruled out");
    const harmful = reported([
      [-0.1, -0.05],
      [-0.1, -0.06],
      [-0.1, -0.04],
    ]);
    expect(harmful.judgements[0].why).toContain("something lost");
    expect(reportOnSteering(axes, [result(1, 1, 0.5, 0.5)]).tables[0].note).toContain("Unknown: s = 0");
  });
});
