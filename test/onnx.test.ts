import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { discrete, type ModelSpec, outputWidth, stream } from "@magic-mask/core";
import { backends, encodeWeights, learnerPolicy } from "@magic-mask/networks";
import { exportOnnx, onnxPolicy } from "@magic-mask/onnx";
import { openOnnxModel } from "@magic-mask/onnx/node";

const python = process.env.MAGIC_MASK_PYTHON ?? "python3";
const found = spawnSync(python, ["-c", "import onnx, onnxruntime, safetensors, numpy"]).status === 0;

/** Networks as they play: logits of three actions, and V. */
const SPECS: Readonly<Record<string, ModelSpec>> = {
  "one layer, shared": { kind: "mlp", inputs: 5, hidden: [16], activation: "relu", outputs: [4] },
  "two layers, separate": { kind: "mlp", inputs: 5, hidden: [16, 8], activation: "tanh", outputs: [3, 1] },
  "three layers, shared": { kind: "mlp", inputs: 5, hidden: [16, 8, 8], activation: "tanh", outputs: [4] },
  "three layers, separate": { kind: "mlp", inputs: 5, hidden: [8, 8, 8], activation: "relu", outputs: [3, 1] },
  convolutions: {
    kind: "cnn",
    inputs: 6 * 7 * 2,
    image: [6, 7, 2],
    filters: [{ size: 3, stride: 1, channels: 8 }],
    hidden: [16],
    activation: "relu",
    outputs: [3, 1],
  },
};
const SPACE = discrete(3);
const B = 9;

const [dense, convolutional] = [await backends.fused.load(), await backends["tfjs-cpu"].load()];

/** A network with weights as if it had learned, its file, and what it gives for B rows with some actions illegal. */
function subject(spec: ModelSpec) {
  const learner = (spec.kind === "cnn" ? convolutional : dense)(spec, stream(1, "weights"));
  const random = stream(1, "rows");
  const state = learner.exportState();
  for (let i = 0; i < state.parameters.length; i++) state.parameters[i] += 0.3 * random.normal();
  learner.restoreState(state);
  const observations = Float32Array.from({ length: B * spec.inputs }, () => random.normal());
  const legal = Uint8Array.from({ length: 3 * B }, (_, i) => (i % 3 === 0 || random.uniform() < 0.6 ? 1 : 0));
  const O = outputWidth(spec);
  const outputs = new Float32Array(B * O);
  learner.infer(observations, B, outputs);
  const options = {
    input: "obs",
    outputs: [{ name: "logits", width: 3, as: "masked" } as const, { name: "value", width: 1 }],
  };
  const bytes = exportOnnx(spec, state.parameters, options);
  return { learner, state, observations, legal, outputs, bytes };
}

const largest = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (x, i) => Math.abs(x - b[i])));

describe.each(Object.entries(SPECS))("a network as ONNX: %s", (_, spec) => {
  it("is the same policy when it is read back", () => {
    const { learner, observations, legal, bytes } = subject(spec);
    const model = openOnnxModel(bytes);
    const observation = { kind: "box", shape: [spec.inputs], low: -9, high: 9 } as const;
    const policies = [learnerPolicy(learner, SPACE), onnxPolicy(model, { observation, action: SPACE })];
    const [own, read] = policies.map((policy) => {
      const [parameters, values] = [new Float32Array(3 * B), new Float32Array(B)];
      policy.evaluate({ count: B, observations, legal }, parameters, values);
      return [...parameters, ...values];
    });
    expect(largest(own, read)).toBeLessThan(1e-5);
    model.close();
  });
});

/** Checks models and weights, and runs each: rows from standard input, outputs to standard output. */
const PROGRAM = `
import json, sys
import numpy as np, onnx, onnxruntime
from safetensors.numpy import load_file
answers = []
for each in json.load(sys.stdin):
    model = onnx.load(each["file"])
    onnx.checker.check_model(model, full_check=True)
    assert model.opset_import[0].version == 17
    session = onnxruntime.InferenceSession(each["file"])
    rows = np.array(each["rows"], np.float32).reshape(each["batch"], -1)
    legal = np.array(each["legal"], bool).reshape(each["batch"], -1)
    logits, value = session.run(["logits", "value"], {"obs": rows, "action_mask": legal})
    weights = load_file(each["weights"])
    size = sum(w.size for name, w in weights.items() if not name.startswith("optimizer"))
    answers.append({"logits": logits.tolist(), "value": value.tolist(), "parameters": size})
print(json.dumps(answers))
`;

(found ? it : it.skip)(
  found
    ? "is a valid model that Python runs with the same outputs"
    : `is a valid model that Python runs (${python} has no onnx, onnxruntime or safetensors; MAGIC_MASK_PYTHON names one that has)`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), "magic-mask-onnx-"));
    const subjects = Object.values(SPECS).map((spec, k) => {
      const one = subject(spec);
      const [file, weights] = [join(folder, `${k}.onnx`), join(folder, `${k}.safetensors`)];
      writeFileSync(file, one.bytes);
      writeFileSync(weights, encodeWeights(spec, one.state));
      return { ...one, file, weights };
    });
    const asked = subjects.map(({ file, weights, observations, legal }) => ({
      file,
      weights,
      batch: B,
      rows: [...observations],
      legal: [...legal],
    }));
    const { status, stdout, stderr } = spawnSync(python, ["-c", PROGRAM], { input: JSON.stringify(asked) });
    expect({ status, stderr: status === 0 ? "" : `${stderr}` }).toEqual({ status: 0, stderr: "" });
    type Answer = { logits: number[][]; value: number[][]; parameters: number };
    (JSON.parse(`${stdout}`) as Answer[]).forEach(({ logits, value, parameters }, k) => {
      const { outputs, legal, state } = subjects[k];
      const wanted = logits.map((row, b) => row.map((_, a) => (legal[3 * b + a] ? outputs[4 * b + a] : -1e9)));
      expect(largest(logits.flat(), wanted.flat())).toBeLessThan(1e-5);
      expect(
        largest(
          value.flat(),
          value.map((_, b) => outputs[4 * b + 3]),
        ),
      ).toBeLessThan(1e-5);
      expect(parameters).toBe(state.parameters.length);
    });
  },
);
