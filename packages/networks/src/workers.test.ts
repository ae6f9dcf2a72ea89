import { afterEach, describe, expect, it } from "@jest/globals";
import { type Learner, type Objective, stream, trajectoryHash, type UpdatePlan } from "@magic-mask/core";
import { backends } from "./backends.ts";
import { type FusedThreads, fusedThreads } from "./workers.ts";

const pools: FusedThreads[] = [];
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

/** The fused backend on so many threads. */
function load(threads: number) {
  if (threads === 0) return backends.fused.load();
  const pool = fusedThreads(threads);
  pools.push(pool);
  return pool.load();
}

const D = 6;
/** Rows of a regression, and a plan of several epochs over them. */
function work(rows: number, name: string): [Objective, UpdatePlan] {
  const random = stream(name);
  const floats = (length: number) => Float32Array.from({ length }, () => random.normal());
  const batch = { inputs: floats(rows * D), targets: floats(rows * 2), weights: floats(rows * 2).map(Math.abs) };
  const order = Int32Array.from({ length: 3 * rows }, (_, i) => i % rows);
  return [
    { loss: { kind: "regression" }, batch },
    { rows: order, minibatch: 32, learningRate: 0.01, maxGradNorm: 0.5 },
  ];
}

const newLearner = (create: Awaited<ReturnType<typeof load>>, name: string): Learner =>
  create({ kind: "mlp", inputs: D, hidden: [16, 8], activation: "tanh", outputs: [2] }, stream(name));

describe("updates on threads", () => {
  it("are the same bits on any number of them, for learners side by side and turn after turn", async () => {
    const run = async (threads: number) => {
      const create = await load(threads);
      const learners = ["a", "b", "c", "d", "e"].map((name) => newLearner(create, name));
      const hash = trajectoryHash();
      // Each turn has more rows, so that memories have to grow under the threads.
      for (const rows of [40, 500, 20_000]) {
        const statistics = await Promise.all(
          learners.map((learner, k) => learner.update(...work(rows, `${k} ${rows}`))),
        );
        const out = new Float32Array(2);
        for (const [k, learner] of learners.entries()) {
          const { parameters, firstMoment, secondMoment, steps } = learner.exportState();
          learner.infer(new Float32Array(D).fill(k), 1, out);
          const { loss, grad_norm } = statistics[k];
          for (const part of [parameters, firstMoment, secondMoment, out, Float64Array.of(steps, loss, grad_norm)]) {
            hash.update(part);
          }
        }
      }
      return hash.digest();
    };
    const [none, one, three] = await Promise.all([0, 1, 3].map(run));
    expect(one).toBe(none);
    expect(three).toBe(none);
  });

  it("leave the learner to nothing else until they are done", async () => {
    const learner = newLearner(await load(1), "a");
    const state = learner.exportState();
    const [objective, plan] = work(300, "w");
    const updating = learner.update(objective, plan);
    const busy = expect.objectContaining({ code: "out-of-order" });
    expect(() => learner.infer(new Float32Array(D), 1, new Float32Array(2))).toThrow(busy);
    expect(() => learner.exportState()).toThrow(busy);
    expect(() => learner.restoreState(state)).toThrow(busy);
    await expect(learner.update(objective, plan)).rejects.toEqual(busy);
    await expect(learner.gradient(objective, plan.rows)).rejects.toEqual(busy);
    await updating;
    expect(learner.exportState().steps).toBe(Math.ceil(900 / 32));
    learner.dispose();
  });

  it("refuse what the learner refuses, and go on", async () => {
    const learner = newLearner(await load(1), "a");
    const [objective, plan] = work(50, "w");
    const inputs = objective.batch.inputs.slice().fill(Number.NaN);
    const mad = { ...objective, batch: { ...objective.batch, inputs } } as Objective;
    await expect(learner.update(mad, plan)).rejects.toMatchObject({ code: "not-finite" });
    await learner.update(objective, plan);
    expect(learner.exportState().steps).toBeGreaterThan(0);
  });

  it("are lost when the threads are closed, and say so", async () => {
    const create = await load(1);
    const learner = newLearner(create, "a");
    const lost = learner.update(...work(20_000, "w")).catch((error) => error);
    await pools[0].close();
    expect(await lost).toMatchObject({ code: "worker-lost" });
    await expect(learner.update(...work(20, "w"))).rejects.toMatchObject({ code: "worker-lost" });
  });

  it("need a thread", () => {
    expect(() => fusedThreads(0)).toThrow(expect.objectContaining({ code: "invalid-option" }));
  });
});
