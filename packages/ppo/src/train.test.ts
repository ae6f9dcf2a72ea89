import { describe, expect, it } from "@jest/globals";
import {
  episodeReturn,
  type Learner,
  type MakeEnvironment,
  type PpoBatch,
  play,
  stream,
  type UpdatePlan,
} from "@magic-mask/core";
import { referenceLearner } from "@magic-mask/core/testing";
import { pool, scripted } from "./opponents.ts";
import { blindingSchedule, linear } from "./schedule.ts";
import { createShardedCollector, type ShardedCollectorOptions, shardWorlds } from "./sharded-collector.ts";
import { ACTIONS, formulaPolicy, learnedPolicy, lockWorld, uniform, weightedPerturbation } from "./test-worlds.ts";
import { type Iteration, type TrainOptions, train } from "./train.ts";

function newLearner(name: string) {
  const spec = { kind: "mlp", inputs: ACTIONS, hidden: [8], activation: "tanh", outputs: [ACTIONS + 1] } as const;
  const learner = referenceLearner(spec, stream(name));
  return { learner, policy: learnedPolicy(learner) };
}

type RunOptions = Partial<TrainOptions & ShardedCollectorOptions> & { readonly make?: MakeEnvironment };

/** A run small enough to repeat, of eight copies in three shards; `floor` is the blinding's. */
function run({
  make = lockWorld,
  players = [0, 0],
  perturbations = [uniform(), uniform()],
  ...options
}: RunOptions = {}) {
  const p = blindingSchedule({ initial: 0.2, floor: 0.05 });
  const { learners = [newLearner("a")], seed = 5, opponents } = options;
  const policies = learners.map(({ policy }) => policy);
  /** What making the collector throws comes from the first iteration, as what `train` throws. */
  async function* iterate() {
    const vectors = shardWorlds(make, 8, 3);
    const about = { vectors, policies, players, perturbations, seed, ...(opponents && { opponents }) };
    yield* train({
      collector: createShardedCollector(about),
      blinding: (progress) => ({ kind: "coin", probability: p(progress) }),
      totalSteps: 8 * 10 * 6,
      rolloutTicks: 10,
      minibatch: 32,
      learningRate: linear(0.01, 0),
      entropyCoefficient: 0.01,
      ...options,
      seed,
      learners,
    });
  }
  return { learners, players, iterations: iterate() };
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
    const { learners, iterations } = run({ learners: names.map(newLearner), players, totalSteps: 16_000 });
    await finish(iterations);
    const policies = players.map((k) => learners[k].policy);
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
    for (const { updated } of seen) {
      const { statistics, seconds } = await updated;
      expect(seconds).toBeGreaterThan(0);
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
    const even = formulaPolicy(() => [0, 0, 0], undefined, ACTIONS);
    const opponents = scripted({ policies: [even, even, even], share: 0.5 });
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
    expect((await last?.updated)?.statistics).toEqual([{}]);
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
      await iteration.updated;
      saved = structuredClone([
        await iteration.exportState(),
        ...stopped.learners.map(({ learner }) => learner.exportState()),
      ]);
      break;
    }
    const [resume, ...states] = saved as [NonNullable<TrainOptions["resume"]>, ...ReturnType<Learner["exportState"]>[]];
    // 7 ticks an iteration and 4 an episode: everybody is in the middle of something.
    expect(resume.collector.shards.some(({ lengths }) => lengths.some((length) => length > 0))).toBe(true);
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

describe("updates", () => {
  /** Learners whose updates end when they are told to. */
  function held(names: readonly string[]) {
    const gates: { open(): void; fail(error: Error): void }[] = [];
    const learners = names.map((name) => {
      const { learner, policy } = newLearner(name);
      const spy: Learner = {
        ...learner,
        async update(objective, plan) {
          await new Promise<void>((resolve, reject) => {
            gates.push({ open: resolve, fail: reject });
          });
          return learner.update(objective, plan);
        },
      };
      return { learner: spy, policy };
    });
    return { learners, gates };
  }

  it("of all learners are under way while the caller has the iteration; the next one waits for them", async () => {
    const { learners, gates } = held(["a", "b"]);
    const { iterations } = run({ learners, players: [0, 1] });
    const { value } = await iterations.next();
    const first = value as Iteration;
    expect(gates.length).toBe(2);
    let over = false;
    const next = iterations.next().then((result) => {
      over = true;
      return result;
    });
    gates[1].open();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([over, gates.length]).toEqual([false, 2]);
    gates[0].open();
    const { statistics } = await first.updated;
    expect(statistics.map((each) => typeof each.explained_variance)).toEqual(["number", "number"]);
    await next;
    expect(gates.length).toBe(4);
    for (const gate of gates) gate.open();
    await iterations.return();
  });

  it("belong to a state: it cannot be exported before they are done, nor when the next iteration has begun", async () => {
    const { learners, gates } = held(["a"]);
    const { iterations } = run({ learners });
    const first = (await iterations.next()).value as Iteration;
    await expect(first.exportState()).rejects.toMatchObject({ code: "out-of-order" });
    gates[0].open();
    await first.updated;
    expect((await first.exportState()).iteration).toBe(1);
    const second = (await iterations.next()).value as Iteration;
    await expect(first.exportState()).rejects.toMatchObject({ code: "out-of-order" });
    gates[1].open();
    await second.updated;
    expect((await second.exportState()).iteration).toBe(2);
    await iterations.return();
  });

  it.each([1, 6])("that fail in iteration %d reach a caller who does not wait for them", async (failing) => {
    const { learners, gates } = held(["a", "b"]);
    const { iterations } = run({ learners, players: [0, 1] });
    const looping = (async () => {
      for await (const { index } of iterations) {
        const [a, b] = gates.slice(-2);
        if (index === failing) b.fail(new Error("no more memory"));
        else b.open();
        a.open();
        // Long enough for a rejection that nobody handles to end the process.
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    await expect(looping).rejects.toThrow("no more memory");
  });

  it("are over when a caller leaves early", async () => {
    const { learners, gates } = held(["a"]);
    let left = false;
    const looping = (async () => {
      for await (const _ of run({ learners }).iterations) break;
      left = true;
    })();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(left).toBe(false);
    gates[0].open();
    await looping;
  });
});

describe("what training refuses", () => {
  const first = (options: RunOptions) => run(options).iterations.next();

  it.each<RunOptions>([
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
    await expect(first({ make: mad })).rejects.toMatchObject({ code: "not-finite" });
    const { learner } = newLearner("a");
    const logits = formulaPolicy(() => [0, Number.NaN, 0], undefined, ACTIONS);
    await expect(first({ learners: [{ learner, policy: logits }] })).rejects.toMatchObject({ code: "not-finite" });
    const values = formulaPolicy(
      () => [0, 0, 0],
      () => Number.NaN,
      ACTIONS,
    );
    const { iterations } = run({ learners: [{ learner, policy: values }] });
    await expect(finish(iterations)).rejects.toMatchObject({ code: "not-finite" });
  });
});
