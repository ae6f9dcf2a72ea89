import { describe, expect, it } from "@jest/globals";
import { stream } from "../random.ts";
import { learnerLaws, referenceLearner } from "./index.ts";

describe("the reference learner", () => {
  it.each(learnerLaws.map((law) => [law.name, law] as const))("%s", async (_, law) => {
    await law.run({ create: referenceLearner });
  });

  it.each(learnerLaws.map((law) => [law.name, law] as const))("with candidates: %s", async (_, law) => {
    await law.run({ create: referenceLearner, kind: "candidates" });
  });

  it("fits a function that no linear model can", async () => {
    // XOR: the best linear fit is ½ everywhere, with an error of ¼.
    const learner = referenceLearner(
      { kind: "mlp", inputs: 2, hidden: [8], activation: "tanh", outputs: [1] },
      stream(1),
    );
    const inputs = Float32Array.of(0, 0, 0, 1, 1, 0, 1, 1);
    const objective = {
      loss: { kind: "regression" },
      batch: { inputs, targets: Float32Array.of(0, 1, 1, 0), weights: new Float32Array(4).fill(1) },
    } as const;
    const rows = Int32Array.from({ length: 4 * 400 }, (_, i) => i % 4);
    await learner.update(objective, { rows, minibatch: 4, learningRate: 0.03, maxGradNorm: 1 });
    const out = new Float32Array(4);
    learner.infer(inputs, 4, out);
    const wanted = [0, 1, 1, 0];
    for (const [i, y] of out.entries()) expect(Math.abs(y - wanted[i])).toBeLessThan(0.1);
  });
});
