import { describe, expect, it } from "@jest/globals";
import { createRollout, type Decisions, type Explainer, type Rollout, stream } from "@magic-mask/core";
import { rankedStates } from "../ranked-states.ts";
import { leverWorld } from "../test-worlds.ts";
import type { Evidence, MaskContext, MaskLearner, MaskObjective } from "./objective.ts";
import { shrunk } from "./shrunk.ts";

const spec = leverWorld();
const context: MaskContext = {
  spec,
  agent: 0,
  seed: 1,
  createLearner: () => {
    throw new Error("nothing here learns");
  },
};
const PLAN = { epochs: 1, learningRate: { start: 0.1, end: 0.1 } };
const n = 3;

/** ln π(0) of a decision, from which everything here is told. */
const first = ({ policy }: Decisions, row: number) => policy[row * n];

const byRow = (name: string, tell: (x: number) => number, spread = Number.NaN): Explainer => ({
  name,
  score(decisions, criticality, spreads) {
    for (let row = 0; row < decisions.count; row++) criticality[row] = tell(first(decisions, row));
    spreads.fill(spread, 0, decisions.count);
  },
});

/** An objective that knows 2·ln π(0) + 5, give or take .25, as soon as it has learned. */
function known(): MaskObjective {
  return {
    name: "known",
    blinding: "coin",
    create(made): MaskLearner {
      let fits = 0;
      const explainer: Explainer = {
        ...byRow("known", (x) => (fits > 0 ? 2 * x + 5 : 0), 0.25),
      };
      return {
        explainer,
        mask: rankedStates(made, explainer).mask,
        advantages: (_, out) => {
          out.fill(fits);
        },
        fit: async () => ({ loss: 1 / ++fits }),
        exportState: () => ({ fits }),
        restoreState: (state) => {
          ({ fits } = state as { fits: number });
        },
      };
    },
  };
}

/** 80 decisions, ln π(0) = −1, −2, …, −80, of which an eighth is sampled. */
const rollout: Rollout = createRollout(spec, 0, n, 80);
rollout.length = 80;
for (let row = 0; row < 80; row++) {
  rollout.policy[row * n] = -1 - row;
  rollout.legal.fill(1, row * n, row * n + n);
}
const evidence: Evidence = {
  rollout,
  discount: 1,
  rows: Int32Array.from({ length: 80 }, (_, row) => row),
  values: new Float32Array(80),
  advantages: new Float32Array(80),
};
const asked = (logs: readonly number[]): Decisions => ({
  agent: 0,
  count: logs.length,
  observations: new Float32Array(logs.length * 7),
  legal: new Uint8Array(logs.length * n).fill(1),
  policy: Float32Array.from(logs.flatMap((x) => [x, 0, 0])),
  perturbation: new Float32Array(logs.length * n),
});
function scored(explainer: Explainer, logs: readonly number[]) {
  const [criticality, spread] = [new Float32Array(logs.length), new Float32Array(logs.length)];
  explainer.score(asked(logs), criticality, spread);
  return { criticality: [...criticality], spread: [...spread] };
}

describe("shrunk", () => {
  it("adds a target that has the mean and the standard deviation of what was learned", async () => {
    // The target is −10x + 3 where 2x + 5 was learned. Its deviation is five times as large, so t = −2x + c with the same mean as
    // 2x + 5 over the sample: c = 5 + 4·x̄. Δ̂ = (2x + 5 + ½·(−2x + c)) / 1.5 = (x + 5 + ½c) / 1.5
    const mask = shrunk("both", known(), () => byRow("target", (x) => -10 * x + 3), 0.5).create(context);
    await mask.fit(evidence, PLAN);
    const { criticality, spread } = scored(mask.explainer, [0, -1, -7]);
    expect(criticality[0] - criticality[1]).toBeCloseTo(1 / 1.5, 4);
    expect(criticality[0] - criticality[2]).toBeCloseTo(7 / 1.5, 4);
    expect(spread).toEqual([0.25, 0.25, 0.25]);
    // x̄ of ten of −1 … −80: Δ̂(0) = (7.5 + 2·x̄) / 1.5, and the ten lie within their range.
    const mean = (criticality[0] * 1.5 - 7.5) / 2;
    expect(10 * mean).toBeCloseTo(Math.round(10 * mean), 3);
    expect(mean).toBeGreaterThan(-75.5);
    expect(mean).toBeLessThan(-5.5);
    expect(mask.explainer.name).toBe("both");
  });

  it("ranks by both, and leaves what single actions are worth to the objective", async () => {
    // Weight 2 turns the order of what was learned around: Δ̂ = (2x + 2·(−2x)) / 3 + … = −⅔x + …
    const mask = shrunk("both", known(), () => byRow("target", (x) => -x), 2).create(context);
    await mask.fit(evidence, PLAN);
    const m = new Float32Array(3);
    mask.mask(asked([-100, -40, 0]), m);
    expect(m[0]).toBe(1);
    expect(m[1]).toBeLessThan(1);
    expect(m[2]).toBe(0);
    const worth = new Float32Array(1);
    mask.advantages?.({ ...asked([0]) }, worth);
    expect(worth[0]).toBe(1);
  });

  it("takes the mean alone of a target that tells nothing, and leaves the order as it was", async () => {
    const mask = shrunk("both", known(), () => byRow("flat", () => 9), 1).create(context);
    await mask.fit(evidence, PLAN);
    // (2x + 5 + mean) / 2: x apart by one, Δ̂ apart by one
    const { criticality } = scored(mask.explainer, [-3, -2]);
    expect(criticality[1] - criticality[0]).toBeCloseTo(1, 4);
  });

  it("takes sums of equal scores for equal, though they are not in the last digits, and is not thrown by a drift later", async () => {
    let told = -1.4189385332;
    const mask = shrunk("both", known(), () => byRow("flat", () => told), 0.3).create(context);
    // Of 79 of the rows ten are sampled: a tenth of −1.4189… has no end in binary.
    await mask.fit({ ...evidence, rows: evidence.rows.subarray(1) }, PLAN);
    const before = scored(mask.explainer, [-3, -2]).criticality;
    told += 0.001;
    expect(scored(mask.explainer, [-3, -2]).criticality).toEqual(before);
    // The mean over the ten is that of 2x + 5, which lies between −155 and 3.
    for (const [i, x] of [-3, -2].entries()) {
      const mean = (before[i] * 1.3 - (2 * x + 5)) / 0.3;
      expect(mean).toBeGreaterThan(-155);
      expect(mean).toBeLessThan(3);
    }
  });

  it("is the objective itself where there is no target", async () => {
    const mask = shrunk("both", known(), () => undefined, 0.3).create(context);
    await mask.fit(evidence, PLAN);
    expect(mask.explainer.name).toBe("both");
    expect(scored(mask.explainer, [-3, -2])).toEqual({ criticality: [-1, 1], spread: [0.25, 0.25] });
  });

  it("is the objective itself at weight 0", async () => {
    const mask = shrunk("both", known(), () => byRow("target", (x) => stream(Math.round(-x)).normal()), 0).create(
      context,
    );
    await mask.fit(evidence, PLAN);
    expect(scored(mask.explainer, [-3, -2]).criticality).toEqual([-1, 1]);
  });

  it("refuses a weight that is none", () => {
    for (const weight of [-0.1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => shrunk("both", known(), () => byRow("target", (x) => x), weight)).toThrow(
        expect.objectContaining({ code: "invalid-option" }),
      );
    }
  });
});
