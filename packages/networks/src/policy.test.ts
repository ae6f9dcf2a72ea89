import { beforeAll, describe, expect, it } from "@jest/globals";
import {
  box,
  type CreateLearner,
  candidates,
  discrete,
  ILLEGAL,
  type Learner,
  multiDiscrete,
  stream,
} from "@magic-mask/core";
import { policyLaws } from "@magic-mask/core/testing";
import { backends } from "./backends.ts";
import { learnerPolicy } from "./policy.ts";

/** A learner whose output row is its input row. */
const echo = (width: number) =>
  ({
    spec: { kind: "mlp", inputs: width, hidden: [1], activation: "relu", outputs: [width - 1, 1] },
    infer: (inputs: Float32Array, count: number, out: Float32Array) => out.set(inputs.subarray(0, count * width)),
  }) as unknown as Learner;

describe("learnerPolicy", () => {
  it("reads logits and then the value from an output row", () => {
    const policy = learnerPolicy(echo(4), discrete(3));
    const observations = Float32Array.of(Math.log(3), 0, 5, 0.5, 1, 1, 1, -2);
    const parameters = new Float32Array(6);
    const values = new Float32Array(2);
    policy.evaluate({ count: 2, observations, legal: Uint8Array.of(1, 1, 0, 1, 1, 1) }, parameters, values);
    // 3 : 1 over the two legal actions; three equal logits.
    const wanted = [Math.log(0.75), Math.log(0.25), ILLEGAL, -Math.log(3), -Math.log(3), -Math.log(3)];
    for (let i = 0; i < 6; i++) expect(parameters[i]).toBeCloseTo(wanted[i], 5);
    expect(values).toEqual(Float32Array.of(0.5, -2));
  });

  it("reads actions of several parts, and continuous ones", () => {
    const parameters = new Float32Array(4);
    const values = new Float32Array(1);
    const observations = Float32Array.of(0, Math.log(3), 1, 1, 7);
    const parts = learnerPolicy(echo(5), multiDiscrete(2, 2));
    parts.evaluate({ count: 1, observations, legal: Uint8Array.of(1, 1, 1, 0) }, parameters, values);
    for (const [i, p] of [0.25, 0.75, 1, 0].entries()) expect(Math.exp(parameters[i])).toBeCloseTo(p, 5);
    learnerPolicy(echo(5), box([2], -1, 1)).evaluate(
      { count: 1, observations, legal: new Uint8Array(0) },
      parameters,
      values,
    );
    expect([...parameters, ...values]).toEqual([0, Math.fround(Math.log(3)), 1, 1, 7]);
  });

  it("takes batches of any size, one after another", () => {
    const policy = learnerPolicy(echo(3), discrete(2));
    for (const count of [1, 5, 2]) {
      const values = new Float32Array(count);
      const observations = Float32Array.from({ length: count * 3 }, (_, i) => i);
      policy.evaluate(
        { count, observations, legal: new Uint8Array(2 * count).fill(1) },
        new Float32Array(2 * count),
        values,
      );
      expect(values).toEqual(Float32Array.from({ length: count }, (_, row) => 3 * row + 2));
    }
  });

  it("refuses spaces that the output row does not fit", () => {
    expect(() => learnerPolicy(echo(4), discrete(4))).toThrow(expect.objectContaining({ code: "shape-mismatch" }));
  });

  describe("over a network obeys: it", () => {
    let create: CreateLearner;
    beforeAll(async () => {
      create = await backends["tfjs-wasm"].load();
    });
    const shape = { observation: 6, actions: 4 };
    for (const law of policyLaws) {
      it(law.name, async () => {
        const learner = create({ kind: "mlp", inputs: 6, hidden: [8], activation: "relu", outputs: [5] }, stream(1));
        await law.run({ policy: learnerPolicy(learner, discrete(4)), shape });
      });
      it(`${law.name}, where actions are candidates`, async () => {
        const spec = { kind: "candidates", inputs: 6, features: 3, max: 4, hidden: [8], activation: "relu" } as const;
        for (const backend of [create, await backends.fused.load()]) {
          const learner = backend(spec, stream(1));
          await law.run({ policy: learnerPolicy(learner, candidates(4, 3)), shape: { ...shape, features: 3 } });
        }
      });
    }
  });
});
