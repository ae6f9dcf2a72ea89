import { describe, expect, it } from "@jest/globals";
import {
  type ActionSpace,
  box,
  candidates,
  type Decisions,
  discrete,
  distributionOf,
  type EnvironmentSpec,
  maskedLogSoftmax,
  maskWidth,
  multiDiscrete,
  type Perturbation,
  type Policy,
  stream,
} from "@magic-mask/core";
import { type DecisionShape, perturbationLaws, sampleDecisions } from "@magic-mask/core/testing";
import fc from "fast-check";
import { perturbations } from "../index.ts";
import type { SingleActionAdvantages } from "./tilt.ts";

const D = 5;
const A = 4;
const LABELS = ["left", "noop", "right", "fire"];
const IDLE = 1;

const specOf = (space: ActionSpace) =>
  ({ actionSpaces: [space], observationSpaces: [box([D], 0, 1)] }) as unknown as EnvironmentSpec;

/** Some function of the decision and the action. */
const advantages: SingleActionAdvantages = ({ count, observations }, out, actions) => {
  for (let row = 0; row < count; row++) {
    for (let i = 0; i < (actions ? 16 : A); i++) {
      const x = actions ? actions[(row * 16 + i) * 2] : i;
      out[row * (actions ? 16 : A) + i] = Math.sin(3 * x + 7 * observations[row * D]);
    }
  }
};

/** A policy that looks at one number. */
const peer: Policy = {
  evaluate({ count, observations, legal }, parameters) {
    for (let row = 0; row < count; row++) {
      for (let a = 0; a < A; a++) parameters[row * A + a] = a * observations[row * D];
      if (legal.length > 0) maskedLogSoftmax(parameters, row * A, legal, row * A, A);
    }
  },
};

/** A perturbation by name, fitted where that is to be done. */
function made(name: string, space: ActionSpace, decisions: Decisions): Perturbation {
  const entry = perturbations[name];
  const context = { spec: specOf(space), agent: 0, seed: 1, advantages, peer };
  if (entry.needs !== "advantages") return entry.create(context);
  const learned = entry.create(context);
  learned.fit(decisions);
  return learned;
}

it.each(["adversary", "minimal"])("%s is not made without anyone who knows what single actions are worth", (name) => {
  expect(() => perturbations[name].create({ spec: specOf(discrete(A)), agent: 0, seed: 1 })).toThrow(
    "needs a mask that knows what single actions are worth",
  );
});

const cases = Object.keys(perturbations).flatMap((name) =>
  perturbationLaws.map((law) => [name, law.name, law] as const),
);

describe("every perturbation that is offered", () => {
  it.each(cases)("%s: %s", (name, _, law) => {
    const shapes: [ActionSpace, DecisionShape][] = [
      [discrete(A, LABELS), { observation: D, actions: A, always: IDLE }],
      [candidates(A, 3), { observation: D, actions: A, features: 3 }],
    ];
    // No candidate idles.
    if (name === "idle") shapes.pop();
    for (const [space, shape] of shapes) law.run({ perturbation: made(name, space, sampleDecisions(shape, 9)), shape });
  });

  /** Made-up decisions over a space, from a seed. */
  const decisionsOf = (space: ActionSpace, seed: number): Decisions => {
    const random = stream(seed, "decisions");
    const [count, n, P] = [3, maskWidth(space), distributionOf(space).width];
    const legal = Uint8Array.from({ length: count * n }, (_, at) => (at % n === IDLE || random.below(3) > 0 ? 1 : 0));
    if (space.kind === "multi-discrete") {
      // Each part has a legal choice.
      for (let row = 0; row < count; row++) legal[row * n] = legal[row * n + 2] = 1;
    }
    const policy = Float32Array.from({ length: count * P }, () => 2 * random.normal());
    const distribution = distributionOf(space);
    for (let row = 0; row < count; row++) distribution.normalise(policy, row * P, legal, row * n);
    const observations = Float32Array.from({ length: count * D }, () => random.uniform());
    return { agent: 0, count, observations, legal, policy, perturbation: policy.slice() };
  };

  it.each(Object.keys(perturbations))("%s: is a distribution over the legal actions of each part", (name) => {
    const learned = perturbations[name].needs === "advantages";
    const spaces = [
      discrete(A, LABELS),
      ...(learned || ["idle", "frozen_peer"].includes(name) ? [] : [multiDiscrete(2, 3)]),
    ];
    fc.assert(
      fc.property(fc.integer(), fc.constantFrom(...spaces), (seed, space) => {
        const decisions = decisionsOf(space, seed);
        const out = new Float32Array(decisions.policy.length);
        made(name, space, decisions).evaluate(decisions, decisions.policy, out);
        const parts = space.kind === "multi-discrete" ? space.nvec : [maskWidth(space)];
        let at = 0;
        for (let row = 0; row < decisions.count; row++) {
          for (const n of parts) {
            let sum = 0;
            for (let a = at; a < at + n; a++) {
              if (!decisions.legal[a]) expect(Math.exp(out[a])).toBe(0);
              sum += Math.exp(out[a]);
            }
            expect(sum).toBeCloseTo(1, 5);
            at += n;
          }
        }
      }),
    );
  });

  it.each(Object.keys(perturbations).filter((name) => name !== "second_choice"))(
    "%s: is a density over a box",
    (name) => {
      const space = box([2], [-1, 0], [1, 4]);
      // Zero is in it. The peer writes rows of four, as a box of two does.
      fc.assert(
        fc.property(fc.integer(), (seed) => {
          const decisions = decisionsOf(space, seed);
          const out = new Float32Array(decisions.policy.length);
          made(name, space, decisions).evaluate(decisions, decisions.policy, out);
          for (const x of out) expect(Number.isFinite(x)).toBe(true);
        }),
      );
    },
  );

  it("has no second choice in a box", () => {
    const create = () => perturbations.second_choice.create({ spec: specOf(box([1], 0, 1)), agent: 0, seed: 1 });
    expect(create).toThrow(expect.objectContaining({ code: "unsupported" }));
  });

  it.each(["adversary", "minimal", "frozen_peer"])("%s says what it needs", (name) => {
    expect(() => perturbations[name].create({ spec: specOf(discrete(3)), agent: 0, seed: 1 })).toThrow("needs");
  });
});
