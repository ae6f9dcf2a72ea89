import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import {
  type CreateLearner,
  type Learner,
  type LearnerState,
  type ModelSpec,
  type Objective,
  type PpoBatch,
  type PpoLoss,
  type RegressionBatch,
  stream,
  type UpdatePlan,
} from "@magic-mask/core";
import { learnerLaws } from "@magic-mask/core/testing";
import { backends } from "./backends.ts";
import { layout } from "./layout.ts";
import { natureCnn } from "./nature-cnn.ts";
import { nodeBackends } from "./node.ts";
import { fusedThreads } from "./workers.ts";

const threads = fusedThreads(2);
afterAll(() => threads.close());

for (const [name, { load, unfit }] of Object.entries({ ...nodeBackends, "fused on threads": threads })) {
  const found = await load().then(
    (create) => ({ create, why: "" }),
    (error) => ({ create: undefined, why: error.message }),
  );
  describe(`${name} obeys: it`, () => {
    const { create } = found;
    if (create) for (const law of learnerLaws) it(law.name, async () => law.run({ create }));
    else it.skip(found.why, () => {});
  });
  describe(`${name} obeys with candidates: it`, () => {
    const { create } = found;
    if (create) for (const law of learnerLaws) it(law.name, async () => law.run({ create, kind: "candidates" }));
    else it.skip(found.why, () => {});
  });
  // What cannot train convolutions refuses them.
  const images = natureCnn([84, 84, 4], [7]);
  if (unfit({ model: images, minibatch: 1 })) {
    it(`${name} says that it trains no convolutions`, () => {
      expect(() => found.create?.(images, stream(1))).toThrow(expect.objectContaining({ code: "unsupported" }));
    });
    continue;
  }
  describe(`${name} obeys with convolutions: it`, () => {
    const { create } = found;
    if (create) for (const law of learnerLaws) it(law.name, async () => law.run({ create, kind: "cnn" }));
    else it.skip(found.why, () => {});
  });
}

/** Replaces methods of every learner that `good` makes. */
const wrap =
  (change: (learner: Learner, spec: ModelSpec) => Partial<Learner>) =>
  (good: CreateLearner): CreateLearner =>
  (spec, random) => {
    const learner = good(spec, random);
    return { ...learner, ...change(learner, spec) };
  };

/** Replaces what `gradient` and `update` are given. */
const given = (change: (objective: Objective) => Objective) =>
  wrap((learner) => ({
    gradient: (objective, rows) => learner.gradient(change(objective), rows),
    update: (objective, plan) => learner.update(change(objective), plan),
  }));

const givenPpo = (change: (batch: PpoBatch) => PpoBatch) =>
  given((objective) =>
    objective.loss.kind === "ppo" ? { loss: objective.loss, batch: change(objective.batch as PpoBatch) } : objective,
  );

const givenRegression = (change: (batch: RegressionBatch) => RegressionBatch) =>
  given((objective) =>
    objective.loss.kind === "ppo"
      ? objective
      : { loss: objective.loss, batch: change(objective.batch as RegressionBatch) },
  );

/** Replaces the loss over spaces of one kind. */
const givenSpace = (kind: string, change: (loss: PpoLoss) => PpoLoss) =>
  given((objective) =>
    objective.loss.kind === "ppo" && objective.loss.space.kind === kind
      ? ({ loss: change(objective.loss), batch: objective.batch } as Objective)
      : objective,
  );

const differentiated = (kind: string, change: (gradient: Float32Array, spec: ModelSpec) => Float32Array) =>
  wrap((learner, spec) => ({
    async gradient(objective, rows) {
      const gradient = await learner.gradient(objective, rows);
      return objective.loss.kind === kind ? change(gradient, spec) : gradient;
    },
  }));

const planned = (change: (plan: UpdatePlan) => UpdatePlan) =>
  wrap((learner) => ({ update: (objective, plan) => learner.update(objective, change(plan)) }));

const reported = (change: (statistics: Record<string, number>, plan: UpdatePlan) => Record<string, number>) =>
  wrap((learner) => ({ update: async (objective, plan) => change(await learner.update(objective, plan), plan) }));

const restored = (change: (state: LearnerState) => LearnerState) =>
  wrap((learner) => ({ restoreState: (state) => learner.restoreState(change(state)) }));

const finite = (array: Float32Array) => array.map((x) => (Number.isFinite(x) ? x : 0));
let draws = 0;

/** Learners broken in one way each, by the law that must catch them. */
const plants: Record<string, Record<string, (good: CreateLearner) => CreateLearner>> = {
  "draws its first weights": {
    "ignores the stream": (good) => (spec) => good(spec, stream(0)),
    "has chance of its own": (good) => (spec, random) => good(spec, stream(draws++, random.bits())),
    "starts with a past": (good) => (spec, random) => {
      const learner = good(spec, random);
      learner.restoreState({ ...learner.exportState(), steps: 1 });
      return learner;
    },
  },
  "computes the network": {
    "orders its parameters backwards": wrap((learner) => ({
      exportState: () => reversed(learner.exportState()),
      restoreState: (state) => learner.restoreState(reversed(state)),
    })),
  },
  "computes a batch": {
    "lets rows mix": wrap((learner) => ({
      infer(inputs, count, out) {
        learner.infer(inputs, count, out);
        if (count > 1) out[out.length - 1] += 0.01 * out[0];
      },
    })),
  },
  "neither keeps nor changes": {
    "writes to its inputs": wrap((learner) => ({
      infer(inputs, count, out) {
        learner.infer(inputs, count, out);
        inputs[0] = 0;
      },
    })),
    "keeps its inputs": wrap((learner) => {
      let kept: Float32Array | undefined;
      return {
        infer(inputs, count, out) {
          learner.infer(kept ?? inputs, count, out);
          kept ??= inputs;
        },
      };
    }),
    "writes past the end": wrap((learner) => ({
      infer(inputs, count, out) {
        out.fill(0);
        learner.infer(inputs, count, out);
      },
    })),
  },
  "does so for actions of several parts": {
    "takes the entropy of the first part alone": givenSpace("multi-discrete", (loss) => ({
      ...loss,
      entropyCoefficient: 0,
    })),
    "takes the deviation for given": wrap((learner, spec) => ({
      async gradient(objective, rows) {
        const gradient = await learner.gradient(objective, rows);
        if (objective.loss.kind === "ppo" && objective.loss.space.kind === "box") {
          const { bias, outputs } = layout(spec)[0].slice(-1)[0];
          gradient.fill(0, bias + (outputs >> 1), bias + outputs);
        }
        return gradient;
      },
    })),
  },
  "differentiates the ppo loss": {
    "has the wrong sign on biases": differentiated("ppo", (gradient, spec) => {
      for (const { bias, outputs } of layout(spec).flat()) {
        for (let k = 0; k < outputs; k++) gradient[bias + k] *= -1;
      }
      return gradient;
    }),
    "forgets the entropy": given(
      ({ loss, batch }) => ({ loss: { ...loss, entropyCoefficient: 0 }, batch }) as Objective,
    ),
    "changes its parameters": wrap((learner) => ({
      async gradient(objective, rows) {
        const gradient = await learner.gradient(objective, rows);
        await learner.update(objective, { rows, minibatch: rows.length, learningRate: 1e-3, maxGradNorm: 1 });
        return gradient;
      },
    })),
  },
  "differentiates the regression loss": {
    "forgets the factor 2": differentiated("regression", (gradient) => gradient.map((g) => g / 2)),
    "forgets the weights": givenRegression((batch) => ({ ...batch, weights: batch.weights.map(() => 1) })),
  },
  "reads only the rows": {
    "looks at every row": wrap((learner) => ({
      async gradient(objective, rows) {
        const sum = objective.batch.inputs.reduce((a, b) => a + b);
        return (await learner.gradient(objective, rows)).map((g) => g + 0 * sum);
      },
    })),
  },
  "finds the action": {
    "takes slots for one number wide": givenPpo((batch) => ({
      ...batch,
      actions: batch.actions.slice(0, batch.logProbs.length),
    })),
  },
  "has no policy gradient": {
    "never clips": given(({ loss, batch }) => ({ loss: { ...loss, clip: 1e9 }, batch }) as Objective),
    "clips on both sides": wrap((learner) => ({
      async gradient(objective, rows) {
        const { loss, batch } = objective;
        if (loss.kind !== "ppo" || loss.valueCoefficient !== 0) return learner.gradient(objective, rows);
        return (await learner.gradient(objective, rows)).map(() => 0 * batch.inputs.length);
      },
    })),
  },
  "leaves illegal actions out": {
    "ignores the mask": givenPpo((batch) => ({ ...batch, legal: batch.legal.map(() => 1) })),
  },
  "refuses a row without a legal action": {
    "takes an empty mask for a full one": givenPpo((batch) => ({
      ...batch,
      legal: batch.legal.map((x, i) => (batch.legal.subarray(i - (i % 3), i - (i % 3) + 3).some(Boolean) ? x : 1)),
    })),
    "takes an illegal action for the first": givenPpo((batch) => ({
      ...batch,
      actions: batch.actions.map((a) => a % 3),
    })),
  },
  "takes no notice of targets with weight 0": {
    "gives every target some weight": givenRegression((batch) => ({
      ...batch,
      weights: batch.weights.map((w) => w + 0.01),
    })),
  },
  "steps as Adam does": {
    "never cuts the gradient": planned((plan) => ({ ...plan, maxGradNorm: 1e9 })),
    "always cuts the gradient": planned((plan) => ({ ...plan, maxGradNorm: plan.maxGradNorm / 100 })),
    "reports the norm after the cut": reported((statistics, plan) => ({
      ...statistics,
      grad_norm: Math.min(statistics.grad_norm, plan.maxGradNorm),
    })),
    "takes the learning rate for another": planned((plan) => ({ ...plan, learningRate: plan.learningRate * 1.01 })),
    "forgets its moments": wrap((learner) => ({
      update(objective, plan) {
        learner.restoreState(forgetful(learner.exportState()));
        return learner.update(objective, plan);
      },
    })),
  },
  "reports the losses": {
    "has the sign of the divergence wrong": reported((statistics) => ({
      ...statistics,
      approx_kl: -statistics.approx_kl,
    })),
    "forgets one": reported(({ clipfrac: _, ...statistics }) => statistics),
    "doubles the loss": reported((statistics) => ({ ...statistics, value_loss: 2 * statistics.value_loss })),
  },
  "takes one step per minibatch": {
    "leaves the rest out": planned((plan) => ({
      ...plan,
      rows: plan.rows.slice(0, Math.max(1, Math.floor(plan.rows.length / plan.minibatch)) * plan.minibatch),
    })),
    "takes all rows at once": planned((plan) => ({ ...plan, minibatch: plan.rows.length })),
  },
  "continues from an exported state": {
    "forgets its optimiser": restored(forgetful),
    "forgets how far it was": restored((state) => ({ ...state, steps: 0 })),
  },
  "shares no memory": {
    "keeps the arrays that it restores": wrap((learner) => {
      let kept: LearnerState | undefined;
      return {
        restoreState(state) {
          kept = state;
          learner.restoreState(state);
        },
        exportState: () => kept ?? learner.exportState(),
      };
    }),
    "shares its state among all": (good) => {
      let only: Learner | undefined;
      return (spec, random) => {
        only ??= good(spec, random);
        return only;
      };
    },
  },
  "refuses NaN and infinity": {
    "takes NaN for 0 when it infers": wrap((learner) => ({
      infer: (inputs, count, out) => learner.infer(finite(inputs), count, out),
    })),
    "takes NaN for 0 when it learns": givenPpo((batch) => ({ ...batch, advantages: finite(batch.advantages) })),
    "undoes the steps before": wrap((learner) => ({
      async update(objective, plan) {
        await learner.gradient(objective, plan.rows);
        return learner.update(objective, plan);
      },
    })),
    "restores in part": wrap((learner) => ({
      restoreState(state) {
        learner.restoreState({ ...learner.exportState(), firstMoment: state.firstMoment, steps: state.steps + 1 });
        learner.restoreState(state);
      },
    })),
  },
  "refuses outputs, losses and gradients that overflow": {
    "infers whatever it may": wrap((learner) => ({
      infer(inputs, count, out) {
        try {
          learner.infer(inputs, count, out);
        } catch {
          out.fill(0);
        }
      },
    })),
    "skips such updates": wrap((learner) => ({
      update: (objective, plan) => learner.update(objective, plan).catch(() => ({})),
    })),
    "forgets its moments at such updates": wrap((learner) => ({
      update: (objective, plan) =>
        learner.update(objective, plan).catch((error) => {
          learner.restoreState(forgetful(learner.exportState()));
          throw error;
        }),
    })),
  },
  "refuses arrays of other lengths": {
    "lets infer read too far": wrap((learner) => ({
      infer(inputs, count, out) {
        const padded = new Float32Array(count * learner.spec.inputs);
        padded.set(inputs.subarray(0, padded.length));
        learner.infer(padded, count, out);
      },
    })),
    "drops rows that do not exist": wrap((learner) => ({
      gradient: (objective, rows) =>
        learner.gradient(
          objective,
          rows.filter((row) => row >= 0 && row < 12),
        ),
    })),
  },
  "needs lists": {
    "takes an empty list for one of a single candidate": wrap((learner) => ({
      infer(inputs, count, out, lists) {
        learner.infer(inputs, count, out, lists && { ...lists, counts: lists.counts.map((n) => Math.max(1, n)) });
      },
    })),
    "says that it learned by regression": wrap((learner) => ({
      update: async (objective, plan) => (objective.loss.kind === "ppo" ? learner.update(objective, plan) : {}),
    })),
  },
};

function reversed(state: LearnerState): LearnerState {
  const { parameters, firstMoment, secondMoment, steps } = state;
  return {
    parameters: parameters.slice().reverse(),
    firstMoment: firstMoment.slice().reverse(),
    secondMoment: secondMoment.slice().reverse(),
    steps,
  };
}

function forgetful(state: LearnerState): LearnerState {
  const none = new Float32Array(state.parameters.length);
  return { ...state, firstMoment: none, secondMoment: none };
}

describe("the law that it", () => {
  let good: CreateLearner;
  beforeAll(async () => {
    good = await backends["tfjs-wasm"].load();
  });

  for (const law of learnerLaws) {
    const kind = law.name.startsWith("needs lists") ? "candidates" : "mlp";
    const [, broken] = Object.entries(plants).find(([name]) => law.name.startsWith(name)) ?? [law.name, {}];
    it(`${law.name} catches each plant`, async () => {
      expect(Object.keys(broken)).not.toHaveLength(0);
      for (const [plant, breakIt] of Object.entries(broken)) {
        const outcome = await Promise.resolve(law.run({ create: breakIt(good), kind })).then(
          () => "nothing",
          (error) => `law "${error.code}"`,
        );
        expect([plant, outcome]).not.toEqual([plant, "nothing"]);
      }
    });
  }
});
