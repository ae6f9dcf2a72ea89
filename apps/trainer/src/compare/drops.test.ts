import { expect, it } from "@jest/globals";
import { planted, plantedCriticality, plantedOptimal } from "@magic-mask/environments";
import { uniform } from "@magic-mask/masking";
import { collectStates, rewardDrop } from "@magic-mask/metrics";
import { randomPlayer } from "../policies.ts";
import { baselineOf, calibrated, dropCurve } from "./drops.ts";

const policies = [plantedOptimal(), plantedOptimal()];
const spec = planted();
const perturbation = uniform(spec.actionSpaces[0]);
const explainer = plantedCriticality();
const [states] = collectStates({ make: planted, policies, perturbation, agents: [0], count: 500, seed: 3 });
const scores = new Float32Array(500);
explainer.score(states.decisions, scores, new Float32Array(500));
const baseline = baselineOf(planted, policies, 0, 400, 5, randomPlayer(spec.actionSpaces[0]));
const curve = dropCurve({
  make: planted,
  policies,
  agent: 0,
  perturbation,
  baseline,
  scores,
  explainer,
  shares: [1 / 16, 1 / 8],
  headline: 1 / 8,
  seed: 5,
});
const point = (order: "top" | "bottom", share: number) => {
  const found = curve.find((each) => each.order === order && each.share === share);
  if (!found) throw new Error("no such point");
  return found;
};

it("costs what was planted", () => {
  // 3 locks in 24 ticks: an eighth of the decisions. A random one of 4 keys is wrong at ¾ of them and costs 1 each time.
  const { drop, budget } = point("top", 1 / 8);
  expect(Math.abs(budget - 1 / 8)).toBeLessThan(0.005);
  expect(Math.abs(drop * baseline.range - 2.25)).toBeLessThan(0.15);
  // Half as many: half of it.
  expect(Math.abs(point("top", 1 / 16).drop * baseline.range - 1.125)).toBeLessThan(0.15);
  // What is scored lowest is worth nothing.
  expect(point("bottom", 1 / 8).drop).toBeCloseTo(0, 12);
});

it("agrees with the metric that calibrates by play alone", () => {
  const { drop, budget } = rewardDrop({
    make: planted,
    policies,
    agent: 0,
    perturbation,
    explainer,
    share: 1 / 8,
    episodes: 400,
    seed: 9,
  });
  const own = point("top", 1 / 8);
  expect(Math.abs(own.drop - drop.estimate)).toBeLessThan(drop.high - drop.low);
  expect(Math.abs(own.budget - budget)).toBeLessThan(0.01);
});

it("finds the gate of a share although blinding changes what is met, and the others from it", () => {
  // Unperturbed scores are even over [0, 1). Behind a gate that blinds the scores above 1 − p, those are met twice as often.
  const scores = Array.from({ length: 1000 }, (_, i) => i / 1000);
  let trials = 0;
  const budgetOf = ({ threshold }: { readonly threshold: number }) => {
    const p = 1 - threshold;
    return (2 * p) / (1 + p);
  };
  const { nearest, gateFor } = calibrated(scores, 0.1, (gate) => {
    trials++;
    const above = scores.filter((score) => score > gate.threshold);
    return { scores: [...scores, ...above], budget: budgetOf(gate) };
  });
  // 2p / (1 + p) = .1 at p = 1/19; the others are near what they aim at, as lines between points are near the curve.
  expect(Math.abs(nearest.budget - 0.1)).toBeLessThan(0.0025);
  expect(budgetOf(gateFor(0.1))).toBeCloseTo(0.1, 2);
  expect(Math.abs(budgetOf(gateFor(0.05)) - 0.05)).toBeLessThan(0.01);
  expect(Math.abs(budgetOf(gateFor(0.2)) - 0.2)).toBeLessThan(0.06);
  expect(trials).toBeLessThanOrEqual(5);
});

it("finds it although the highest thousandth of the scores blinds a tenth", () => {
  // Behind a gate at position p the share p^⅓ is blinded: .1 at p = .001, where straight lines from 0 come by p ← p · .1 / p^⅓.
  const scores = Array.from({ length: 10_000 }, (_, i) => i);
  let trials = 0;
  const { nearest } = calibrated(scores, 0.1, ({ threshold, ties }) => {
    trials++;
    return { scores: [], budget: ((scores.length - 1 - threshold + ties) / scores.length) ** (1 / 3) };
  });
  expect(Math.abs(nearest.budget - 0.1)).toBeLessThan(0.0025);
  expect(trials).toBeLessThan(20);
});

it("blinds a share of equal scores by chance", () => {
  const { gateFor } = calibrated([1, 1, 1, 1], 0.3, ({ ties }) => ({ scores: [1, 1], budget: ties }));
  expect(gateFor(0.3)).toEqual({ threshold: 1, ties: expect.closeTo(0.3, 12) });
});
