import type { CandidateLists } from "../candidate-lists.ts";
import { distributionOf } from "../distribution.ts";
import {
  type CandidatesSpec,
  type CnnSpec,
  type CreateLearner,
  type Learner,
  type LearnerState,
  type MlpSpec,
  type ModelSpec,
  outputWidth,
  type PpoBatch,
  type PpoLoss,
  parameterCount,
  type RegressionBatch,
  towersOf,
  type UpdatePlan,
} from "../learner.ts";
import { stream } from "../random.ts";
import { type ActionSpace, box, candidates, discrete, maskWidth, multiDiscrete } from "../space.ts";
import { broken, type Law } from "./law.ts";

/** Float32 arithmetic, in whatever order a backend takes it, against float64. */
const TOLERANCE = 1e-4;
/** Rows in a made-up batch. */
const R = 12;
/** Actions in a made-up ppo batch. */
const A = 3;
/** A minibatch with a row twice and rows left out. */
const ROWS = Int32Array.of(3, 0, 7, 7, 2, 11, 5);
const LEFT_OUT = [1, 4, 6, 8, 9, 10];

const SHARED: MlpSpec = { kind: "mlp", inputs: 5, hidden: [6, 4], activation: "relu", outputs: [A + 1] };
const SEPARATE: MlpSpec = { ...SHARED, outputs: [A, 1] };
/** Height, width and channels all differ; the stride leaves a row of pixels out. */
const IMAGES: CnnSpec = {
  ...SHARED,
  kind: "cnn",
  inputs: 5 * 4 * 2,
  image: [5, 4, 2],
  filters: [{ size: 2, stride: 2, channels: 3 }],
  hidden: [4],
};
/** As wide as `SHARED` where that is written about: A + 1 outputs. */
const LISTS: CandidatesSpec = {
  kind: "candidates",
  inputs: 5,
  features: 4,
  max: A,
  hidden: [6, 4],
  activation: "relu",
};
const TWO_FILTERS = [
  { size: 2, stride: 1, channels: 3 },
  { size: 3, stride: 1, channels: 2 },
];

/** The networks that the laws try, by kind: [shared trunk, separate towers, shared trunk with tanh, …]. */
const SPECS: Readonly<Record<ModelSpec["kind"], readonly ModelSpec[]>> = {
  mlp: [
    SHARED,
    SEPARATE,
    { ...SHARED, activation: "tanh" },
    { ...SEPARATE, activation: "tanh" },
    { ...SHARED, hidden: [7] },
    { ...SEPARATE, hidden: [3, 9, 4], activation: "tanh" },
  ],
  cnn: [
    IMAGES,
    { ...IMAGES, filters: TWO_FILTERS, outputs: [A, 1] },
    { ...IMAGES, filters: TWO_FILTERS, activation: "tanh" },
  ],
  candidates: [
    LISTS,
    { ...LISTS, hidden: [7], features: 9 },
    { ...LISTS, activation: "tanh" },
    { ...LISTS, hidden: [3, 9, 4], features: 1, activation: "tanh" },
  ],
};

const PPO: PpoLoss = { kind: "ppo", space: discrete(A), clip: 0.2, valueCoefficient: 0.5, entropyCoefficient: 0.1 };
const PLAN: UpdatePlan = { rows: ROWS, minibatch: R, learningRate: 0.01, maxGradNorm: 1e6 };

/** The losses that a network learns by. */
const lossesOf = ({ kind }: ModelSpec) =>
  kind === "candidates" ? (["ppo"] as const) : (["ppo", "regression"] as const);

/** What makes learners, and which kind of network they must obey the laws with, by default "mlp". */
export interface LearnerSubject {
  readonly create: CreateLearner;
  readonly kind?: ModelSpec["kind"];
}

/** The laws that every `Learner` obeys, whatever computes it. */
export const learnerLaws: readonly Law<LearnerSubject>[] = [
  law("draws its first weights from the given stream alone", (fail, create, specs) => {
    for (const spec of specs) {
      const first = create(spec, stream(1)).exportState();
      const P = parameterCount(spec);
      if (first.parameters.length !== P) fail(`${first.parameters.length} parameters, by the specification ${P}`);
      if (!same(first, create(spec, stream(1)).exportState())) fail("the same stream gave other weights");
      if (same(first, create(spec, stream(2)).exportState())) fail("another stream gave the same weights");
      if (first.steps !== 0 || [...first.firstMoment, ...first.secondMoment].some((x) => x !== 0)) {
        fail("the optimiser of a new learner has a past");
      }
    }
  }),

  law("computes the network that its parameters in canonical order describe", (fail, create, specs) => {
    for (const spec of specs) {
      const { learner, state, ppo } = setUp(create, spec);
      const outputs = inferred(learner, ppo.batch, R);
      const expected = ROWS_ALL.flatMap((row) => network(spec, state.parameters, ppo.batch, row));
      compare(fail, "output", outputs, expected);
    }
  }),

  law("computes a batch as it computes its rows", (fail, create, specs) => {
    for (const spec of specs) {
      const { learner, ppo } = setUp(create, spec);
      const whole = inferred(learner, ppo.batch, R);
      const rows = ROWS_ALL.map((row) => {
        const inputs = ppo.batch.inputs.slice(row * spec.inputs, (row + 1) * spec.inputs);
        return inferred(learner, { ...ppo.batch, inputs, ...only(ppo.batch, row) }, 1);
      });
      compare(
        fail,
        "output",
        whole,
        rows.flatMap((row) => [...row]),
        1e-5,
      );
    }
  }),

  law("neither keeps nor changes what infer is given, and writes the rows asked for only", (fail, create, [shared]) => {
    const { learner, ppo } = setUp(create, shared);
    const inputs = ppo.batch.inputs.slice();
    const { candidates } = ppo.batch;
    const before = inferred(learner, { inputs, ...listed(candidates) }, 4);
    if (inputs.some((x, i) => x !== ppo.batch.inputs[i])) fail("infer wrote to its inputs");
    const out = new Float32Array(R * 4).fill(7);
    inputs.fill(0.5, 4 * shared.inputs);
    learner.infer(inputs, 4, out, candidates);
    if (before.some((y, i) => y !== out[i])) fail("the outputs of 4 rows depend on what lies behind them");
    if (out.subarray(4 * 4).some((y) => y !== 7)) fail("infer wrote behind the rows it was asked for");
    inputs.fill(0.5);
    inferred(learner, { inputs, ...listed(candidates) }, 4);
    if (inferred(learner, ppo.batch, 4).some((y, i) => y !== before[i])) fail("an earlier input changed the outputs");
  }),

  ...(["ppo", "regression"] as const).map((kind) =>
    law(
      `differentiates the ${kind} loss as central differences do, and changes no parameter by it`,
      async (fail, create, specs) => {
        for (const spec of specs.filter((spec) => lossesOf(spec).some((known) => known === kind))) {
          const { learner, state, [kind]: objective } = setUp(create, spec);
          const gradient = await learner.gradient(objective, ROWS);
          compare(fail, "gradient of parameter", gradient, differences(spec, state.parameters, objective));
          if (!same(learner.exportState(), state)) fail("gradient() changed the learner");
        }
      },
    ),
  ),

  law(
    "does so for actions of several parts and for continuous ones, and reports their means",
    async (fail, create, [shared]) => {
      if (shared.kind === "candidates") return;
      for (const space of [multiDiscrete(2, 5, 3), box([3], -1, 1)]) {
        const head = distributionOf(space).width;
        for (const outputs of [[head + 1], [head, 1]]) {
          const spec = { ...shared, hidden: [9], activation: "tanh", outputs } as const;
          const { learner, state, ppo } = setUp(create, spec, space);
          const gradient = await learner.gradient(ppo, ROWS);
          compare(fail, `${space.kind}: gradient of parameter`, gradient, differences(spec, state.parameters, ppo));
          const statistics = await learner.update(ppo, PLAN);
          const { total: _, ...expected } = meanLoss(spec, state.parameters, ppo);
          for (const [name, value] of Object.entries(expected)) compare(fail, name, [statistics[name]], [value]);
        }
      }
    },
  ),

  law("reads only the rows that it is told to", async (fail, create, [, separate]) => {
    const made = setUp(create, separate);
    const { learner } = made;
    for (const kind of lossesOf(separate)) {
      const { loss, batch } = made[kind];
      const clean = await learner.gradient({ loss, batch } as Objective, ROWS);
      for (const [, array] of columnsOf(batch)) {
        const width = array.length / R;
        for (const row of LEFT_OUT)
          array.fill(array instanceof Uint8Array ? 0 : Number.NaN, row * width, (row + 1) * width);
      }
      const lists = kind === "ppo" ? made.ppo.batch.candidates : undefined;
      for (const row of lists ? LEFT_OUT : []) {
        fillList(lists as CandidateLists, separate, row, Number.NaN);
        lists?.starts.fill(-1, row, row + 1);
        lists?.counts.fill(R * R, row, row + 1);
      }
      const poisoned = await learner.gradient({ loss, batch } as Objective, ROWS);
      compare(fail, "gradient of parameter", poisoned, clean, 0);
    }
  }),

  law("finds the action at the start of a slot of any width", async (fail, create, [shared]) => {
    const { learner, ppo } = setUp(create, shared);
    const actions = new Float32Array(R * 3).fill(-5);
    ppo.batch.actions.forEach((action, row) => {
      actions[row * 3] = action;
    });
    const narrow = await learner.gradient(ppo, ROWS);
    const wide = await learner.gradient({ loss: PPO, batch: { ...ppo.batch, actions } }, ROWS);
    compare(fail, "gradient of parameter", wide, narrow, 0);
  }),

  law(
    "has no policy gradient where the ratio has left the clipping range on the advantage's side",
    async (fail, create, [, separate]) => {
      const { learner, ppo } = setUp(create, separate);
      const loss = { ...PPO, valueCoefficient: 0, entropyCoefficient: 0 };
      // ln r = ±1 with the sign of A: r is 2.7 or 0.37, far outside [0.8, 1.2], and going on pays nothing.
      const away = ppo.likely.map((logProb, row) => logProb - Math.sign(ppo.batch.advantages[row]));
      const outside = { loss, batch: { ...ppo.batch, logProbs: away } };
      if ((await learner.gradient(outside, ROWS)).some((g) => g !== 0)) fail("the gradient is not zero");
      const back = { ...outside.batch, advantages: ppo.batch.advantages.map((a) => -a) };
      if (norm(await learner.gradient({ loss, batch: back }, ROWS)) < 1e-3) fail("there is no way back into the range");
    },
  ),

  law("leaves illegal actions out of softmax, entropy and gradient", async (fail, create, [shared]) => {
    // A list has no illegal candidates.
    if (shared.kind === "candidates") return;
    const { learner, state, ppo } = setUp(create, shared);
    ppo.batch.legal.forEach((_, i) => {
      ppo.batch.legal[i] = i % A === 1 ? 0 : 1;
    });
    ppo.batch.actions.forEach((action, row) => {
      if (action === 1) ppo.batch.actions[row] = 2;
    });
    const bias = state.parameters.length - (A + 1) + 1;
    const low = await learner.gradient(ppo, ROWS);
    if (low[bias] !== 0) fail(`the bias of an action that is never legal has gradient ${low[bias]}`);
    const raised = state.parameters.slice();
    raised[bias] += 20;
    learner.restoreState({ ...state, parameters: raised });
    compare(fail, "with the illegal logit raised, gradient of parameter", await learner.gradient(ppo, ROWS), low);
  }),

  law(
    "refuses a row without a legal action, and an action that is not legal, and stays as it was",
    async (fail, create, [shared]) => {
      const { learner, state, ppo } = setUp(create, shared);
      const none = { ...ppo.batch, legal: ppo.batch.legal.slice().fill(0, 7 * A, 8 * A) };
      const illegal = { ...ppo.batch, actions: ppo.batch.actions.slice().fill(A, 7, 8) };
      await mustThrow(fail, "no-legal-action", () => learner.update({ loss: PPO, batch: none }, PLAN));
      await mustThrow(fail, "illegal-action", () => learner.update({ loss: PPO, batch: illegal }, PLAN));
      if (!same(learner.exportState(), state)) fail("a refused update changed the learner");
    },
  ),

  law("takes no notice of targets with weight 0", async (fail, create, [shared]) => {
    if (shared.kind === "candidates") return;
    const { learner, regression } = setUp(create, shared);
    const { inputs, targets, weights } = regression.batch;
    weights.fill(0, 7 * 4, 8 * 4);
    weights[3 * 4 + 2] = 0;
    const before = await learner.gradient(regression, ROWS);
    inputs.fill(2, 7 * shared.inputs, 8 * shared.inputs);
    targets.fill(9, 7 * 4, 8 * 4);
    targets[3 * 4 + 2] = 9;
    compare(fail, "gradient of parameter", await learner.gradient(regression, ROWS), before, 1e-6);
  }),

  law("steps as Adam does, with the gradient cut down to the longest norm allowed", async (fail, create, specs) => {
    for (const spec of specs.slice(0, 2)) {
      for (const kind of lossesOf(spec)) {
        for (const share of [0.25, 4]) {
          const { learner, state, [kind]: objective } = setUp(create, spec);
          const gradient = await learner.gradient(objective, ROWS);
          const plan = { ...PLAN, maxGradNorm: share * norm(gradient) };
          const { grad_norm } = await learner.update(objective, plan);
          compare(fail, "grad_norm before clipping", [grad_norm], [norm(gradient)], 1e-5);
          const after = learner.exportState();
          const expected = adam(state, gradient, Math.min(1, share), plan.learningRate);
          compare(fail, "parameter", after.parameters, expected.parameters, 1e-6);
          compare(fail, "first moment", after.firstMoment, expected.firstMoment, 1e-6);
          compare(fail, "second moment", after.secondMoment, expected.secondMoment, 1e-6);
          if (after.steps !== state.steps + 1) fail(`${after.steps} steps after one more than ${state.steps}`);
        }
      }
    }
  }),

  law("reports the losses' own means", async (fail, create, [, separate]) => {
    for (const kind of lossesOf(separate)) {
      const { learner, state, [kind]: objective } = setUp(create, separate);
      const { grad_norm: _, ...statistics } = await learner.update(objective, PLAN);
      const { total: __, ...expected } = meanLoss(separate, state.parameters, objective);
      const names = [Object.keys(statistics), Object.keys(expected)].map((keys) => keys.sort().join(", "));
      if (names[0] !== names[1]) fail(`statistics are ${names[0]}; wanted ${names[1]}`);
      for (const [name, value] of Object.entries(expected)) compare(fail, name, [statistics[name]], [value]);
    }
  }),

  law("takes one step per minibatch, in order, the last one with what is left", async (fail, create, [shared]) => {
    for (const kind of lossesOf(shared)) {
      const { learner, [kind]: objective } = setUp(create, shared);
      const whole = await learner.update(objective, { ...PLAN, minibatch: 4 });
      const { learner: other } = setUp(create, shared);
      const first = await other.update(objective, { ...PLAN, rows: ROWS.slice(0, 4), minibatch: 4 });
      const second = await other.update(objective, { ...PLAN, rows: ROWS.slice(4), minibatch: 4 });
      if (!same(learner.exportState(), other.exportState())) fail("7 rows by 4 are not 4 rows and then 3");
      for (const name of Object.keys(whole))
        compare(fail, name, [whole[name]], [(first[name] + second[name]) / 2], 1e-6);
    }
  }),

  law("continues from an exported state exactly", async (fail, create, specs) => {
    for (const spec of specs) {
      const { ppo } = setUp(create, spec);
      const learner = create(spec, stream(1));
      for (let k = 0; k < 3; k++) await learner.update(ppo, PLAN);
      const resumed = create(spec, stream(2));
      resumed.restoreState(learner.exportState());
      const outputs = inferred(resumed, ppo.batch, R);
      if (inferred(learner, ppo.batch, R).some((y, i) => y !== outputs[i])) fail("the outputs differ");
      await learner.update(ppo, PLAN);
      await resumed.update(ppo, PLAN);
      if (!same(learner.exportState(), resumed.exportState())) fail("the next step differs");
    }
  }),

  law(
    "shares no memory: not with an exported or restored state, not with another learner",
    async (fail, create, [shared]) => {
      const { learner, state, ppo } = setUp(create, shared);
      const given = copy(state);
      const outputs = inferred(learner, ppo.batch, R);
      learner.restoreState(given);
      for (const { parameters, firstMoment, secondMoment } of [given, learner.exportState()]) {
        for (const array of [parameters, firstMoment, secondMoment]) array.fill(0.5);
      }
      await create(shared, stream(2)).update(ppo, PLAN);
      if (!same(learner.exportState(), state)) fail("its state was changed from outside");
      if (inferred(learner, ppo.batch, R).some((y, i) => y !== outputs[i]))
        fail("its outputs were changed from outside");
    },
  ),

  law(
    "refuses NaN and infinity, with the parameters as before the step that would have used them",
    async (fail, create, specs) => {
      for (const spec of [specs[0], specs[2]]) {
        for (const kind of lossesOf(spec)) {
          const { [kind]: clean, learner: reference } = setUp(create, spec);
          await reference.update(clean, { ...PLAN, rows: ROWS.slice(0, 4), minibatch: 4 });
          const stepped = reference.exportState();
          for (const name of Object.keys(clean.batch)) {
            if (name === "legal" || name === "actions") continue;
            for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
              const { learner, state, ppo } = setUp(create, spec);
              // Row 2 is the first of the second minibatch.
              const batch = damaged(spec, clean.batch, name, 2, bad);
              const objective = { loss: clean.loss, batch } as Objective;
              await mustThrow(fail, "not-finite", () => learner.gradient(objective, ROWS), `${bad} in ${name}`);
              if (!same(learner.exportState(), state)) fail(`${bad} in ${name} changed the learner`);
              await mustThrow(
                fail,
                "not-finite",
                () => learner.update(objective, { ...PLAN, minibatch: 4 }),
                `${bad} in ${name}`,
              );
              if (!same(learner.exportState(), stepped))
                fail(`${bad} in ${name} of the second step left more or less than the first`);
              const unlearnt = damaged(spec, ppo.batch, name === "candidates" ? name : "inputs", 1, bad);
              await mustThrow(fail, "not-finite", () => inferred(learner, unlearnt, R), `${bad} as an input of infer`);
            }
          }
        }
      }
      const { learner, state } = setUp(create, specs[0]);
      const torn = { ...state, secondMoment: state.secondMoment.slice().fill(Number.NaN, 3, 4) };
      await mustThrow(fail, "not-finite", () => learner.restoreState(torn), "NaN in a restored state");
      if (!same(learner.exportState(), state)) fail("a refused state was restored in part");
    },
  ),

  law("refuses outputs, losses and gradients that overflow, and stays as it was", async (fail, create, [shared]) => {
    for (const kind of lossesOf(shared)) {
      const { learner, state, ppo, [kind]: objective } = setUp(create, shared);
      // Through three layers 1e12 becomes 1e36, and its gradient more than float32 holds; 1e20 becomes 1e60.
      for (const scale of [1e12, 1e20]) {
        const huge = { ...state, parameters: state.parameters.map((x) => x * scale) };
        learner.restoreState(huge);
        const when = `parameters near ${scale}`;
        await mustThrow(fail, "not-finite", () => learner.gradient(objective, ROWS), `the gradient at ${when}`);
        await mustThrow(fail, "not-finite", () => learner.update(objective, PLAN), `an update at ${when}`);
        if (!same(learner.exportState(), huge)) fail(`an update at ${when} was refused and changed the learner`);
      }
      await mustThrow(fail, "not-finite", () => inferred(learner, ppo.batch, R), "infer at parameters near 1e20");
    }
  }),

  law("refuses arrays of other lengths than its specification's", async (fail, create, [shared]) => {
    const made = setUp(create, shared);
    const { learner, state, ppo } = made;
    const { candidates } = ppo.batch;
    const refused = (what: string, run: () => unknown) => mustThrow(fail, "shape-mismatch", run, what);
    const [inputs, out] = [new Float32Array(R * shared.inputs), new Float32Array(R * 4)];
    await refused("inputs of infer that are too short", () => learner.infer(inputs.subarray(1), R, out, candidates));
    await refused("an out of infer that is too short", () => learner.infer(inputs, R, out.subarray(1), candidates));
    for (const kind of lossesOf(shared)) {
      const { loss, batch } = made[kind];
      for (const [name, array] of columnsOf(batch)) {
        const objective = { loss, batch: { ...batch, [name]: array.slice(1) } } as Objective;
        await refused(`${loss.kind} ${name} that are too short`, () => learner.update(objective, PLAN));
      }
      for (const row of [-1, R]) {
        await refused(`row ${row} of ${R}`, () =>
          learner.gradient({ loss, batch } as Objective, Int32Array.of(0, row)),
        );
      }
    }
    for (const name of ["parameters", "firstMoment", "secondMoment"] as const) {
      await refused(`${name} that are too short`, () =>
        learner.restoreState({ ...state, [name]: state[name].slice(1) }),
      );
    }
    if (!same(learner.exportState(), state)) fail("what was refused changed the learner");
  }),

  law("needs lists where it scores candidates, and refuses what is none", async (fail, create, [lists]) => {
    if (lists.kind !== "candidates") return;
    const { learner, state, ppo, regression } = setUp(create, lists);
    const { inputs, candidates = broken("the laws", "no lists") } = ppo.batch;
    const { features, starts, counts } = candidates;
    const damages: Record<string, CandidateLists | undefined> = {
      "no lists": undefined,
      "a list that begins before the first candidate": { ...candidates, starts: starts.with(5, -1) },
      "a list that ends behind the last candidate": { ...candidates, features: features.slice(lists.features) },
      "an empty list": { ...candidates, counts: counts.with(5, 0) },
      "a list that is too long": { ...candidates, starts: starts.with(5, 0), counts: counts.with(5, A + 1) },
      "too few lists": { ...candidates, counts: counts.slice(1) },
    };
    for (const [what, given] of Object.entries(damages)) {
      await mustThrow(fail, "shape-mismatch", () => inferred(learner, { inputs, ...listed(given) }, R), what);
      const { candidates: _, ...rest } = ppo.batch;
      const objective = { loss: ppo.loss, batch: { ...rest, ...listed(given) } };
      await mustThrow(fail, "shape-mismatch", () => learner.update(objective, PLAN), what);
    }
    await mustThrow(fail, "unsupported", () => learner.update(regression, PLAN), "regression");
    if (!same(learner.exportState(), state)) fail("what was refused changed the learner");
  }),
];

type Fail = (message: string) => never;
type Objective =
  | { readonly loss: PpoLoss; readonly batch: PpoBatch }
  | { readonly loss: { readonly kind: "regression" }; readonly batch: RegressionBatch };

const ROWS_ALL = Array.from({ length: R }, (_, row) => row);

function law(
  name: string,
  check: (fail: Fail, create: CreateLearner, specs: readonly ModelSpec[]) => void | Promise<void>,
): Law<LearnerSubject> {
  return {
    name,
    async run({ create, kind = "mlp" }) {
      const made: Learner[] = [];
      try {
        await check(
          (message) => broken(name, message),
          (spec, random) => {
            const learner = create(spec, random);
            made.push(learner);
            return learner;
          },
          SPECS[kind],
        );
      } finally {
        for (const learner of made) learner.dispose();
      }
    },
  };
}

/** A learner in the middle of training, and data for it: all made up, the same each time. */
function setUp(create: CreateLearner, spec: ModelSpec, space: ActionSpace = actionsOf(spec)) {
  const random = stream("learner laws");
  const P = parameterCount(spec);
  const O = outputWidth(spec);
  const normals = (length: number, scale = 1) => Float32Array.from({ length }, () => scale * random.normal());
  const state: LearnerState = {
    parameters: normals(P, 0.6),
    firstMoment: normals(P, 0.1),
    secondMoment: Float32Array.from({ length: P }, () => 0.001 + 0.1 * random.uniform()),
    steps: 7,
  };
  const inputs = normals(R * spec.inputs);
  const lists = spec.kind === "candidates" ? listsOf(spec) : undefined;
  const seen = { inputs, ...listed(lists) };
  const sizes = partsOf(space);
  const W = sizes.length;
  const actions = new Float32Array(R * W);
  const legal = new Uint8Array(R * maskWidth(space));
  for (let row = 0, at = 0; row < R; row++) {
    const outputs = network(spec, state.parameters, seen, row);
    sizes.forEach((n, part) => {
      // Continuous ones as the policy would draw them: far out, float32 has no digits left for the ratio.
      const drawn = () => outputs[part] + Math.exp(outputs[W + part]) * random.normal();
      const choices = lists ? lists.counts[row] : n;
      const action = space.kind === "box" ? drawn() : random.below(choices);
      actions[row * W + part] = action;
      for (let k = 0; k < n && space.kind !== "box"; k++) {
        legal[at++] = lists ? (k < choices ? 1 : 0) : k === action || random.uniform() < 0.6 ? 1 : 0;
      }
    });
  }
  const likely = Float32Array.from(
    ROWS_ALL,
    (row) => policyTerms(space, network(spec, state.parameters, seen, row), legal, actions, row).logProb,
  );
  const ppo = {
    loss: { ...PPO, space },
    // ln π at the learner's parameters: ln r = 0.
    likely,
    batch: {
      ...seen,
      legal,
      actions,
      logProbs: likely.map((logProb) => logProb + 0.3 * random.normal()),
      advantages: normals(R),
      returns: normals(R),
    },
  };
  const regression = {
    loss: { kind: "regression" as const },
    batch: {
      inputs: inputs.slice(),
      targets: normals(R * O),
      weights: Float32Array.from({ length: R * O }, () => 2 * random.uniform()),
    },
  };
  const learner = create(spec, stream(1));
  learner.restoreState(state);
  return { learner, state, ppo, regression };
}

type Seen = Pick<PpoBatch, "inputs" | "candidates">;

/** One output row in float64, straight from the definition of the canonical order. */
function network(spec: ModelSpec, parameters: ArrayLike<number>, { inputs, candidates }: Seen, row: number): number[] {
  const outputs: number[] = [];
  const state = Array.from({ length: spec.inputs }, (_, i) => inputs[row * spec.inputs + i]);
  let weight = 0;
  towersOf(spec).forEach(({ output }, tower) => {
    if (spec.kind === "candidates" && tower === 0) {
      const { features, starts, counts } = candidates as CandidateLists;
      const [F, begin] = [spec.features, weight];
      for (let k = 0; k < spec.max; k++) {
        const at = (starts[row] + k) * F;
        const pair = [...state, ...Array.from({ length: F }, (_, i) => features[at + i] ?? 0)];
        const [logits, end] = dense(spec, parameters, begin, pair, output);
        outputs.push(k < counts[row] ? logits[0] : 0);
        weight = end;
      }
      return;
    }
    let h = state;
    if (spec.kind === "cnn") [h, weight] = convolved(spec, parameters, weight, h);
    const [z, end] = dense(spec, parameters, weight, h, output);
    outputs.push(...z);
    weight = end;
  });
  return outputs;
}

/** What the dense layers of one tower make of `h`, and where the parameters go on. */
function dense(
  spec: ModelSpec,
  parameters: ArrayLike<number>,
  weight: number,
  h: number[],
  output: number,
): [number[], number] {
  let z = h;
  [...spec.hidden, output].forEach((width, layer) => {
    const x = layer === 0 ? h : z.map((value) => activated(spec, value));
    const bias = weight + x.length * width;
    z = Array.from({ length: width }, (_, k) =>
      x.reduce((sum, value, i) => sum + value * parameters[weight + i * width + k], parameters[bias + k]),
    );
    weight = bias + width;
  });
  return [z, weight];
}

const actionsOf = (spec: ModelSpec): ActionSpace =>
  spec.kind === "candidates" ? candidates(spec.max, spec.features) : discrete(A);

/** Lists of 1 to `max` candidates, some zeros among their features; in the array they lie in another order than the rows. */
function listsOf({ features: F, max }: CandidatesSpec): CandidateLists {
  const random = stream("learner laws", "candidates");
  const counts = Int32Array.from(ROWS_ALL, (row) => (row < max ? row + 1 : 1 + random.below(max)));
  const starts = new Int32Array(R);
  let length = 0;
  for (const row of [...ROWS_ALL].reverse()) {
    starts[row] = length;
    length += counts[row];
  }
  const features = Float32Array.from({ length: length * F }, () => (random.below(3) > 0 ? random.normal() : 0));
  return { features, starts, counts };
}

const listed = (candidates: CandidateLists | undefined) => (candidates ? { candidates } : {});

/** The list of one row alone. */
function only({ candidates }: PpoBatch, row: number) {
  if (!candidates) return {};
  const { features, starts, counts } = candidates;
  return { candidates: { features, starts: starts.slice(row, row + 1), counts: counts.slice(row, row + 1) } };
}

/** Fills the features of one list. */
function fillList({ features, starts, counts }: CandidateLists, spec: ModelSpec, row: number, value: number) {
  const F = (spec as CandidatesSpec).features;
  features.fill(value, starts[row] * F, (starts[row] + counts[row]) * F);
}

/** The columns of a batch, by name: what is R times as long as a row. */
const columnsOf = (batch: PpoBatch | RegressionBatch) =>
  Object.entries(batch).filter(([name]) => name !== "candidates") as [string, Float32Array | Uint8Array][];

/** A copy of a batch in which one row of one column, or the features of one list, are `bad`. */
function damaged<T extends PpoBatch | RegressionBatch>(
  spec: ModelSpec,
  batch: T,
  name: string,
  row: number,
  bad: number,
): T {
  if (name === "candidates") {
    const lists = (batch as PpoBatch).candidates as CandidateLists;
    const copied = { ...lists, features: lists.features.slice() };
    fillList(copied, spec, row, bad);
    return { ...batch, candidates: copied };
  }
  const array = batch[name as keyof T] as Float32Array;
  const width = array.length / R;
  return { ...batch, [name]: array.slice().fill(bad, row * width, (row + 1) * width) };
}

/** Choices of each part of an action; one entry per part where it is continuous. */
const partsOf = (space: ActionSpace): readonly number[] => {
  if (space.kind === "multi-discrete") return space.nvec;
  return space.kind === "box" ? new Array<number>(space.shape[0]).fill(0) : [A];
};

/** ln π(a∣o) and H(π), from the definitions of softmax and of the normal density. */
function policyTerms(space: ActionSpace, outputs: number[], legal: Uint8Array, actions: Float32Array, row: number) {
  const sizes = partsOf(space);
  const W = sizes.length;
  let [logProb, entropy, start] = [0, 0, 0];
  sizes.forEach((n, part) => {
    const action = actions[row * W + part];
    if (space.kind === "box") {
      const logStd = Math.min(Math.max(outputs[W + part], -5), 2);
      const z = (action - outputs[part]) / Math.exp(logStd);
      logProb -= (z * z) / 2 + logStd + Math.log(2 * Math.PI) / 2;
      entropy += logStd + (1 + Math.log(2 * Math.PI)) / 2;
      return;
    }
    const mask = row * sizes.reduce((sum, size) => sum + size, 0) + start;
    const weights = Array.from({ length: n }, (_, k) => (legal[mask + k] ? Math.exp(outputs[start + k]) : 0));
    const sum = weights.reduce((a, b) => a + b);
    logProb += Math.log(weights[action] / sum);
    for (const w of weights) if (w > 0) entropy -= (w / sum) * Math.log(w / sum);
    start += n;
  });
  return { logProb, entropy };
}

const activated = ({ activation }: ModelSpec, x: number) => (activation === "tanh" ? Math.tanh(x) : Math.max(0, x));

/** What the convolutions of one tower make of an image, and where the parameters go on: from the definition, sum by sum. */
function convolved(spec: CnnSpec, parameters: ArrayLike<number>, weight: number, pixels: number[]): [number[], number] {
  let [height, width, inputs] = spec.image;
  for (const { size, stride, channels } of spec.filters) {
    const bias = weight + size * size * inputs * channels;
    const results: number[] = [];
    for (let top = 0; top + size <= height; top += stride) {
      for (let left = 0; left + size <= width; left += stride) {
        for (let k = 0; k < channels; k++) {
          let sum = parameters[bias + k];
          for (let y = 0; y < size; y++) {
            for (let x = 0; x < size; x++) {
              for (let c = 0; c < inputs; c++) {
                const pixel = pixels[((top + y) * width + left + x) * inputs + c];
                sum += pixel * parameters[weight + ((y * size + x) * inputs + c) * channels + k];
              }
            }
          }
          results.push(activated(spec, sum));
        }
      }
    }
    [height, width] = [height, width].map((side) => Math.floor((side - size) / stride) + 1);
    [pixels, weight, inputs] = [results, bias + channels, channels];
  }
  return [pixels, weight];
}

/** The mean loss over `ROWS` in float64 and its statistics, from the formulas of `PpoLoss` and `RegressionLoss`. */
function meanLoss(spec: ModelSpec, parameters: ArrayLike<number>, objective: Objective): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const row of ROWS) {
    const outputs = network(spec, parameters, objective.batch, row);
    const terms =
      objective.loss.kind === "ppo"
        ? ppoTerms(objective.loss, objective.batch as PpoBatch, row, outputs)
        : regressionTerms(objective.batch as RegressionBatch, row, outputs);
    for (const [name, value] of Object.entries(terms)) sums[name] = (sums[name] ?? 0) + value / ROWS.length;
  }
  return sums;
}

function ppoTerms(loss: PpoLoss, batch: PpoBatch, row: number, outputs: number[]) {
  const { logProb, entropy } = policyTerms(loss.space, outputs, batch.legal, batch.actions, row);
  const ratio = Math.exp(logProb - batch.logProbs[row]);
  const advantage = batch.advantages[row];
  const clipped = Math.min(Math.max(ratio, 1 - loss.clip), 1 + loss.clip);
  const error = outputs[outputs.length - 1] - batch.returns[row];
  const policy = -Math.min(ratio * advantage, clipped * advantage);
  const value = (error * error) / 2;
  return {
    total: policy + loss.valueCoefficient * value - loss.entropyCoefficient * entropy,
    policy_loss: policy,
    value_loss: value,
    entropy,
    approx_kl: ratio - 1 - Math.log(ratio),
    clipfrac: clipped === ratio ? 0 : 1,
  };
}

function regressionTerms({ targets, weights }: RegressionBatch, row: number, outputs: number[]) {
  const at = row * outputs.length;
  const total = outputs.reduce((sum, f, k) => sum + weights[at + k] * (f - targets[at + k]) * (f - targets[at + k]), 0);
  return { total, loss: total };
}

/** Gradient of the mean loss over `ROWS` by central differences in float64. */
function differences(spec: ModelSpec, parameters: Float32Array, objective: Objective): number[] {
  const moved = Float64Array.from(parameters);
  const h = 1e-5;
  return Array.from(parameters, (x, i) => {
    moved[i] = x + h;
    const above = meanLoss(spec, moved, objective).total;
    moved[i] = x - h;
    const below = meanLoss(spec, moved, objective).total;
    moved[i] = x;
    return (above - below) / (2 * h);
  });
}

/** One step of Adam from `state`, as in Kingma & Ba (2015), algorithm 1. */
function adam(state: LearnerState, gradient: Float32Array, scale: number, learningRate: number) {
  let [beta1, beta2] = [1, 1];
  for (let t = 0; t <= state.steps; t++) [beta1, beta2] = [beta1 * 0.9, beta2 * 0.999];
  const g = Array.from(gradient, (x) => x * scale);
  const firstMoment = g.map((x, i) => 0.9 * state.firstMoment[i] + 0.1 * x);
  const secondMoment = g.map((x, i) => 0.999 * state.secondMoment[i] + 0.001 * x * x);
  const parameters = Array.from(
    state.parameters,
    (x, i) => x - (learningRate * (firstMoment[i] / (1 - beta1))) / (Math.sqrt(secondMoment[i] / (1 - beta2)) + 1e-5),
  );
  return { parameters, firstMoment, secondMoment };
}

function inferred(learner: Learner, { inputs, candidates }: Seen, count: number): Float32Array {
  const out = new Float32Array(count * outputWidth(learner.spec));
  learner.infer(inputs, count, out, candidates);
  return out;
}

const norm = (vector: ArrayLike<number>) => Math.sqrt(Array.from(vector).reduce((sum, x) => sum + x * x, 0));

function compare(fail: Fail, what: string, got: ArrayLike<number>, wanted: ArrayLike<number>, tolerance = TOLERANCE) {
  if (got.length !== wanted.length) fail(`${what}: ${got.length} numbers, wanted ${wanted.length}`);
  for (let i = 0; i < wanted.length; i++) {
    if (!(Math.abs(got[i] - wanted[i]) <= tolerance * (1 + Math.abs(wanted[i])))) {
      fail(`${what} ${i} is ${got[i]}, wanted ${wanted[i]}`);
    }
  }
}

const ARRAYS = ["parameters", "firstMoment", "secondMoment"] as const;

/** Whether two states are equal to the last bit. */
const same = (a: LearnerState, b: LearnerState): boolean =>
  a.steps === b.steps && ARRAYS.every((name) => a[name].every((x, i) => Object.is(x, b[name][i])));

const copy = (state: LearnerState): LearnerState => ({
  parameters: state.parameters.slice(),
  firstMoment: state.firstMoment.slice(),
  secondMoment: state.secondMoment.slice(),
  steps: state.steps,
});

async function mustThrow(fail: Fail, code: string, run: () => unknown, when = "the call"): Promise<void> {
  let got = "no error";
  try {
    await run();
  } catch (error) {
    got = String((error as { code?: unknown }).code ?? error);
  }
  if (got !== code) fail(`${when} must give the error ${code}, got ${got}`);
}
