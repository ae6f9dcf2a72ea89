import { describe, expect, it } from "@jest/globals";
import { type CreateLearner, type Learner, type Objective, parameterCount, type UpdatePlan } from "@magic-mask/core";
import { explainerLaws, referenceLearner } from "@magic-mask/core/testing";
import { objectives } from "../index.ts";
import { allDecisions, KEYS, leverWorld, playLevers, truth, WIDTH } from "../test-worlds.ts";
import type { Evidence } from "./objective.ts";
import { type PaperOptions, paper } from "./paper.ts";

const PLAN = { epochs: 8, learningRate: { start: 0.01, end: 0.002 } };

const makeMask = (options: PaperOptions = {}, { seed = 1, createLearner = referenceLearner } = {}) =>
  paper({ hidden: [8], minibatch: 64, ...options }).create({ spec: leverWorld(), agent: 0, createLearner, seed });

function evidenceOf(episodes: number, seed: number): Evidence {
  const rollout = playLevers(episodes, 0.4, seed);
  const rows = Int32Array.from({ length: rollout.length }, (_, row) => row).filter((row) => rollout.agents[row] === 0);
  return { rollout, discount: 1, rows, values: new Float32Array(0), advantages: new Float32Array(0) };
}

const evidence = evidenceOf(150, 1);
const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));
const mean = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0) / numbers.length;

/** m at every decision there is. */
function maskAll(mask: ReturnType<typeof makeMask>) {
  const decisions = allDecisions(0);
  const m = new Float32Array(decisions.count);
  mask.mask(decisions, m);
  return [...m];
}

describe("the published mask loss", () => {
  it.each([0.2, 0.5, 0.8])("drives the mean of m to τ = %p and no further", async (threshold) => {
    const mask = makeMask({ threshold });
    const statistics = await mask.fit(evidence, PLAN);
    // Every kind of state is visited as often, so the mean over kinds is the mean over visits.
    expect(Math.abs(mean(maskAll(mask)) - threshold)).toBeLessThan(0.02);
    expect(Math.abs(statistics.mean - threshold)).toBeLessThan(0.05);
    expect(statistics.loss).toBeCloseTo((statistics.mean - threshold) * (statistics.mean - threshold), 10);
  });

  it("has the gradient of (mean of m − τ)², nothing else", async () => {
    const threshold = 0.9;
    let [learner, objective, plan]: [Learner | undefined, Objective | undefined, UpdatePlan | undefined] = [
      undefined,
      undefined,
      undefined,
    ];
    const createLearner: CreateLearner = (spec, random) => {
      learner = referenceLearner(spec, random);
      // Weights large enough for m to differ from state to state: τ is asked of their mean, not of each.
      const fresh = learner.exportState();
      learner.restoreState({ ...fresh, parameters: fresh.parameters.map((x) => 6 * x) });
      return {
        ...learner,
        async update(asked, how) {
          // The arrays are reused from step to step: the first step's are kept.
          if (!objective) [objective, plan] = [structuredClone(asked), { ...how, rows: how.rows.slice() }];
          return { loss: 0 };
        },
      };
    };
    await makeMask({ threshold }, { createLearner }).fit(
      { ...evidence, rows: evidence.rows.slice(0, 20) },
      { ...PLAN, epochs: 1 },
    );
    const net = learner as unknown as Learner;
    const { batch } = objective as unknown as Objective;
    const { rows } = plan as unknown as UpdatePlan;
    const state = net.exportState();
    const literal = (parameters: Float32Array) => {
      net.restoreState({ ...state, parameters });
      const out = new Float32Array(20);
      net.infer(batch.inputs, 20, out);
      const gap = mean([...out].map(sigmoid)) - threshold;
      return gap * gap;
    };
    net.restoreState(state);
    const gradient = await net.gradient(objective as unknown as Objective, rows);
    expect(rows.length).toBe(20);
    const steepest = Math.max(...gradient.map(Math.abs));
    expect(steepest).toBeGreaterThan(0.01);
    for (let i = 0; i < parameterCount(net.spec); i++) {
      const [above, below] = [state.parameters.slice(), state.parameters.slice()];
      above[i] += 0.01;
      below[i] -= 0.01;
      const slope = (literal(above) - literal(below)) / (above[i] - below[i]);
      expect(Math.abs(gradient[i] - slope)).toBeLessThan(0.01 * steepest);
    }
  });

  it("tells critical states from others no better than chance", async () => {
    // 24 first weights; AUROC of 1 − m for the states with something at stake. f and −f are equally likely at first, so ½ is
    // what an untrained net is worth on average.
    const { ticks } = allDecisions(0);
    const aurocs = await Promise.all(
      Array.from({ length: 24 }, async (_, seed) => {
        const mask = makeMask({}, { seed });
        await mask.fit(evidence, { ...PLAN, epochs: 2 });
        const m = maskAll(mask);
        const [high, low] = [true, false].map((critical) =>
          m.filter((_m, row) => truth(0, ticks[row]) > 0.4 === critical),
        );
        return mean(high.flatMap((a) => low.map((b) => (a < b ? 1 : a === b ? 0.5 : 0))));
      }),
    );
    const average = mean(aurocs);
    const deviation = Math.sqrt(mean(aurocs.map((x) => (x - average) * (x - average))));
    expect(Math.abs(average - 0.5)).toBeLessThan((3 * deviation) / Math.sqrt(24));
    // By luck one net may rank well and another badly.
    expect(deviation).toBeGreaterThan(0.1);
  });

  it("calls critical what it gates: criticality is 1 − m, and m ≤ τ is blinded", async () => {
    const mask = makeMask({ threshold: 0.5 });
    await mask.fit(evidence, PLAN);
    const decisions = allDecisions(0);
    const m = maskAll(mask);
    const [criticality, spread] = [new Float32Array(12), new Float32Array(12)];
    mask.explainer.score(decisions, criticality, spread);
    criticality.forEach((x, row) => {
      expect(x).toBeCloseTo(1 - m[row], 6);
    });
    expect(spread.every(Number.isNaN)).toBe(true);
    const probability = new Float32Array(12);
    mask.blind?.(decisions, probability);
    expect([...probability]).toEqual(m.map((x) => (x <= 0.5 ? 1 : 0)));
  });

  it("looks at the observation alone", () => {
    const mask = makeMask();
    const decisions = allDecisions(0);
    const m = new Float32Array(12);
    mask.mask({ ...decisions, policy: new Float32Array(12 * KEYS), legal: new Uint8Array(12 * KEYS).fill(1) }, m);
    expect([...m]).toEqual(maskAll(mask));
  });

  it.each(explainerLaws.map((law) => [law.name, law] as const))("%s", async (_, law) => {
    const fitted = makeMask();
    await fitted.fit(evidence, { ...PLAN, epochs: 1 });
    const state = fitted.exportState();
    const make = () => {
      const mask = makeMask();
      mask.restoreState(state);
      return mask.explainer;
    };
    await law.run({ make, shape: { observation: WIDTH, actions: KEYS } });
  });

  it("continues from a saved state as if it had not stopped, the order of rows included", async () => {
    const [whole, stopped, resumed] = [makeMask(), makeMask(), makeMask()];
    const plan = { epochs: 2, learningRate: { start: 0.01, end: 0.001 } };
    const [first, second] = [evidenceOf(40, 2), evidenceOf(40, 3)];
    for (const mask of [whole, stopped]) await mask.fit(first, plan);
    resumed.restoreState(structuredClone(stopped.exportState()));
    const statistics = [await whole.fit(second, plan), await resumed.fit(second, plan)];
    expect(statistics[1]).toEqual(statistics[0]);
    expect(resumed.exportState()).toEqual(whole.exportState());
    const disordered = makeMask();
    disordered.restoreState({ ...stopped.exportState(), epochs: 0 });
    await disordered.fit(second, plan);
    expect(disordered.exportState()).not.toMatchObject({
      learner: (whole.exportState() as { learner: object }).learner,
    });
  });

  it("has nothing to learn from no rows", async () => {
    const mask = makeMask();
    const before = mask.exportState();
    expect(await mask.fit({ ...evidence, rows: new Int32Array(0) }, PLAN)).toEqual({});
    expect(mask.exportState()).toEqual(before);
  });

  it.each([{ threshold: 1.5 }, { threshold: -0.1 }, { threshold: Number.NaN }, { minibatch: 0 }])(
    "refuses %j",
    (options) => {
      expect(() => makeMask(options)).toThrow(expect.objectContaining({ code: "invalid-option" }));
    },
  );
});

describe("the objectives by name", () => {
  it("say who decides the blinding while they learn", () => {
    const made = Object.entries(objectives).map(([name, make]) => [name, make({ threshold: 0.5 })] as const);
    for (const [name, objective] of made) {
      expect(objective.name).toBe(name);
      const mask = objective.create({ spec: leverWorld(), agent: 0, createLearner: referenceLearner, seed: 1 });
      expect(mask.blind !== undefined).toBe(objective.blinding === "mask");
    }
    expect(made.filter(([, { blinding }]) => blinding === "mask").map(([name]) => name)).toEqual([
      "statemask",
      "statemask_lagrangian",
      "coverage",
      "paper",
    ]);
  });
});
