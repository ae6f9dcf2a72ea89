import { describe, expect, it } from "@jest/globals";
import { type ActionSpace, box, discrete, distributionOf, ILLEGAL, maskWidth, multiDiscrete } from "@magic-mask/core";
import type { OnnxModel, OnnxPort } from "./model.ts";
import { type OnnxKind, onnxPolicy } from "./policy.ts";

type Columns = Readonly<Record<string, (row: Float32Array, legal: Float32Array) => readonly number[]>>;

/** A model that is a function of each row; an output's width is what it gives for zeros. Outputs called `#…` are integers. */
function modelOf(D: number, outputs: Columns, mask = 0): OnnxModel & { calls: number } {
  const ports = Object.entries(outputs).map(([name, of]): OnnxPort => {
    const width = of(new Float32Array(D), new Float32Array(mask)).length;
    return { name: name.replace("#", ""), width, integer: name.startsWith("#") };
  });
  const self = {
    calls: 0,
    inputs: [
      { name: "observation", width: D, integer: false },
      ...(mask > 0 ? [{ name: "action_mask", width: mask, integer: false }] : []),
    ],
    outputs: ports,
    run([rows, legal]: readonly Float32Array[], count: number) {
      self.calls++;
      return Object.values(outputs).map((of) =>
        Float32Array.from(
          Array.from({ length: count }, (_, b) =>
            of(rows.subarray(b * D, (b + 1) * D), (legal ?? new Float32Array(0)).subarray(b * mask, (b + 1) * mask)),
          ).flat(),
        ),
      );
    },
    close() {},
  };
  return self;
}

const TWO = box([2], -10, 10);

/** Rows and values for observations, by default with everything legal. */
function evaluated(
  model: OnnxModel,
  action: ActionSpace,
  rows: readonly (readonly number[])[],
  options: { legal?: readonly number[]; output?: string; as?: OnnxKind } = {},
) {
  const { legal: some, ...rest } = options;
  const policy = onnxPolicy(model, { observation: TWO, action, ...rest });
  const [P, A] = [distributionOf(action).width, maskWidth(action)];
  const legal = some ? Uint8Array.from(some) : new Uint8Array(rows.length * A).fill(1);
  const parameters = new Float32Array(rows.length * P);
  const values = new Float32Array(rows.length).fill(7);
  policy.evaluate({ count: rows.length, observations: Float32Array.from(rows.flat()), legal }, parameters, values);
  return { policy, parameters, values: [...values] };
}

const chances = (parameters: Float32Array) => Array.from(parameters, (x) => (x <= ILLEGAL ? 0 : Math.exp(x)));
const near = (got: readonly number[], wanted: readonly number[]) => {
  expect(got.length).toBe(wanted.length);
  got.forEach((x, i) => {
    expect(x).toBeCloseTo(wanted[i], 5);
  });
};
const code = (code: string) => expect.objectContaining({ code });

describe("a policy over discrete actions", () => {
  it("reads logits, masks what is illegal, and has V from an output of that name", () => {
    const model = modelOf(2, { value: ([x]) => [10 * x], logits: ([x, y]) => [x, y, 0] });
    const before = 2;
    const { policy, parameters, values } = evaluated(
      model,
      discrete(3),
      [
        [Math.log(2), 0],
        [1, Math.log(3)],
      ],
      { legal: [1, 1, 1, 0, 1, 1] },
    );
    // Logits (ln 2, 0, 0): ½, ¼, ¼. Then (–, ln 3, 0): ¾, ¼.
    near(chances(parameters), [0.5, 0.25, 0.25, 0, 0.75, 0.25]);
    near(values, [10 * Math.log(2), 10]);
    expect(policy.gives).toBe('logits (output "logits"), masked afterwards; V from "value"');
    expect(policy.exact).toBe(true);
    // Two tries, and one run for the batch.
    expect(model.calls).toBe(before + 1);
  });

  it("tells the model what is legal where it asks", () => {
    const model = modelOf(2, { logits: (_, legal) => [0, 1, 2].map((a) => (legal[a] ? 0 : -1e9)) }, 3);
    const { policy, parameters, values } = evaluated(model, discrete(3), [[0, 0]], { legal: [1, 0, 1] });
    near(chances(parameters), [0.5, 0, 0.5]);
    expect(values).toEqual([0]);
    expect(policy.gives).toMatch(/told what is legal by "action_mask"; no V/);
  });

  it("knows probabilities by what they are, whatever the output is called", () => {
    const soft = ([x]: Float32Array) => [0.75 - x / 100, 0.25 + x / 100];
    const { policy, parameters } = evaluated(modelOf(2, { "27": soft }), discrete(2), [[5, 0]]);
    near(chances(parameters), [0.7, 0.3]);
    expect(policy.gives).toMatch(/^probabilities/);
    // Masked: the rest is normalised. An impossible legal action keeps a finite logarithm.
    const sure = modelOf(2, { probs: () => [1, 0, 0] });
    near(chances(evaluated(sure, discrete(3), [[0, 0]], { legal: [0, 1, 1] }).parameters), [0, 0.5, 0.5]);
    expect(evaluated(sure, discrete(3), [[0, 0]]).parameters[1]).toBeCloseTo(Math.log(1e-8), 3);
    expect(() => onnxPolicy(modelOf(2, { probs: () => [1, 1] }), { observation: TWO, action: discrete(2) })).toThrow(
      /not ≥ 0 with the sum 1; say as=logits/,
    );
  });

  it("takes −∞ for what a model never does", () => {
    const model = modelOf(2, { logits: () => [0, Number.NEGATIVE_INFINITY] });
    expect(evaluated(model, discrete(2), [[0, 0]]).parameters[1]).toBeCloseTo(Math.log(1e-8), 3);
  });

  it("makes an estimate of actions alone, and says so", () => {
    const model = modelOf(2, { "#action": ([x]) => [x > 0 ? 2 : 0] });
    const { policy, parameters } = evaluated(model, discrete(3), [[1, 0]], { legal: [1, 0, 1] });
    near(chances(parameters), [0.01, 0, 0.99]);
    expect(policy.exact).toBe(false);
    expect(policy.gives).toMatch(/^actions alone \(output "action"\): 0.99 of the probability is assumed/);
    // One choice alone is certain.
    near(chances(evaluated(model, discrete(3), [[1, 0]], { legal: [0, 0, 1] }).parameters), [0, 0, 1]);
    expect(() => evaluated(model, discrete(3), [[1, 0]], { legal: [1, 1, 0] })).toThrow(code("illegal-action"));
  });

  it("uses the log-probability that comes with an action", () => {
    // As Stable-Baselines3 exports a policy: actions, values, log_prob.
    const model = modelOf(2, { "#actions": () => [1], values: () => [3], log_prob: () => [Math.log(0.6)] });
    const { policy, parameters, values } = evaluated(model, discrete(3), [[0, 0]]);
    near(chances(parameters), [0.2, 0.6, 0.2]);
    expect(values).toEqual([3]);
    expect(policy.exact).toBe(false);
  });

  it("takes the highest legal q-value for the action", () => {
    const model = modelOf(2, { q_values: () => [5, 9, 7] });
    near(chances(evaluated(model, discrete(3), [[0, 0]], { legal: [1, 0, 1] }).parameters), [0.01, 0, 0.99]);
  });

  it("is told where it cannot tell", () => {
    const model = modelOf(2, { a: () => [5, 9], b: () => [1, 2] });
    expect(() => evaluated(model, discrete(2), [[0, 0]])).toThrow(/outputs a \[2\], b \[2\]/);
    near(chances(evaluated(model, discrete(2), [[0, 0]], { output: "b", as: "q_values" }).parameters), [0.01, 0.99]);
    expect(() => evaluated(model, discrete(2), [[0, 0]], { output: "c" })).toThrow(/the output "c" is not among/);
    expect(() => evaluated(model, discrete(2), [[0, 0]], { output: "a", as: "nope" as "logits" })).toThrow(
      code("unknown-name"),
    );
    expect(() => evaluated(model, discrete(2), [[0, 0]], { output: "a", as: "actions" })).toThrow(
      code("shape-mismatch"),
    );
  });
});

describe("policies over other spaces", () => {
  it("has parts, each with its own distribution", () => {
    const space = multiDiscrete(2, 3);
    near(chances(evaluated(modelOf(2, { logits: () => [0, Math.log(3), 1, 1, 1] }), space, [[0, 0]]).parameters), [
      0.25,
      0.75,
      1 / 3,
      1 / 3,
      1 / 3,
    ]);
    near(
      chances(evaluated(modelOf(2, { "#actions": () => [1, 0] }), space, [[0, 0]]).parameters),
      [0.01, 0.99, 0.99, 0.005, 0.005],
    );
  });

  it("has means and deviations over a box", () => {
    const space = box([2], -1, 1);
    const rows = (columns: Columns) => [...evaluated(modelOf(2, columns), space, [[0, 0]]).parameters];
    near(rows({ mean: () => [1, 2], log_std: () => [-1, 0] }), [1, 2, -1, 0]);
    near(rows({ mu: () => [1, 2], std: () => [Math.exp(-1), 1] }), [1, 2, -1, 0]);
    near(rows({ out: () => [1, 2, -9, 0] }), [1, 2, -5, 0]);
    // Two entries with σ = e⁻¹ each: at the mean, ln p = 2·(1 − ½ ln 2π).
    const logProb = 2 * (1 - 0.5 * Math.log(2 * Math.PI));
    near(rows({ actions: () => [1, 2], log_prob: () => [logProb] }), [1, 2, -1, -1]);
    near(rows({ actions: () => [1, 2] }), [1, 2, -5, -5]);
  });
});

describe("models that do not fit", () => {
  const refused = (model: OnnxModel, action: ActionSpace = discrete(2)) => {
    try {
      return onnxPolicy(model, { observation: TWO, action }).gives;
    } catch (error) {
      return `${error}`;
    }
  };

  it("are refused, and it is said why", () => {
    const logits = { logits: () => [0, 0] };
    expect(refused(modelOf(3, logits))).toMatch(/takes rows of 3 numbers, but an observation is 2/);
    expect(refused(modelOf(2, { logits: () => [0, 0, 0] }))).toMatch(/outputs logits \[3\]/);
    expect(refused(modelOf(2, logits, 3))).toMatch(/inputs observation \[2\], action_mask \[3\]/);
    expect(refused(modelOf(2, { logits: () => [Number.NaN, 0] }))).toMatch(/not finite|another each time/);
    expect(refused(modelOf(2, { action: () => [0.5] }))).toMatch(/other numbers than 0 … 1/);
    expect(refused(modelOf(2, { "#action": () => [2] }))).toMatch(/other numbers than 0 … 1/);
    let n = 0;
    expect(refused(modelOf(2, { "#actions": () => [(n++ % 5) % 2] }))).toMatch(/another each time.*deterministic/);
    expect(refused(modelOf(2, logits), { kind: "candidates", max: 2, features: 1 })).toMatch(/lists of candidates/);
  });
});
