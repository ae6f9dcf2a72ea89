import { describe, expect, it } from "@jest/globals";
import { type Explainer, play } from "@magic-mask/core";
import { plantedCriticality } from "@magic-mask/environments";
import { gatedPolicy } from "@magic-mask/metrics";
import { bothOf, scoresOf } from "../figures/scores.ts";
import { plantedSubject } from "../study/test-subject.ts";
import { baselineOf, dropCurve } from "./drops.ts";
import { lookAlong } from "./look-along.ts";

const { frozen, truths } = await plantedSubject(1);
const { world, policies } = frozen;
const { make, spec } = world;
const exact = plantedCriticality({ keys: 2 });
const DEPTH = { rollouts: 1, horizon: 1 };

describe("lookAlong", () => {
  it("scores decisions while they are met, by the world as it stands", () => {
    const { explainer, watch } = lookAlong(frozen, 0, DEPTH);
    const pairs: [number, number][] = [];
    const both: Explainer = {
      name: "both",
      score(decisions, criticality, spread) {
        const known = new Float32Array(decisions.count);
        exact.score(decisions, known, spread);
        explainer.score(decisions, criticality, spread);
        for (let row = 0; row < decisions.count; row++) pairs.push([criticality[row], known[row]]);
      },
    };
    const about = { agent: 0, space: spec.actionSpaces[0], perturbation: world.perturbations[0] };
    const observation = truths[0].states.decisions.observations.length / truths[0].states.count;
    const gate = { threshold: 0.5, ties: 0 };
    const gated = gatedPolicy(policies[0], { ...about, observation, explainer: both, gate });
    play({ make, policies: policies.with(0, gated), episodes: 6, seed: 3, copies: 4, watch });
    // The right key of two pays at once, half of which chance gets, and nothing that follows depends on it.
    expect(pairs.some(([, known]) => known > 0.4)).toBe(true);
    expect(pairs.some(([, known]) => known === 0)).toBe(true);
    for (const [ahead, known] of pairs) expect(ahead).toBeCloseTo(known, 5);
  });

  it("blinds what costs as much as what is known to, alone and beside a mask that knows nothing", () => {
    const { states } = truths[0];
    const player = { evaluate: policies[0].evaluate };
    const baseline = baselineOf(make, policies, 0, 60, 5, player);
    const about = { make, policies, agent: 0, perturbation: world.perturbations[0], baseline, seed: 5 };
    const topOf = (
      scorer: Partial<Parameters<typeof dropCurve>[0]> & { readonly explainer: Explainer },
      scores: Float32Array,
    ) => dropCurve({ ...about, shares: [0.1], headline: 0.1, scores, ...scorer })[0];
    const told = scoresOf(exact, states);
    const known = topOf({ explainer: exact }, told.scores);
    expect(known.drop).toBeGreaterThan(0.03);
    const along = lookAlong(frozen, 0, DEPTH);
    const ahead = topOf(along, told.scores);
    expect(Math.abs(ahead.budget - 0.1)).toBeLessThan(0.01);
    expect(ahead.drop).toBeGreaterThan(0.9 * known.drop);
    // The same play is told the same.
    expect(topOf(along, told.scores)).toEqual(ahead);
    const silent: Explainer = {
      name: "silent",
      score({ count }, criticality, spread) {
        criticality.fill(3, 0, count);
        spread.fill(0, 0, count);
      },
    };
    const explainer = bothOf(along.explainer, silent, told, scoresOf(silent, states));
    expect(explainer.name).toBe("silent+lookahead");
    expect(topOf({ explainer, watch: along.watch }, told.scores).drop).toBeGreaterThan(0.9 * known.drop);
  });

  it("refuses decisions of a world that nobody plays", () => {
    const { explainer } = lookAlong(frozen, 0, DEPTH);
    expect(() => scoresOf(explainer, truths[0].states)).toThrow("of no world that is being played");
  });
});
