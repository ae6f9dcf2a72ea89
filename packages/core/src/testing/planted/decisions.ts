import { categorical, ILLEGAL, maskedLogSoftmax } from "../../distributions/categorical.ts";
import type { Explainer } from "../../explainer.ts";
import type { Perturbation, Policy } from "../../policy.ts";
import { stream } from "../../random.ts";

/** Sound and broken policies, perturbations and explainers over this shape. */
export const SHAPE = { observation: 3, actions: 4 };
const D = SHAPE.observation;
const A = SHAPE.actions;

/** A piece with one bug, and the names of exactly those laws that it breaks. */
export interface BrokenPiece<T> {
  readonly bug: string;
  readonly breaks: readonly string[];
  readonly piece: T;
}

const PROBABILITIES = "gives probabilities: legal actions sum to 1, illegal ones have none";
const EACH_ALONE = "treats every decision alone, and the same way each time";
const ROWS_ONLY = "writes its rows and nothing else";
const VALUES = "writes a finite value for every decision, zero where it has none";
const SCORES = "gives every decision a finite score, and an uncertainty that is ≥ 0 or NaN";
const AGAIN = "scores the same decisions the same way when made again";
const SCORES_ONLY = "writes the scores asked for and nothing else";

/** A softmax of sums of the observation's entries, with their mean for a value. */
export const softmaxPolicy: Policy = {
  evaluate({ count, observations, legal }, parameters, values) {
    for (let row = 0; row < count; row++) {
      values[row] = 0;
      for (let d = 0; d < D; d++) values[row] += observations[row * D + d] / D;
      for (let a = 0; a < A; a++) parameters[row * A + a] = (a + 1) * observations[row * D + (a % D)];
      maskedLogSoftmax(parameters, row * A, legal, row * A, A);
    }
  },
};

/** The policy itself with less confidence: ν ∝ √π. */
export const temperedPerturbation: Perturbation = {
  name: "tempered",
  evaluate({ count, legal }, policy, out) {
    for (let row = 0; row < count; row++) {
      for (let a = 0; a < A; a++) out[row * A + a] = policy[row * A + a] / 2;
      maskedLogSoftmax(out, row * A, legal, row * A, A);
    }
  },
};

/** The less the policy is in doubt, the more is at stake; it knows no uncertainty of its own. */
export function certainty(): Explainer {
  const distribution = categorical(A);
  return {
    name: "certainty",
    score({ count, policy }, criticality, spread) {
      for (let row = 0; row < count; row++) {
        criticality[row] = -distribution.at(policy, row * A).entropy();
        spread[row] = Number.NaN;
      }
    },
  };
}

/** The sound policy, with `spoil` having the last word. */
const spoiltPolicy = (spoil: (...args: Parameters<Policy["evaluate"]>) => void): Policy => ({
  evaluate(batch, parameters, values) {
    softmaxPolicy.evaluate(batch, parameters, values);
    spoil(batch, parameters, values);
  },
});

/** The sound perturbation, with `spoil` having the last word. */
const spoiltPerturbation = (spoil: (...args: Parameters<Perturbation["evaluate"]>) => void): Perturbation => ({
  name: "spoilt",
  evaluate(batch, policy, out) {
    temperedPerturbation.evaluate(batch, policy, out);
    spoil(batch, policy, out);
  },
});

/** The sound explainer, with `spoil` having the last word. */
const spoiltExplainer = (spoil: (...args: Parameters<Explainer["score"]>) => void) => (): Explainer => {
  const sound = certainty();
  return {
    name: "spoilt",
    score(decisions, criticality, spread) {
      sound.score(decisions, criticality, spread);
      spoil(decisions, criticality, spread);
    },
  };
};

/** Chance that nobody seeds, as `Math.random` is. */
const unseeded = stream(0);

/** Bugs that policies and perturbations share: they spoil the rows in `out`. */
const brokenRows: readonly BrokenPiece<(count: number, legal: Uint8Array, out: Float32Array) => void>[] = [
  {
    bug: "mass on illegal actions",
    breaks: [PROBABILITIES],
    piece(count, legal, out) {
      for (let i = 0; i < count * A; i++) if (!legal[i]) out[i] = -20;
    },
  },
  {
    bug: "an illegal action at −∞: 0 · ln 0 is not a number",
    breaks: [PROBABILITIES],
    piece(count, legal, out) {
      for (let i = 0; i < count * A; i++) if (!legal[i]) out[i] = Number.NEGATIVE_INFINITY;
    },
  },
  {
    bug: "probabilities that sum to less than 1",
    breaks: [PROBABILITIES],
    piece(count, legal, out) {
      for (let i = 0; i < count * A; i++) if (legal[i]) out[i] -= 0.01;
    },
  },
  {
    bug: "probabilities in the place of their logarithms",
    breaks: [PROBABILITIES],
    piece(count, _legal, out) {
      for (let i = 0; i < count * A; i++) out[i] = Math.exp(out[i]);
    },
  },
  {
    bug: "a row that is not written",
    breaks: [PROBABILITIES, EACH_ALONE],
    piece: (_count, _legal, out) => out.fill(7, 0, A),
  },
  {
    bug: "the first row leaks into the others",
    breaks: [EACH_ALONE],
    piece(count, legal, out) {
      const first = out.slice(0, A).map((x) => Math.max(x, -10));
      for (let row = 0; row < count; row++) {
        for (let a = 0; a < A; a++) out[row * A + a] += first[a];
        maskedLogSoftmax(out, row * A, legal, row * A, A);
      }
    },
  },
  {
    bug: "noise that nobody seeded",
    breaks: [EACH_ALONE],
    piece(count, legal, out) {
      for (let row = 0; row < count; row++) {
        for (let a = 0; a < A; a++) out[row * A + a] += 0.1 * unseeded.normal();
        maskedLogSoftmax(out, row * A, legal, row * A, A);
      }
    },
  },
  {
    bug: "marks its input",
    breaks: [ROWS_ONLY],
    piece(_count, legal) {
      legal[0] = 1 - legal[0];
    },
  },
  {
    bug: "fills the whole array, not the rows asked for",
    breaks: [ROWS_ONLY],
    piece: (count, _legal, out) => out.fill(ILLEGAL, count * A),
  },
];

export const brokenPolicies: readonly BrokenPiece<Policy>[] = [
  ...brokenRows.map(({ bug, breaks, piece }) => ({
    bug,
    breaks,
    piece: spoiltPolicy(({ count, legal }, parameters) => piece(count, legal, parameters)),
  })),
  {
    bug: "scales its observations in place",
    breaks: [ROWS_ONLY],
    piece: spoiltPolicy(({ observations }) => {
      observations[0] *= 2;
    }),
  },
  {
    bug: "leaves the values to the caller",
    breaks: [VALUES],
    piece: {
      evaluate: (batch, parameters) => softmaxPolicy.evaluate(batch, parameters, new Float32Array(batch.count)),
    },
  },
  {
    bug: "values that are not numbers",
    breaks: [VALUES],
    piece: spoiltPolicy(({ count }, _parameters, values) => values.fill(Number.NaN, count - 1, count)),
  },
  {
    bug: "values for the whole array, not the rows asked for",
    breaks: [VALUES],
    piece: spoiltPolicy((_batch, _parameters, values) => values.fill(0)),
  },
];

export const brokenPerturbations: readonly BrokenPiece<Perturbation>[] = [
  ...brokenRows.map(({ bug, breaks, piece }) => ({
    bug,
    breaks,
    piece: spoiltPerturbation(({ count, legal }, _policy, out) => piece(count, legal, out)),
  })),
  {
    bug: "spoils the policy it was shown",
    breaks: [ROWS_ONLY],
    piece: spoiltPerturbation((_batch, policy) => policy.fill(0, 0, A)),
  },
];

export const brokenExplainers: readonly BrokenPiece<() => Explainer>[] = [
  {
    bug: "a score of 0 · ln 0",
    breaks: [SCORES],
    piece: spoiltExplainer(({ count, legal }, criticality) => {
      for (let row = 0; row < count; row++) if (!legal[row * A]) criticality[row] = 0 * Number.NEGATIVE_INFINITY;
    }),
  },
  {
    bug: "scores that are not written",
    breaks: [SCORES],
    piece: () => ({ name: "silent", score: ({ count }, _criticality, spread) => spread.fill(0, 0, count) }),
  },
  {
    bug: "a negative uncertainty",
    breaks: [SCORES],
    piece: spoiltExplainer((_decisions, _criticality, spread) => {
      spread[0] = -0.1;
    }),
  },
  {
    bug: "an infinite uncertainty",
    breaks: [SCORES],
    piece: spoiltExplainer((_decisions, _criticality, spread) => {
      spread[0] = Number.POSITIVE_INFINITY;
    }),
  },
  {
    bug: "an uncertainty that is not written",
    breaks: [SCORES],
    piece: () => ({ name: "silent", score: ({ count }, criticality) => criticality.fill(0, 0, count) }),
  },
  {
    bug: "noise that nobody seeded",
    breaks: [AGAIN],
    piece: spoiltExplainer((_decisions, criticality) => {
      criticality[0] += unseeded.uniform();
    }),
  },
  {
    bug: "an uncertainty that nobody seeded",
    breaks: [AGAIN],
    piece: spoiltExplainer((_decisions, _criticality, spread) => {
      spread[0] = unseeded.uniform();
    }),
  },
  {
    bug: "turns the policy into probabilities in place",
    breaks: [SCORES_ONLY],
    piece: spoiltExplainer(({ policy }) => {
      policy[0] = Math.exp(policy[0]);
    }),
  },
  {
    bug: "spoils the perturbation it was shown",
    breaks: [SCORES_ONLY],
    piece: spoiltExplainer(({ perturbation }) => perturbation.fill(0, 0, A)),
  },
  {
    bug: "scores the whole array, not the rows asked for",
    breaks: [SCORES_ONLY],
    piece: spoiltExplainer((_decisions, criticality) => criticality.fill(0)),
  },
  {
    bug: "an uncertainty for the whole array, not the rows asked for",
    breaks: [SCORES_ONLY],
    piece: spoiltExplainer((_decisions, _criticality, spread) => spread.fill(Number.NaN)),
  },
];
