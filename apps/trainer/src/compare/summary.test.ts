import { describe, expect, it } from "@jest/globals";
import type { CellResult } from "./cells.ts";
import { headlineShare, type Plan } from "./plan.ts";
import { type Difference, isOver, sentenceOn, summarise, verdictOn } from "./summary.ts";

/** AUROCs per agent; all other figures follow from them. */
const cell = (explainer: string, budget: number, aurocs: readonly (number | null)[]): CellResult => ({
  explainer,
  budget,
  agents: aurocs.map((auroc, i) => ({
    agent: `agent_${i}`,
    auroc,
    spearman: auroc === null ? null : auroc / 2,
    ndcg: auroc === null ? null : auroc / 4,
    calibration: explainer === "advantage" ? 0.8 + i / 10 : null,
    initialisations: [{ auroc, spearman: null, ndcg: null }],
    drops: [
      { order: "top", share: 0.05, budget: 0.05, drop: 0.9 },
      { order: "top", share: 0.1, budget: 0.11, drop: auroc ?? 0 },
      { order: "bottom", share: 0.1, budget: 0.1, drop: 0 },
    ],
    statemask: { window: (auroc ?? 0) - 1, random: 0, floor: auroc === null ? null : -1 },
  })),
  cost: { steps: budget, wallSeconds: 2, judgingWallSeconds: 4 },
  commit: null,
});

const plan = {
  policies: [{ label: "1" }, { label: "2" }, { label: "3" }],
  budgets: [1000],
  sizes: { shares: [0.05, 0.1] },
  subject: "advantage",
} as unknown as Plan;

/** Three policies of two agents. */
const results = [
  [
    cell("advantage", 1000, [0.9, 0.7]),
    cell("statemask", 1000, [0.7, 0.7]),
    cell("random", 0, [0.5, 0.5]),
    cell("entropy", 0, [0.8, 0.82]),
    cell("log_prob_gap", 0, [0.6, 0.6]),
  ],
  [
    cell("advantage", 1000, [0.8, 0.9]),
    cell("statemask", 1000, [0.7, 0.8]),
    cell("random", 0, [0.4, 0.6]),
    cell("entropy", 0, [0.8, 0.8]),
    cell("log_prob_gap", 0, [0.95, 0.95]),
  ],
  [
    cell("advantage", 1000, [1.0, 0.8]),
    cell("statemask", 1000, [0.8, 0.8]),
    cell("random", 0, [0.6, 0.6]),
    cell("entropy", 0, [0.9, 0.88]),
    cell("log_prob_gap", 0, [0.6, 0.6]),
  ],
];

const find = (all: readonly Difference[], metric: string, explainer: string, reference: string) =>
  all.find((each) => each.metric === metric && each.explainer === explainer && each.reference === reference);

describe("a row that took more than its budget", () => {
  const over = (steps: number) =>
    [0, 1, 2].map((more) => ({
      ...cell("lookahead", 1000, [0.9, 0.9]),
      cost: { steps: steps + more, wallSeconds: 2, judgingWallSeconds: 4 },
    }));
  it("is said to have found what it found after what it took, and what its table says is the most of any policy", () => {
    const spent = summarise(
      plan,
      results.map((cells, i) => [...cells, over(3000)[i]]),
    );
    const row = spent.rows[spent.rows.length - 1];
    expect([row.steps, isOver(row)]).toEqual([3002, true]);
    expect(spent.discoveries.find(({ explainer }) => explainer === "lookahead")?.steps).toEqual([3002, 3002, 3002]);
    const kept = summarise(
      plan,
      results.map((cells, i) => [...cells, over(1010)[i]]),
    );
    expect(isOver(kept.rows[kept.rows.length - 1])).toBe(false);
    expect(kept.discoveries.find(({ explainer }) => explainer === "lookahead")?.steps).toEqual([1000, 1000, 1000]);
  });
});

describe("a summary", () => {
  const summary = summarise(plan, results);
  const { rows, discoveries, differences, standing } = summary;

  it("takes the mean over agents, then the t-interval over policies", () => {
    // Means over agents: .8, .85, .9; their mean .85, deviation .05, and t(.975; 2) = 4.302653.
    const { values, interval } = rows[0].auroc;
    expect(values).toEqual([0.8, 0.85, 0.9].map((value) => expect.closeTo(value, 12)));
    const margin = (4.302653 * 0.05) / Math.sqrt(3);
    expect(interval?.estimate).toBeCloseTo(0.85, 12);
    expect(interval?.low).toBeCloseTo(0.85 - margin, 6);
    expect(interval?.high).toBeCloseTo(0.85 + margin, 6);
    expect(rows[0].spearman.interval?.estimate).toBeCloseTo(0.425, 12);
    expect(rows[0].ndcg.interval?.estimate).toBeCloseTo(0.2125, 12);
    // .8 and .9 of the two agents; statemask tells no spread.
    expect(rows[0].calibration.interval?.estimate).toBeCloseTo(0.85, 12);
    expect(rows[1].calibration).toEqual({ values: [null, null, null], interval: null });
  });

  it("gives each agent's own as well", () => {
    const [first, second] = rows[0].agents;
    expect([first.agent, first.auroc.values]).toEqual(["agent_0", [0.9, 0.8, 1]]);
    expect([second.agent, second.auroc.values]).toEqual(["agent_1", [0.7, 0.9, 0.8]]);
  });

  it("keeps the realised budget of every point of a curve, and what it cost", () => {
    expect(rows[0].drops.map(({ order, share, budget }) => [order, share, budget.interval?.estimate])).toEqual([
      ["top", 0.05, 0.05],
      ["top", 0.1, expect.closeTo(0.11, 12)],
      ["bottom", 0.1, expect.closeTo(0.1, 12)],
    ]);
    expect(rows[0].statemask?.window.interval?.estimate).toBeCloseTo(-0.15, 12);
    expect(rows[0].statemask?.floor.values).toEqual([-1, -1, -1]);
    expect(rows[0].wall).toEqual({ learning: 2, judging: 4 });
    expect(rows[0].steps).toBe(1000);
  });

  it("pairs differences by policy", () => {
    // advantage − statemask: .8 − .7, .85 − .75, .9 − .8 = .1 each: no spread, so above.
    const found = find(differences, "auroc", "advantage", "statemask");
    expect(found?.values).toEqual([0.1, 0.1, 0.1].map((value) => expect.closeTo(value, 12)));
    expect(found?.interval?.estimate).toBeCloseTo(0.1, 12);
    expect(found?.verdict).toBe("above");
  });

  it("takes the better of the policy's own signs by its mean over policies, once for all", () => {
    // entropy .81, .8, .89: mean .8333; log_prob_gap .6, .95, .6: mean .7167, though it is best for the second policy.
    const references = new Set(differences.map(({ reference }) => reference));
    expect(references).toEqual(new Set(["statemask", "entropy"]));
    const found = find(differences, "auroc", "advantage", "entropy");
    // −.01, .05, .01: mean .016667, deviation .030551, margin 4.302653 · .030551 / √3 = .0759.
    expect(found?.interval?.estimate).toBeCloseTo(0.05 / 3, 12);
    expect(found?.interval?.high).toBeCloseTo(0.05 / 3 + 0.0758915, 5);
    expect(found?.verdict).toBe("not separated");
  });

  it("compares drops at a tenth of the decisions, and holds the subject against everyone", () => {
    expect(find(differences, "drop", "advantage", "statemask")?.interval?.estimate).toBeCloseTo(0.1, 12);
    const against = standing.filter(({ metric }) => metric === "auroc").map(({ reference }) => reference);
    expect(against).toEqual(["statemask", "random", "entropy", "log_prob_gap"]);
  });

  it("finds the budget from which on an explainer stays above .8, per policy", () => {
    // advantage .8, .85, .9: .8 is not above. entropy .81, .8, .89, without a step; log_prob_gap .95 for the second policy.
    expect(discoveries).toEqual([
      { explainer: "advantage", steps: [null, 1000, 1000] },
      { explainer: "statemask", steps: [null, null, null] },
      { explainer: "random", steps: [null, null, null] },
      { explainer: "entropy", steps: [0, null, 0] },
      { explainer: "log_prob_gap", steps: [null, 0, null] },
    ]);
  });

  it("says in one sentence where the subject stands", () => {
    const sentence = sentenceOn("nim_v0", plan, summary);
    expect(sentence).toContain("nim_v0");
    expect(sentence).toMatch(/advantage is above statemask \(\+0\.100 \[\+0\.100, \+0\.100\]\), random/);
    expect(sentence).toMatch(/not separated from entropy .*log_prob_gap/);
  });
});

it("leaves open what is undefined for a policy, and says so", () => {
  const open = results.map((cells, policy) =>
    cells.map((each) => (policy === 1 && each.explainer === "random" ? cell("random", 0, [null, 0.5]) : each)),
  );
  const summary = summarise(plan, open);
  const { rows, standing } = summary;
  expect(rows[2].auroc).toEqual({ values: [0.5, null, 0.6], interval: null });
  expect(find(standing, "auroc", "advantage", "random")).toMatchObject({ interval: null, verdict: "undefined" });
  expect(sentenceOn("nim_v0", plan, summary)).toContain("not to be compared with random");
});

it("shows initialisations as an interval of their means", () => {
  const several = results.map((cells) =>
    cells.slice(0, 1).map((each) => ({
      ...each,
      agents: each.agents.map((figures) => ({
        ...figures,
        initialisations: [0.4, 0.6].map((auroc) => ({ auroc, spearman: null, ndcg: null })),
      })),
    })),
  );
  // .4 and .6 everywhere: mean .5, deviation .141421, t(.975; 1) = 12.7062, margin 12.7062 · .1 = 1.27062.
  const { initialisations } = summarise(plan, several).rows[0];
  expect(initialisations?.estimate).toBeCloseTo(0.5, 12);
  expect(initialisations?.high).toBeCloseTo(0.5 + 1.27062, 4);
});

it("has a verdict for every interval", () => {
  const interval = (low: number, high: number) => ({ estimate: (low + high) / 2, low, high });
  expect(
    [interval(0.1, 0.2), interval(-0.2, -0.1), interval(-0.1, 0.2), interval(0, 0.2), null].map(verdictOn),
  ).toEqual(["above", "below", "not separated", "not separated", "undefined"]);
});

it("shows the share nearest to a tenth", () => {
  expect([headlineShare([0.05, 0.1, 0.2]), headlineShare([0.02, 0.3]), headlineShare([0.5])]).toEqual([0.1, 0.02, 0.5]);
});
