import { addList, type CandidateLists, createCandidateStore } from "../candidate-lists.ts";
import { ILLEGAL } from "../distributions/categorical.ts";
import type { Explainer } from "../explainer.ts";
import type { DecisionBatch, Perturbation, Policy } from "../policy.ts";
import { stream } from "../random.ts";
import { type Law, law } from "./law.ts";

/** What a law about decisions needs to know: D observations in [0, 1], n actions. */
export interface DecisionShape {
  readonly observation: number;
  readonly actions: number;
  /** An action that is legal in every decision, where what is tested needs one; discrete actions only. */
  readonly always?: number;
  /** F, where they are candidates: lists of up to n of them. Otherwise they are discrete. */
  readonly features?: number;
}

const ROWS = 40;
/** Rows that arrays are longer than a batch's count, and what they are filled with. */
const SPARE = 3;
const MARK = 7;

/** Made-up decisions with random observations, legal masks (1 to n legal), candidates and policies; the last row is forced. */
export function sampleDecisions({ observation, actions, features, always }: DecisionShape, seed: number) {
  const random = stream(seed, "sample decisions");
  const observations = Float32Array.from({ length: ROWS * observation }, () => random.uniform());
  const legal = new Uint8Array(ROWS * actions);
  const policy = new Float32Array(ROWS * actions).fill(ILLEGAL);
  const perturbation = new Float32Array(ROWS * actions).fill(ILLEGAL);
  const candidates = features === undefined ? undefined : createCandidateStore(features, ROWS);
  for (let row = 0; row < ROWS; row++) {
    const certain = always ?? random.below(actions);
    const listed = row === ROWS - 1 ? 1 : 1 + certain;
    if (candidates) {
      const offset = addList(candidates, row, listed);
      for (let i = offset; i < candidates.length * candidates.width; i++) candidates.features[i] = random.uniform();
    }
    let sum = 0;
    let count = 0;
    for (let a = 0; a < actions; a++) {
      const left = candidates ? a >= listed : a !== certain && (row === ROWS - 1 || random.uniform() < 0.3);
      if (left) continue;
      legal[row * actions + a] = 1;
      policy[row * actions + a] = 3 * random.normal();
      sum += Math.exp(policy[row * actions + a]);
      count++;
    }
    for (let a = 0; a < actions; a++) {
      if (!legal[row * actions + a]) continue;
      policy[row * actions + a] -= Math.log(sum);
      perturbation[row * actions + a] = -Math.log(count);
    }
  }
  return { agent: 0, count: ROWS, observations, legal, policy, perturbation, ...(candidates && { candidates }) };
}

type Sample = ReturnType<typeof sampleDecisions>;

/** The first name of an array of `decisions` that differs from what was sampled, if any. */
function written(decisions: Sample, shape: DecisionShape, seed: number): string | undefined {
  const fresh = sampleDecisions(shape, seed);
  const names = ["observations", "legal", "policy", "perturbation"] as const;
  const changed = names.find((name) => decisions[name].some((x, i) => !Object.is(x, fresh[name][i])));
  const lists = ["features", "starts", "counts"] as const;
  return (
    changed ??
    lists.find((name) => decisions.candidates?.[name].some((x, i) => !Object.is(x, fresh.candidates?.[name][i])))
  );
}

/** Where the list of one row is, as that of a single decision. */
const listAt = ({ starts, counts }: CandidateLists, row: number) => ({
  starts: starts.slice(row, row + 1),
  counts: counts.slice(row, row + 1),
});

type Evaluate = (batch: DecisionBatch & { readonly policy: Float32Array }, out: Float32Array) => void;

const distributionLaws: readonly Law<{ readonly evaluate: Evaluate; readonly shape: DecisionShape }>[] = [
  law("gives probabilities: legal actions sum to 1, illegal ones have none", (fail, { evaluate, shape }) => {
    const { legal } = sampleDecisions(shape, 1);
    const out = new Float32Array(ROWS * shape.actions).fill(MARK);
    evaluate(sampleDecisions(shape, 1), out);
    for (let row = 0; row < ROWS; row++) {
      let sum = 0;
      for (let a = 0; a < shape.actions; a++) {
        const logProb = out[row * shape.actions + a];
        if (!Number.isFinite(logProb)) fail(`row ${row} gives action ${a} the log-probability ${logProb}`);
        if (legal[row * shape.actions + a]) sum += Math.exp(logProb);
        else if (logProb > ILLEGAL) fail(`row ${row} gives illegal action ${a} the log-probability ${logProb}`);
      }
      if (!(Math.abs(sum - 1) < 1e-5)) fail(`the probabilities of row ${row} sum to ${sum}`);
    }
  }),
  law("treats every decision alone, and the same way each time", (fail, { evaluate, shape }) => {
    const { observation: D, actions: A } = shape;
    const decisions = sampleDecisions(shape, 2);
    const whole = new Float32Array(ROWS * A);
    evaluate(decisions, whole);
    for (const row of [ROWS - 1, 0, 7]) {
      const { observations, legal, policy } = sampleDecisions(shape, 2);
      const alone = new Float32Array(A);
      const { candidates } = decisions;
      const one = {
        count: 1,
        ...(candidates && { candidates: { ...candidates, ...listAt(candidates, row) } }),
        observations: observations.slice(row * D, (row + 1) * D),
        legal: legal.slice(row * A, (row + 1) * A),
        policy: policy.slice(row * A, (row + 1) * A),
      };
      evaluate(one, alone);
      const same = (x: number, y: number) => Object.is(x, y) || Math.abs(x - y) <= 1e-5 * (1 + Math.abs(x));
      if (alone.every((x, a) => same(x, whole[row * A + a]))) continue;
      fail(`row ${row} alone gives [${alone}], in the batch [${whole.subarray(row * A, (row + 1) * A)}]`);
    }
  }),
  law("writes its rows and nothing else", (fail, { evaluate, shape }) => {
    const decisions = sampleDecisions(shape, 3);
    const count = ROWS - SPARE;
    const out = new Float32Array(ROWS * shape.actions).fill(MARK);
    evaluate({ ...decisions, count }, out);
    const name = written(decisions, shape, 3);
    if (name) fail(`${name} was written to`);
    if (out.some((x, i) => i >= count * shape.actions && x !== MARK))
      fail(`rows after the ${count} asked for were written to`);
  }),
];

/** The laws that every `Policy` over a discrete space or one of candidates obeys. */
export const policyLaws: readonly Law<{ readonly policy: Policy; readonly shape: DecisionShape }>[] = [
  ...distributionLaws.map(({ name, run }) => ({
    name,
    run: ({ policy, shape }: { readonly policy: Policy; readonly shape: DecisionShape }) =>
      run({ shape, evaluate: (batch, out) => policy.evaluate(batch, out, new Float32Array(batch.count)) }),
  })),
  law("writes a finite value for every decision, zero where it has none", (fail, { policy, shape }) => {
    const count = ROWS - SPARE;
    const values = new Float32Array(ROWS).fill(Number.NaN);
    policy.evaluate({ ...sampleDecisions(shape, 4), count }, new Float32Array(ROWS * shape.actions), values);
    values.forEach((value, row) => {
      if (row < count && !Number.isFinite(value)) fail(`the value of row ${row} is ${value}`);
      if (row >= count && !Number.isNaN(value)) fail(`a value was written after the ${count} rows asked for`);
    });
  }),
];

/** The laws that every `Perturbation` over a discrete space or one of candidates obeys. */
export const perturbationLaws: readonly Law<{ readonly perturbation: Perturbation; readonly shape: DecisionShape }>[] =
  distributionLaws.map(({ name, run }) => ({
    name,
    run: ({ perturbation, shape }) =>
      run({ shape, evaluate: (batch, out) => perturbation.evaluate(batch, batch.policy, out) }),
  }));

/** The laws that every `Explainer` over a discrete space or one of candidates obeys. A subject makes equal explainers. */
export const explainerLaws: readonly Law<{ readonly make: () => Explainer; readonly shape: DecisionShape }>[] = [
  law("gives every decision a finite score, and an uncertainty that is ≥ 0 or NaN", (fail, { make, shape }) => {
    const { criticality, spread } = scores(make(), sampleDecisions(shape, 3));
    criticality.forEach((x, row) => {
      if (!Number.isFinite(x)) fail(`the criticality of row ${row} is ${x}`);
    });
    spread.forEach((x, row) => {
      if (x < 0 || x === Number.POSITIVE_INFINITY) fail(`the spread of row ${row} is ${x}`);
    });
  }),
  law("scores the same decisions the same way when made again", (fail, { make, shape }) => {
    const one = scores(make(), sampleDecisions(shape, 4));
    const two = scores(make(), sampleDecisions(shape, 4));
    for (const name of ["criticality", "spread"] as const) {
      if (one[name].some((x, i) => !Object.is(x, two[name][i]))) fail(`two equal explainers disagree on ${name}`);
    }
  }),
  law("writes the scores asked for and nothing else", (fail, { make, shape }) => {
    const decisions = sampleDecisions(shape, 5);
    const count = ROWS - SPARE;
    const { criticality, spread } = scores(make(), { ...decisions, count });
    const name = written(decisions, shape, 5);
    if (name) fail(`${name} was written to`);
    for (const array of [criticality, spread]) {
      if (array.some((x, row) => row >= count && x !== UNSCORED))
        fail(`a score was written after the ${count} rows asked for`);
    }
  }),
];

/** What scores hold before the explainer writes them: nothing that one may write. */
const UNSCORED = Number.NEGATIVE_INFINITY;

function scores(explainer: Explainer, decisions: Sample) {
  const criticality = new Float32Array(ROWS).fill(UNSCORED);
  const spread = new Float32Array(ROWS).fill(UNSCORED);
  explainer.score(decisions, criticality, spread);
  return { criticality, spread };
}
