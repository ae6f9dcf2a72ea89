import { describe, expect, it } from "@jest/globals";
import type { Explainer, Perturbation } from "@magic-mask/core";
import { longestRun, statemaskFidelity } from "./statemask-fidelity.ts";
import { always, END, type Node, sure, tablePolicy, tableWorld } from "./test-worlds.ts";

describe("longestRun", () => {
  it("finds the longest run within the top share, its length being last − first + 1", () => {
    // The top 40 % of ten: .9 at 1, .8 at 5, .7 at 6, .6 at 7. The longest run of them is 5 to 7.
    const scores = [0, 0.9, 0.1, 0.2, 0, 0.8, 0.7, 0.6, 0.3, 0];
    expect(longestRun(scores, 0.4)).toMatchObject({ first: 5, length: 3 });
    // Of the top 10 % there is one step: length 1, not 0.
    expect(longestRun(scores, 0.1)).toMatchObject({ first: 1, length: 1 });
    // One step at the least.
    expect(longestRun([1, 2, 3], 0.1)).toMatchObject({ first: 2, length: 1 });
  });

  it("takes the higher total of equally long runs, then the earlier", () => {
    expect(longestRun([5, 5, 0, 6, 6, 0, 0, 0], 0.5)).toMatchObject({ first: 3, length: 2 });
    expect(longestRun([5, 5, 0, 5, 5, 0, 0, 0], 0.5)).toMatchObject({ first: 0, length: 2 });
  });

  it("takes the earlier of equal scores at the cut, and no more than the share", () => {
    expect(longestRun([3, 3, 3, 3, 3, 3, 3, 3, 3, 3], 0.3)).toMatchObject({ first: 0, length: 3 });
    expect(longestRun([1, 1, 2, 1, 1, 1, 1, 1, 1, 1], 0.3)).toMatchObject({ first: 0, length: 3 });
  });
});

// Ten decisions in a row, at nodes 0 to 9. π plays action 0. At node 4 that earns 8, at node 7 it earns 2, elsewhere nothing.
const PAY: Record<number, number> = { 4: 8, 7: 2 };
const chain = (luck: number): Node[] =>
  Array.from({ length: 10 }, (_, k) => {
    const to = k === 9 ? END : k + 1;
    const noise = (pay: number) =>
      luck === 0 || k !== 9
        ? sure(to, pay)
        : [luck, -luck].map((extra) => ({ probability: 0.5, to, rewards: [pay + extra] }));
    return { agent: 0, actions: [noise(PAY[k] ?? 0), noise(0)] };
  });
/** Scores node `top` highest. */
const pointing = (top: number): Explainer => ({
  name: "pointing",
  score({ count, observations }, criticality, spread) {
    for (let row = 0; row < count; row++) {
      const node = observations.subarray(row * 10, (row + 1) * 10).indexOf(1);
      criticality[row] = node === top ? 1 : 0;
      spread[row] = Number.NaN;
    }
  },
});
const policies = [tablePolicy(Array.from({ length: 10 }, () => [1, 0]))];
const judged = (top: number, { luck = 0, perturbation = always(1, 2) as Perturbation, episodes = 50, seed = 1 } = {}) =>
  statemaskFidelity({
    make: tableWorld(chain(luck), 1, [0, 20]),
    policies,
    agent: 0,
    perturbation,
    explainer: pointing(top),
    episodes,
    seed,
    draws: 100,
  });

describe("statemaskFidelity", () => {
  it("is worked out by hand where nothing is left to chance", () => {
    // One decision of ten: p_l = .1. Blinding node 4 loses 8 of a range of 20: p_d = .4. ln .1 − ln .4 = ln ¼.
    const { length, window, floor, random } = judged(4);
    expect(length).toBeCloseTo(0.1, 12);
    for (const value of Object.values(window.change)) expect(value).toBeCloseTo(0.4, 12);
    expect(window.score.estimate).toBeCloseTo(Math.log(0.25), 12);
    // Without chance a replay changes nothing: ln .1 − ln 0.
    expect(floor.change.estimate).toBe(0);
    expect(floor.score).toEqual({ estimate: Infinity, low: Infinity, high: Infinity });
    // One window of ten costs 8, one 2: (.4 + .1)/10 = .05 on average; 50 windows: standard error .017.
    expect(Math.abs(random.change.estimate - 0.05)).toBeLessThan(0.06);
  });

  it("is lower, that is better, for the window that matters more", () => {
    expect(judged(4).window.score.estimate).toBeLessThan(judged(7).window.score.estimate);
    // ln .1 − ln .1
    expect(judged(7).window.score.estimate).toBeCloseTo(0, 12);
    expect(judged(4).gain.low).toBeGreaterThan(0);
  });

  it("has a floor where chance alone changes the return, and equals it where ν is π", () => {
    // The last node adds ±3: a replay differs from the episode by 6 half of the time: p_d = 3/20 = .15.
    const { floor } = judged(4, { luck: 3, episodes: 300 });
    expect(Math.abs(floor.change.estimate - 0.15)).toBeLessThan(0.02);
    const same = judged(4, { luck: 3, perturbation: always(0, 2) });
    expect(same.window).toEqual(same.floor);
  });

  it("does not depend on the number of copies", () => {
    const options = {
      make: tableWorld(chain(3), 1, [0, 20] as [number, number]),
      policies,
      agent: 0,
      perturbation: always(1, 2),
      explainer: pointing(7),
      episodes: 20,
      seed: 3,
      draws: 100,
    };
    expect(statemaskFidelity({ ...options, copies: 3 })).toEqual(statemaskFidelity(options));
  });

  it("refuses what it cannot do", () => {
    const options = {
      make: tableWorld(chain(0), 1),
      policies,
      agent: 0,
      perturbation: always(1, 2),
      explainer: pointing(4),
    };
    expect(() => statemaskFidelity({ ...options, episodes: 2, seed: 1 })).toThrow("range must be > 0, got none");
    expect(() => statemaskFidelity({ ...options, episodes: 2, seed: 1, range: 1, replays: 0 })).toThrow("replays");
    expect(() => statemaskFidelity({ ...options, episodes: 2, seed: 1, range: 1, share: 1 })).toThrow(
      "share must be in (0, 1)",
    );
  });
});
