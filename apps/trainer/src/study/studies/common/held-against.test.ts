/** Reports of studies that leave no claim to hold figures against: what they pair, and what they call apart. */
import { describe, expect, it } from "@jest/globals";
import { pairedTInterval } from "@magic-mask/metrics";
import type { ControlFigures } from "../control/control.ts";
import { reportOnControl } from "../control/report.ts";
import type { PerturbationFigures } from "../perturbation/perturbation.ts";
import { reportOnPerturbation } from "../perturbation/report.ts";
import { reportOnRetrain } from "../retrain/report.ts";
import type { RetrainFigures } from "../retrain/retrain.ts";
import { reportOnTransfer } from "../transfer/report.ts";
import type { TransferFigures } from "../transfer/transfer.ts";
import { apart } from "./apart.ts";

const SEEDS = [1, 2, 3];
const made = <F>(axis: string, arms: Readonly<Record<string, (seed: number) => F>>) =>
  Object.entries(arms).flatMap(([arm, figures]) =>
    SEEDS.map((seed) => ({
      at: { environment: "w", seed, budget: 1000, [axis]: arm },
      steps: 1000,
      figures: figures(seed),
      seconds: { shared: 0, learning: 0, judging: 0 },
    })),
  );
const axesOf = (axis: string, arms: object) => ({
  environment: ["w"],
  seed: SEEDS,
  budget: [1000],
  [axis]: Object.keys(arms),
});

describe("apart", () => {
  it("says on which side of zero an interval lies", () => {
    const of = (low: number, high: number) => apart({ estimate: (low + high) / 2, low, high });
    expect([of(0.1, 0.2), of(-0.2, -0.1), of(-0.1, 0.2), of(0, 0), apart(null)]).toEqual([
      "above",
      "below",
      "not separated",
      "not separated",
      "unknown",
    ]);
  });
});

describe("the report on perturbation", () => {
  it("holds each ν against uniform play, seed by seed", () => {
    const figures =
      (auroc: (seed: number) => number) =>
      (seed: number): PerturbationFigures => ({
        agents: [
          {
            agent: "a",
            loss: 0.1,
            own: { auroc: auroc(seed), spearman: 0 },
            uniform: { auroc: auroc(seed) - 0.1, spearman: 0 },
            overlap: 0.4,
            plausibility: -1,
            noise: 0.1,
          },
        ],
      });
    // Both rise by a tenth from seed to seed; paired the differences are .05, .06, .07.
    const arms = { uniform: figures((s) => 0.5 + 0.1 * s), adversary: figures((s) => 0.54 + 0.11 * s) };
    const { judgements, sentences } = reportOnPerturbation(axesOf("perturbation", arms), made("perturbation", arms));
    const [{ measured, verdict, why }] = judgements;
    const wanted = pairedTInterval([0.65, 0.76, 0.87], [0.6, 0.7, 0.8]);
    expect(measured?.low).toBeCloseTo(wanted.low, 10);
    expect([verdict, why]).toEqual(["not comparable", "the paper leaves it open; above"]);
    expect(sentences[0]).toContain("40 % of its true top tenth is uniform's");
  });
});

describe("the report on transfer", () => {
  it("holds a mask from elsewhere against one from here", () => {
    const figures =
      (zeroShot: number | null) =>
      (seed: number): TransferFigures => ({
        agents: [
          {
            agent: "a",
            zeroShot: zeroShot && zeroShot + seed / 100,
            tuned: 0.8,
            tenth: 0.6,
            scratch: 0.9 + seed / 100,
          },
        ],
        entropy: 0.75,
        logProbGap: 0.7,
      });
    const arms = { policy: figures(0.7), full: figures(null) };
    const { tables, judgements, sentences } = reportOnTransfer(axesOf("inputs", arms), made("inputs", arms));
    // .7 − .9 in each seed; above chance (.22 of .42 on average) 52 % are kept.
    expect(judgements[0].measured?.high).toBeCloseTo(-0.2, 10);
    expect((tables[0].body[0][6] as { estimate: number }).estimate).toBeCloseTo(0.22 / 0.42, 10);
    expect(judgements[1].measured).toBeNull();
    // Of what cannot be asked nothing is said.
    expect(sentences).toHaveLength(1);
    expect(sentences[0]).toContain("against scratch on B −0.20 [−0.20, −0.20] (below)");
  });
});

describe("the report on control", () => {
  it("says what advantage is above, and how well the policies play", () => {
    const figures =
      (auroc: number) =>
      (seed: number): ControlFigures => ({
        agents: [
          {
            agent: "a",
            auroc: auroc + seed / 100,
            spearman: 0,
            ndcg: 0,
            calibration: null,
            initialisations: [],
            drops: [{ order: "top", share: 0.1, budget: 0.1, drop: auroc * seed }],
            statemask: null,
          },
        ],
        returns: { policy: -100 - seed, random: -1000 },
      });
    const arms = { advantage: figures(0.8), random: figures(0.5) };
    const results = made("explainer", arms).map((each) =>
      each.at.explainer === "random" ? { ...each, steps: 0 } : each,
    );
    const { sentences, judgements, scores } = reportOnControl(axesOf("explainer", arms), results);
    expect(judgements[0].measured?.estimate).toBeCloseTo(0.3, 10);
    expect(sentences[0]).toContain("random play -1000");
    expect(sentences[2]).toContain("advantage is above random (+0.30");
    // What learns nothing stands beside the others.
    expect(scores?.runs).toHaveLength(6);
    const values = { auroc: 0.51, spearman: 0, drop: 0.5 };
    expect(scores?.runs[3]).toEqual({ environment: "w", arm: "random", seed: 1, steps: 1000, values });
    // .3, .6 and .9: .6 ± 4.3·.3/√3.
    expect(sentences[3]).toContain("not separated from random (+0.60 [−0.15, 1.35])");
  });
});

describe("the report on retraining", () => {
  it("holds starts against none and against chance, by what is gained", () => {
    const figures =
      (gain: number) =>
      (seed: number): RetrainFigures => ({
        before: seed,
        after: seed + gain,
        auroc: null,
        spent: { looking: 0, explaining: 0 },
      });
    const arms = { none: figures(1), random: figures(1.5), critical: (seed: number) => figures(seed)(seed) };
    const { judgements, sentences } = reportOnRetrain(axesOf("starts", arms), made("starts", arms));
    // 1, 2, 3 less 1: 1 ± 4.3·1/√3; less 1.5: .5 ± 2.48.
    expect(judgements.map(({ measured }) => measured?.estimate)).toEqual([1, 0.5]);
    expect(judgements.every(({ why }) => why.endsWith("not separated"))).toBe(true);
    expect(sentences).toEqual([
      "w, 1.00k further steps: training on as always gains 1 [1, 1].",
      "w, 1.00k further steps: starts by critical against none: +1 [−1.48, 3.48] (not separated).",
      "w, 1.00k further steps: starts by critical against random: +0.50 [−1.98, 2.98] (not separated).",
    ]);
  });
});
