import { describe, expect, it } from "@jest/globals";
import { measureTruth, type TruthRequest } from "./measure-truth.ts";
import { collectStates } from "./states.ts";
import { END, sure, tablePolicy, tableWorld, uniform } from "./test-worlds.ts";
import { addTruth, branchingTruth, joinTruth } from "./truth.ts";

// Node 0 leads to one of four decisions, k = 1 … 4: action 0 earns k ± 2k of luck, action 1 nothing. π plays action 0, so Δ = k/2
// and one rollout's has σ = k. At node 5 nothing varies: action 0 earns 3.
const nodes = [
  {
    agent: 0,
    actions: [Array.from({ length: 5 }, (_, k) => ({ probability: 0.2, to: 1 + k, rewards: [0] })), null],
  },
  ...[1, 2, 3, 4].map((k) => ({
    agent: 0,
    actions: [[1, -1].map((sign) => ({ probability: 0.5, to: END, rewards: [k + 2 * k * sign] })), sure(END, 0)],
  })),
  { agent: 0, actions: [sure(END, 3), sure(END, 0)] },
];
const make = tableWorld(nodes, 1);
const policies = [tablePolicy(nodes.map(() => [1, 0]))];
const [states] = collectStates({ make, policies, perturbation: uniform(2), count: 60, seed: 1 });
const nodeAt = (s: number) => states.decisions.observations.subarray(s * 6, (s + 1) * 6).indexOf(1);
const base = { make, policies, states, discount: 1 };
const requests: TruthRequest[] = [];
const branch = (request: TruthRequest) => {
  requests.push(request);
  const { stage, rollouts, batch } = request;
  return branchingTruth({ ...base, rollouts, batch, seed: stage === "pilot" ? 1 : 2 });
};

describe("addTruth", () => {
  it("is the truth of all rollouts", () => {
    const rollouts = Int32Array.from({ length: 60 }, (_, s) => 2 + 2 * (s % 3));
    const parts = [0, 1, 2].map((batch) => branchingTruth({ ...base, rollouts, batch, seed: 2 }));
    const sum = parts.reduce(addTruth);
    // Batch k holds rollouts kn … (k+1)n − 1, so three batches are the first 3n.
    const whole = branchingTruth({ ...base, rollouts: rollouts.map((n) => 3 * n), seed: 2 });
    expect(sum.rollouts).toEqual(whole.rollouts);
    expect(sum.decisions).toBe(whole.decisions);
    for (let s = 0; s < 60; s++) {
      expect(sum.criticality[s]).toBeCloseTo(whole.criticality[s], 10);
      expect(sum.standardError[s]).toBeCloseTo(whole.standardError[s], 10);
      expect((sum.firstHalf[s] + sum.secondHalf[s]) / 2).toBeCloseTo(sum.criticality[s], 10);
    }
    whole.q.forEach((value, at) => {
      expect(sum.q[at]).toBeCloseTo(value, 10);
    });
  });

  it("takes single rollouts, of which none knows its error", () => {
    const parts = [0, 1, 2, 3].map((batch) => branchingTruth({ ...base, rollouts: 1, batch, seed: 2 }));
    const whole = branchingTruth({ ...base, rollouts: 4, seed: 2 });
    parts.reduce(addTruth).standardError.forEach((error, s) => {
      expect(error).toBeCloseTo(whole.standardError[s], 10);
    });
  });

  it("refuses truths of different states", () => {
    const [a, b] = [
      branchingTruth({ ...base, rollouts: 1, seed: 2, count: 3 }),
      branchingTruth({ ...base, rollouts: 1, seed: 2, count: 4 }),
    ];
    expect(() => addTruth(a, b)).toThrow("cannot add truths of different states");
  });
});

describe("measureTruth", () => {
  it("plays most where most varies, and some everywhere", async () => {
    const { rollouts } = await measureTruth({ pilot: 8, rollouts: 40, batches: 1, reliability: 0 }, states, branch);
    const mean = (node: number) => {
      const own = [...rollouts].filter((_, s) => nodeAt(s) === node);
      return own.reduce((sum, n) => sum + n, 0) / own.length;
    };
    // A quarter of 40 is spread evenly; the rest goes as σ = 1 : 2 : 3 : 4 : 0, noisy as 8 rollouts know it.
    expect(mean(5)).toBe(10);
    expect(mean(1)).toBeLessThan(mean(2));
    expect(mean(2)).toBeLessThan(mean(4));
    expect(Math.abs(rollouts.reduce((sum, n) => sum + n, 0) / 60 - 40)).toBeLessThan(1);
    expect(rollouts.every((n) => n % 2 === 0)).toBe(true);
  });

  it("has a smaller error than as many rollouts spread evenly", async () => {
    const { standardError } = await measureTruth(
      { pilot: 8, rollouts: 40, batches: 1, reliability: 0 },
      states,
      branch,
    );
    const even = branchingTruth({ ...base, rollouts: 40, seed: 3 });
    const total = (errors: Float64Array) => errors.reduce((sum, error) => sum + error * error, 0);
    // σ = 1 … 4 and 0 in equal parts: mean σ² = 6, (mean σ)² = 4: a third less at best, all spread by need.
    expect(total(standardError)).toBeLessThan(0.9 * total(even.standardError));
  });

  it("goes on in batches until halves agree, or to the cap", async () => {
    requests.length = 0;
    const asked = { pilot: 4, rollouts: 8, batches: 10 };
    const enough = await measureTruth({ ...asked, reliability: 0.6 }, states, branch);
    expect(enough.reliability).toBeGreaterThanOrEqual(0.6);
    expect(enough.batches).toBeGreaterThan(1);
    expect(requests.map(({ stage, batch }) => `${stage} ${batch}`)).toEqual([
      "pilot 0",
      ...Array.from({ length: enough.batches }, (_, k) => `batch ${k}`),
    ]);
    const capped = await measureTruth({ ...asked, batches: 2, reliability: 1 }, states, branch);
    expect(capped.batches).toBe(2);
  });

  it("keeps the pilot out of what is shown", async () => {
    requests.length = 0;
    const truth = await measureTruth({ pilot: 4, rollouts: 8, batches: 1, reliability: 0 }, states, branch);
    const { rollouts, batch } = requests[1];
    const { batches, pilotDecisions, ...shown } = truth;
    expect(shown).toEqual(branchingTruth({ ...base, rollouts, batch, seed: 2 }));
    // 60 states, 2 actions, 4 rollouts, 1 decision each.
    expect([batches, pilotDecisions]).toEqual([1, 480]);
  });

  it("is unbiased, where adding rollouts until an error is small would not be", async () => {
    // One action in ten thousand cases pays: over many truths the mean must be Δ, rare luck or not.
    const rare = tableWorld(
      [
        {
          agent: 0,
          actions: [
            [
              { probability: 0.9, to: END, rewards: [0] },
              { probability: 0.1, to: END, rewards: [20] },
            ],
            sure(END, 0),
          ],
        },
      ],
      1,
    );
    const alone = [tablePolicy([[1, 0]])];
    const [same] = collectStates({ make: rare, policies: alone, perturbation: uniform(2), count: 1500, seed: 1 });
    const truth = await measureTruth(
      { pilot: 4, rollouts: 8, batches: 1, reliability: 1 },
      same,
      ({ stage, ...request }) =>
        branchingTruth({
          make: rare,
          policies: alone,
          states: same,
          discount: 1,
          seed: stage === "pilot" ? 5 : 6,
          ...request,
        }),
    );
    // Δ = ½·.1·20 = 1, σ = ½·20·√(.09) = 3; in states of the 2 to 28 rollouts allotted, n̄ = 8.
    const [few, many] = [2, 0].map((_, k) => {
      const own = [...truth.criticality].filter((__, s) => truth.rollouts[s] > 2 === (k === 1));
      return own.reduce((sum, value) => sum + value, 0) / own.length;
    });
    // 1,000 states × 2 rollouts and 500 × 20: standard errors of .067 and .03.
    expect(Math.abs(few - 1)).toBeLessThan(0.25);
    expect(Math.abs(many - 1)).toBeLessThan(0.12);
  });

  it("stops where nothing varies", async () => {
    const certain = tableWorld([{ agent: 0, actions: [sure(END, 1), sure(END, 0)] }], 1);
    const alone = [tablePolicy([[1, 0]])];
    const [same] = collectStates({ make: certain, policies: alone, perturbation: uniform(2), count: 5, seed: 1 });
    const truth = await measureTruth(
      { pilot: 2, rollouts: 2, batches: 50, reliability: 0.9 },
      same,
      ({ stage: _, ...request }) =>
        branchingTruth({ make: certain, policies: alone, states: same, discount: 1, seed: 1, ...request }),
    );
    expect(truth.batches).toBe(1);
    for (const value of truth.criticality) expect(value).toBeCloseTo(0.5, 7);
  });

  it("can be cut into slices", async () => {
    const plan = { pilot: 4, rollouts: 8, batches: 2, reliability: 1 };
    const slices = (request: TruthRequest) =>
      joinTruth(
        [
          [0, 17],
          [17, 43],
        ].map(([first, count]) =>
          branchingTruth({ ...base, ...request, first, count, seed: request.stage === "pilot" ? 1 : 2 }),
        ),
      );
    expect(await measureTruth(plan, states, slices)).toEqual(await measureTruth(plan, states, branch));
  });

  it.each([
    [{ pilot: 1 }, "pilot must be a whole number ≥ 2, got 1"],
    [{ rollouts: 1 }, "rollouts must be a whole number ≥ 2, got 1"],
    [{ batches: 0 }, "batches must be a whole number ≥ 1, got 0"],
    [{ reliability: 1.5 }, "reliability must be in [0, 1], got 1.5"],
  ])("refuses %j", async (wrong, message) => {
    const plan = { pilot: 4, rollouts: 8, batches: 2, reliability: 0.9, ...wrong };
    await expect(measureTruth(plan, states, branch)).rejects.toThrow(message);
  });
});
