import { describe, expect, it } from "@jest/globals";
import { box, discrete, multiDiscrete, type PpoBatch, type PpoLoss } from "@magic-mask/core";
import { lossGradient, ppoLossGradient, regressionLossGradient } from "./losses.ts";

const LOSS: PpoLoss = { kind: "ppo", space: discrete(3), clip: 0.2, valueCoefficient: 0.5, entropyCoefficient: 0.1 };

// Logits ln 3, 0 and an illegal 5: π = (3/4, 1/4, –). The action is 0, π_old of it was 0.6: r = 0.75 / 0.6 = 1.25.
const OUTPUTS = [Math.log(3), 0, 5, 1];
const batch = (rows: { advantage: number }[]): PpoBatch => ({
  inputs: new Float32Array(0),
  legal: Uint8Array.from(rows.flatMap(() => [1, 1, 0])),
  actions: Float32Array.from(rows, () => 0),
  logProbs: Float32Array.from(rows, () => Math.log(0.6)),
  advantages: Float32Array.from(rows, ({ advantage }) => advantage),
  returns: Float32Array.from(rows, () => 3),
});

// H = −¾ ln ¾ − ¼ ln ¼ = 0.562335; ∂(−0.1·H)/∂z₀ = 0.1·¾·(ln ¾ + H) = 0.020599, and its opposite for z₁.
const H = 0.562335;
const PULL = 0.020599;

function close(got: Float32Array, wanted: number[], digits: number): void {
  expect(got).toHaveLength(wanted.length);
  for (let k = 0; k < wanted.length; k++) expect(got[k]).toBeCloseTo(wanted[k], digits);
}

describe("ppoLossGradient", () => {
  it("stops at the clipping range where the advantage would push on: A = 2", () => {
    const dOutputs = new Float32Array(4);
    const means = ppoLossGradient(
      LOSS,
      batch([{ advantage: 2 }]),
      Int32Array.of(0),
      Float32Array.from(OUTPUTS),
      dOutputs,
    );
    // min(1.25·2, 1.2·2) = 2.4; ½(1 − 3)² = 2; (1.25 − 1) − ln 1.25 = 0.026856.
    expect(means.policy_loss).toBeCloseTo(-2.4, 5);
    expect(means.value_loss).toBeCloseTo(2, 5);
    expect(means.entropy).toBeCloseTo(H, 5);
    expect(means.approx_kl).toBeCloseTo(0.026856, 5);
    expect(means.clipfrac).toBe(1);
    // No surrogate; ½·(1 − 3) = −1 for V.
    close(dOutputs, [PULL, -PULL, 0, -1], 5);
  });

  it("comes back from outside the range: A = −2", () => {
    const dOutputs = new Float32Array(4);
    const means = ppoLossGradient(
      LOSS,
      batch([{ advantage: -2 }]),
      Int32Array.of(0),
      Float32Array.from(OUTPUTS),
      dOutputs,
    );
    // min(1.25·−2, 1.2·−2) = −2.5, slope −r·A = 2.5: 2.5·(1 − ¾) = 0.625 and 2.5·(0 − ¼) = −0.625.
    expect(means.policy_loss).toBeCloseTo(2.5, 5);
    close(dOutputs, [0.625 + PULL, -0.625 - PULL, 0, -1], 5);
  });

  it("takes the mean over the rows named, in their order", () => {
    const dOutputs = new Float32Array(8);
    const rows = [{ advantage: Number.NaN }, { advantage: -2 }, { advantage: 2 }];
    const outputs = Float32Array.from([...OUTPUTS, ...OUTPUTS]);
    const means = ppoLossGradient(LOSS, batch(rows), Int32Array.of(2, 1), outputs, dOutputs);
    // (−2.4 + 2.5) / 2, and each row's gradient halved.
    expect(means.policy_loss).toBeCloseTo(0.05, 5);
    close(
      dOutputs.map((d) => 2 * d),
      [PULL, -PULL, 0, -1, 0.625 + PULL, -0.625 - PULL, 0, -1],
      5,
    );
  });

  it("counts no row as clipped inside the range", () => {
    const { logProbs, ...rest } = batch([{ advantage: 1 }]);
    logProbs[0] = Math.log(0.75);
    const means = ppoLossGradient(
      LOSS,
      { ...rest, logProbs },
      Int32Array.of(0),
      Float32Array.from(OUTPUTS),
      new Float32Array(4),
    );
    expect(means.clipfrac).toBe(0);
    expect(means.approx_kl).toBeCloseTo(0, 10);
  });

  it("gives a forced move no policy gradient and no entropy", () => {
    const forced = { ...batch([{ advantage: 2 }]), legal: Uint8Array.of(1, 0, 0), logProbs: new Float32Array(1) };
    const dOutputs = new Float32Array(4);
    const means = ppoLossGradient(LOSS, forced, Int32Array.of(0), Float32Array.from(OUTPUTS), dOutputs);
    expect(means.entropy).toBeCloseTo(0, 10);
    close(dOutputs, [0, 0, 0, -1], 10);
  });

  it("stays finite for logits far apart", () => {
    const outputs = Float32Array.of(1000, -1000, 0, 1);
    const dOutputs = new Float32Array(4);
    const means = ppoLossGradient(LOSS, batch([{ advantage: 2 }]), Int32Array.of(0), outputs, dOutputs);
    expect(means.entropy).toBe(0);
    expect(dOutputs).toEqual(Float32Array.of(0, 0, 0, -1));
  });
});

describe("ppoLossGradient over other spaces", () => {
  const one = { advantages: Float32Array.of(1), returns: Float32Array.of(3) };

  it("adds up the parts of an action", () => {
    // Part 0: (¾, ¼), action 0; part 1: (½, ½), action 1. ln π = ln ⅜; old ln π the same: r = 1.
    const batch: PpoBatch = {
      ...one,
      inputs: new Float32Array(0),
      legal: Uint8Array.of(1, 1, 1, 1),
      actions: Float32Array.of(0, 1),
      logProbs: Float32Array.of(Math.log(0.375)),
    };
    const dOutputs = new Float32Array(5);
    const loss = { ...LOSS, space: multiDiscrete(2, 2), entropyCoefficient: 0 };
    const outputs = Float32Array.of(Math.log(3), 0, 2, 2, 1);
    const means = ppoLossGradient(loss, batch, Int32Array.of(0), outputs, dOutputs);
    expect(means.policy_loss).toBeCloseTo(-1, 6);
    // H(¾, ¼) + ln 2.
    expect(means.entropy).toBeCloseTo(H + Math.LN2, 5);
    // −r·A·(1[k = a] − p): −¼, ¼ and ½, −½; V as before.
    close(dOutputs, [-0.25, 0.25, 0.5, -0.5, -1], 6);
  });

  it("takes normal entries, and holds ln σ in its bounds", () => {
    // μ = 1, σ = 2, a = 3: z = 1, ∂ln π/∂μ = ½, ∂ln π/∂s = 0. The other: s = 9 is held at 2, z = 0.
    const batch: PpoBatch = {
      ...one,
      inputs: new Float32Array(0),
      legal: new Uint8Array(0),
      actions: Float32Array.of(3, 5),
      logProbs: Float32Array.of(-0.5 - Math.LN2 - 2 - Math.log(2 * Math.PI)),
    };
    const dOutputs = new Float32Array(5);
    const loss = { ...LOSS, space: box([2], -9, 9) };
    const outputs = Float32Array.of(1, 5, Math.LN2, 9, 1);
    const means = ppoLossGradient(loss, batch, Int32Array.of(0), outputs, dOutputs);
    expect(means.approx_kl).toBeCloseTo(0, 6);
    expect(means.entropy).toBeCloseTo(Math.LN2 + 2 + 1 + Math.log(2 * Math.PI), 5);
    // −½; 0; −(1² − 1) − 0.1 of entropy; 0.
    close(dOutputs, [-0.5, 0, -0.1, 0, -1], 5);
  });
});

describe("regressionLossGradient", () => {
  it("weights squared errors", () => {
    const dOutputs = new Float32Array(4);
    const means = regressionLossGradient(
      {
        inputs: new Float32Array(0),
        targets: Float32Array.of(9, 9, 1, 2, 0, 0),
        weights: Float32Array.of(9, 9, 2, 0, 1, 0.5),
      },
      Int32Array.of(1, 2),
      Float32Array.of(4, 7, -1, 2),
      dOutputs,
    );
    // Row 1: 2·(4 − 1)² + 0·(7 − 2)² = 18; row 2: 1·(−1)² + ½·2² = 3; mean 10.5.
    expect(means.loss).toBe(10.5);
    // 2·2·3/2, 0, 2·1·(−1)/2, 2·½·2/2.
    expect(dOutputs).toEqual(Float32Array.of(6, 0, -1, 1));
  });
});

describe("lossGradient", () => {
  it("names a mean that is not finite", () => {
    const objective = { loss: LOSS, batch: batch([{ advantage: Number.NaN }]) };
    expect(() => lossGradient(objective, Int32Array.of(0), Float32Array.from(OUTPUTS), new Float32Array(4))).toThrow(
      expect.objectContaining({ code: "not-finite", message: expect.stringContaining("policy_loss is NaN") }),
    );
  });
});
