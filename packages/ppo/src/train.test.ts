import { describe, expect, it } from "@jest/globals";
import { episodeReturn, type Learner, type PpoBatch, play, stream, type UpdatePlan, vectorize } from "@magic-mask/core";
import { referenceLearner } from "@magic-mask/core/testing";
import { pool, scripted } from "./opponents.ts";
import { blindingSchedule, linear } from "./schedule.ts";
import { ACTIONS, formulaPolicy, learnedPolicy, lockWorld, uniform, weightedPerturbation } from "./test-worlds.ts";
import { type Iteration, type TrainOptions, train } from "./train.ts";

function newLearner(name: string) {
  const spec = { kind: "mlp", inputs: ACTIONS, hidden: [8], activation: "tanh", outputs: [ACTIONS + 1] } as const;
  const learner = referenceLearner(spec, stream(name));
  return { learner, policy: learnedPolicy(learner) };
}

/** A run small enough to repeat; `floor` is the blinding's. */
function run(options: Partial<TrainOptions> = {}) {
  const p = blindingSchedule({ initial: 0.2, floor: 0.05 });
  const learners = options.learners ?? [newLearner("a")];
  const settings: TrainOptions = {
    vector: vectorize(lockWorld, 8),
    players: [0, 0],
    perturbations: [uniform(), uniform()],
    blinding: (progress) => ({ kind: "coin", probability: p(progress) }),
    totalSteps: 8 * 10 * 6,
    seed: 5,
    rolloutTicks: 10,
    minibatch: 32,
    learningRate: linear(0.01, 0),
    entropyCoefficient: 0.01,
    ...options,
    learners,
  };
  return { learners, settings, iterations: train(settings) };
}

async function finish(iterations: AsyncIterable<Iteration>): Promise<Iteration | undefined> {
  let last: Iteration | undefined;
  for await (const iteration of iterations) last = iteration;
  return last;
}

describe("training", () => {
  it.each([
    ["one network for both", ["a"], [0, 0]],
    ["a network each", ["a", "b"], [0, 1]],
  ])("learns to open its locks: %s", async (_, names, players) => {
    const { learners, settings, iterations } = run({ learners: names.map(newLearner), players, totalSteps: 16_000 });
    await finish(iterations);
    const policies = settings.players.map((k) => learners[k].policy);
    const games = play({ make: lockWorld, policies, episodes: 400, seed: 9 });
    for (const agent of [0, 1]) {
      const mean = games.reduce((sum, game) => sum + episodeReturn(game, agent), 0) / games.length;
      // At random 2, at best 6.
      expect(mean).toBeGreaterThan(5.5);
    }
  });

  it("says what it did in each iteration", async () => {
    const seen: Iteration[] = [];
    const { iterations } = run();
    for await (const iteration of iterations) seen.push({ ...iteration });
    expect(seen.map(({ index, steps, ticks, progress }) => [index, steps, ticks, progress])).toEqual(
      [1, 2, 3, 4, 5, 6].map((k) => [k, 80 * k, 10 * k, k / 6]),
    );
    // What was used is that of the start of the iteration: .01·(1 − t), and ε falls to the floor at t = ½.
    seen.forEach(({ learningRate }, k) => {
      expect(learningRate).toBeCloseTo(0.01 * (1 - k / 6), 12);
    });
    expect(seen[0].blinding).toEqual({ kind: "coin", probability: 0.2 });
    expect(seen[3].blinding).toEqual({ kind: "coin", probability: expect.closeTo(0.05, 12) });
    // 8 copies, 4 ticks an episode, 10 ticks an iteration.
    expect(seen.reduce((sum, { episodes }) => sum + episodes.length, 0)).toBe(8 * 15);
    for (const { statistics } of seen) {
      for (const name of [
        "policy_loss",
        "value_loss",
        "entropy",
        "approx_kl",
        "clipfrac",
        "grad_norm",
        "explained_variance",
      ]) {
        expect(statistics[0][name]).toEqual(expect.any(Number));
        expect(statistics[0][name]).not.toBeNaN();
      }
    }
  });

  it("shows a learner its own undisturbed choices alone, each once an epoch, in an order of its own", async () => {
    const { learner, policy } = newLearner("a");
    const plans: UpdatePlan[] = [];
    const batches: PpoBatch[] = [];
    const spy: Learner = {
      ...learner,
      update(objective, plan) {
        plans.push(plan);
        batches.push(objective.batch as PpoBatch);
        return learner.update(objective, plan);
      },
    };
    const learners = [{ learner: spy, policy }];
    const opponents = scripted({ policy: formulaPolicy(() => [0, 0, 0], undefined, ACTIONS), share: 0.5 });
    const { iterations } = run({ learners, opponents, epochs: 3, totalSteps: 160 });
    let turn = 0;
    for await (const { rollouts } of iterations) {
      const [rollout] = rollouts;
      const wanted = Array.from({ length: rollout.length }, (_, row) => row).filter(
        (row) => rollout.ended[row] <= 2 && !rollout.blinded[row] && !rollout.disturbed[row],
      );
      const { rows } = plans[turn];
      const epochs = [0, 1, 2].map((k) => [...rows.subarray(k * wanted.length, (k + 1) * wanted.length)]);
      expect(rows.length).toBe(3 * wanted.length);
      for (const epoch of epochs) expect([...epoch].sort((a, b) => a - b)).toEqual(wanted);
      expect(epochs[0]).not.toEqual(epochs[1]);
      expect(wanted.length).toBeLessThan(rollout.length);
      // Every column has as many rows as the others.
      const { inputs, legal, logProbs, advantages, returns } = batches[turn++];
      const R = logProbs.length;
      expect([inputs.length / ACTIONS, legal.length / ACTIONS, advantages.length, returns.length]).toEqual([
        R,
        R,
        R,
        R,
      ]);
      const gains = wanted.map((row) => advantages[row]);
      expect(gains.reduce((a, b) => a + b, 0) / wanted.length).toBeCloseTo(0, 4);
      expect(gains.reduce((a, b) => a + b * b, 0) / wanted.length).toBeCloseTo(1, 4);
    }
    expect(turn).toBe(2);
  });

  it("shuffles anew for each learner, iteration and epoch", async () => {
    const orders: string[] = [];
    const learners = ["a", "b"].map((name) => {
      const { learner, policy } = newLearner(name);
      const spy: Learner = {
        ...learner,
        update(objective, plan) {
          // 8 ticks are two episodes, so each epoch of each iteration has the same 64 decisions.
          const size = plan.rows.length / 2;
          const sorted = [...plan.rows.subarray(0, size)].sort((x, y) => x - y);
          for (const from of [0, size])
            orders.push([...plan.rows.subarray(from, from + size)].map((row) => sorted.indexOf(row)).join());
          return learner.update(objective, plan);
        },
      };
      return { learner: spy, policy };
    });
    const never = () => ({ kind: "coin", probability: 0 }) as const;
    await finish(
      run({ learners, players: [0, 1], blinding: never, rolloutTicks: 8, totalSteps: 8 * 8 * 3 }).iterations,
    );
    expect(orders.length).toBe(12);
    expect(new Set(orders).size).toBe(12);
  });

  it("has nothing to learn from where everybody is always blinded, and goes on", async () => {
    const { learners, iterations } = run({ blinding: () => ({ kind: "coin", probability: 1 }), totalSteps: 80 });
    const before = learners[0].learner.exportState();
    const last = await finish(iterations);
    expect(last?.statistics).toEqual([{}]);
    expect(learners[0].learner.exportState()).toEqual(before);
  });
});

describe("a run", () => {
  it("is its seed's, to the last bit", async () => {
    const first = run();
    const second = run();
    const other = run({ seed: 6 });
    const [a, b, c] = await Promise.all([first, second, other].map(({ iterations }) => finish(iterations)));
    expect(b?.hash).toBe(a?.hash);
    expect(second.learners[0].learner.exportState()).toEqual(first.learners[0].learner.exportState());
    expect(c?.hash).not.toBe(a?.hash);
  });

  it("does not depend on what a blinded agent would do, until one is blinded", async () => {
    const never = () => ({ kind: "coin", probability: 0 }) as const;
    const [a, b] = await Promise.all(
      [uniform(), weightedPerturbation(1, 0, 0)].map((nu) =>
        finish(run({ blinding: never, perturbations: [nu, nu] }).iterations),
      ),
    );
    expect(a?.hash).toBe(b?.hash);
  });

  it("continues from where it stopped as if it had not, opponents included", async () => {
    const withPool = () => {
      const learners = [newLearner("a"), newLearner("b")];
      let members = 0;
      const createMember = () => newLearner(`member ${members++}`);
      const opponents = pool({ learner: learners[0].learner, createMember, size: 2, every: 1, share: 0.5 });
      return { learners, opponents, players: [0, 1], totalSteps: 8 * 7 * 6, rolloutTicks: 7 };
    };
    const whole = run(withPool());
    let [last, met]: [Iteration | undefined, number] = [undefined, 0];
    for await (const iteration of whole.iterations) {
      last = iteration;
      met += iteration.episodes.filter(({ learning }) => !learning.every(Boolean)).length;
    }
    expect(met).toBeGreaterThan(10);

    const stopped = run(withPool());
    let saved: unknown;
    for await (const iteration of stopped.iterations) {
      if (iteration.index < 3) continue;
      saved = structuredClone([
        iteration.exportState(),
        ...stopped.learners.map(({ learner }) => learner.exportState()),
      ]);
      break;
    }
    const [resume, ...states] = saved as [NonNullable<TrainOptions["resume"]>, ...ReturnType<Learner["exportState"]>[]];
    // 7 ticks an iteration and 4 an episode: everybody is in the middle of something.
    expect(resume.collector.lengths.some((length) => length > 0)).toBe(true);
    const resumed = run({ ...withPool(), resume });
    resumed.learners.forEach(({ learner }, k) => {
      learner.restoreState(states[k]);
    });
    const end = await finish(resumed.iterations);
    expect([end?.index, end?.steps, end?.ticks, end?.hash]).toEqual([
      last?.index,
      last?.steps,
      last?.ticks,
      last?.hash,
    ]);
    resumed.learners.forEach(({ learner }, k) => {
      expect(learner.exportState()).toEqual(whole.learners[k].learner.exportState());
    });
  });
});

describe("what training refuses", () => {
  const first = (options: Partial<TrainOptions>) => run(options).iterations.next();

  it.each<Partial<TrainOptions>>([
    { players: [0] },
    { players: [0, 1] },
    { players: [0, 0.5] },
    { players: [0, -1] },
    { learners: [newLearner("a"), newLearner("b")], players: [0, 0] },
    { totalSteps: 0 },
    { rolloutTicks: 0 },
    { minibatch: 0 },
    { epochs: 0 },
    { discount: 1.01 },
    { discount: Number.NaN },
    { trace: -0.1 },
    { clip: 0 },
    { valueCoefficient: -1 },
    { entropyCoefficient: -1 },
    { maxGradNorm: 0 },
  ])("the option %j", async (options) => {
    await expect(first(options)).rejects.toMatchObject({ code: "invalid-option" });
  });

  it("rewards, logits and values that are not numbers", async () => {
    const mad = () => {
      const world = lockWorld();
      return {
        ...world,
        step(actions: Float32Array) {
          world.step(actions);
          world.rewards[1] = Number.NaN;
        },
      };
    };
    await expect(first({ vector: vectorize(mad, 2) })).rejects.toMatchObject({ code: "not-finite" });
    const { learner } = newLearner("a");
    const logits = formulaPolicy(() => [0, Number.NaN, 0], undefined, ACTIONS);
    await expect(first({ learners: [{ learner, policy: logits }] })).rejects.toMatchObject({ code: "not-finite" });
    const values = formulaPolicy(
      () => [0, 0, 0],
      () => Number.NaN,
      ACTIONS,
    );
    await expect(first({ learners: [{ learner, policy: values }] })).rejects.toMatchObject({ code: "not-finite" });
  });
});
