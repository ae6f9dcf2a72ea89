import { describe, expect, it } from "@jest/globals";
import { calibrateGate, calibrateGates } from "./calibrate-gate.ts";
import type { Gate } from "./gated-policy.ts";

/** Plays a fixed list of scores. */
const fixed = (scores: number[]) => (gate: Gate) => ({
  scores,
  blinded: scores.reduce(
    (sum, score) => sum + (score > gate.threshold ? 1 : score === gate.threshold ? gate.ties : 0),
    0,
  ),
});

describe("calibrateGate", () => {
  it("is the quantile where blinding changes nothing", () => {
    // The top fifth of 1 … 10 is 9 and 10: the threshold is 8, and nothing of it.
    expect(calibrateGate(fixed([5, 3, 9, 1, 10, 2, 8, 4, 7, 6]), 0.2)).toEqual({ threshold: 8, ties: 0 });
  });

  it("takes the right share of equal scores", () => {
    // q = .3 of five: 1.5 decisions: the one at 7 and .5 of the two at 6.
    expect(calibrateGate(fixed([6, 1, 7, 6, 2]), 0.3)).toEqual({ threshold: 6, ties: 0.25 });
    expect(calibrateGate(fixed([4, 4, 4, 4]), 0.1)).toEqual({ threshold: 4, ties: 0.1 });
  });

  // 1,000 decisions score 0 … 999; each one that is blinded brings on a further decision that scores 100 more than it.
  let trials = 0;
  const escalating = (gate: Gate) => {
    trials++;
    const scores: number[] = [];
    let blinded = 0;
    for (let score = 0; score < 1000; score++) {
      for (let met = score; ; met += 100) {
        scores.push(met);
        if (met <= gate.threshold || met > 2000) break;
        blinded++;
      }
    }
    return { scores, blinded };
  };
  const missOf = (gate: Gate, share: number) => {
    const { scores, blinded } = escalating(gate);
    return Math.abs(blinded / scores.length - share);
  };

  it.each([0.05, 0.1, 0.5, 0.9])("closes the loop at %f where blinding makes high scores more frequent", (share) => {
    expect(missOf(calibrateGate(escalating, share), share)).toBeLessThanOrEqual(0.0025);
  });

  it("closes several loops in fewer trials than one by one", () => {
    const shares = [0.02, 0.05, 0.1, 0.3];
    trials = 0;
    const gates = calibrateGates(escalating, shares);
    const together = trials;
    trials = 0;
    for (const share of shares) calibrateGate(escalating, share);
    expect(together).toBeLessThan(trials);
    shares.forEach((share, k) => {
      expect(missOf(gates[k], share)).toBeLessThanOrEqual(0.0025);
    });
  });

  it("refuses play without decisions", () => {
    expect(() => calibrateGate(fixed([]), 0.1)).toThrow("[metrics/calibrate-gate] the agent made no decision");
  });
});
