import { afterAll, describe, expect, it, jest } from "@jest/globals";
import { startThread } from "@magic-mask/core/threads";
import onnxProto from "onnx-proto";
import { exportOnnx } from "./export.ts";
import type { OnnxModel } from "./model.ts";
import { openOnnxModel } from "./node.ts";

const { ModelProto, ValueInfoProto, NodeProto, TensorProto, TypeProto } = onnxProto.onnx;

/** y = relu(x₀ − x₁ + 1)·(1, 2, 3) + (0, 0, 1) */
const BYTES = exportOnnx(
  { kind: "mlp", inputs: 2, hidden: [1], activation: "relu", outputs: [3] },
  Float32Array.of(1, -1, 1, 1, 2, 3, 0, 0, 1),
  { input: "x", outputs: [{ name: "y", width: 3 }] },
);

type Model = InstanceType<typeof ModelProto>;

/** The file with changes. */
function changed(change: (model: Model) => void): Uint8Array {
  const model = ModelProto.decode(BYTES);
  change(model as Model);
  return ModelProto.encode(model).finish();
}

/** Sets the dimensions of the input. */
const shaped = (...dims: (number | string)[]) =>
  changed(({ graph }) => {
    const type = graph?.input?.[0].type?.tensorType;
    if (type) type.shape = { dim: dims.map((n) => (typeof n === "number" ? { dimValue: n } : { dimParam: n })) };
    // Left to the runtime.
    const out = graph?.output?.[0].type?.tensorType;
    if (out) out.shape = null;
  });

const open: OnnxModel[] = [];
function model(bytes: Uint8Array): OnnxModel {
  const one = openOnnxModel(bytes);
  open.push(one);
  return one;
}
afterAll(() => {
  for (const each of open) each.close();
});

describe("openOnnxModel", () => {
  it("runs any number of rows, from arrays that may be longer", () => {
    const { inputs, outputs, run } = model(BYTES);
    expect(inputs).toEqual([{ name: "x", width: 2, integer: false }]);
    expect(outputs).toEqual([{ name: "y", width: 3, integer: false }]);
    // h = 2 − 0 + 1 = 3, then 0 − 0 + 1 = 1.
    const rows = Float32Array.of(2, 0, 0, 0, 99, 99);
    expect([...run([rows], 2)[0]]).toEqual([3, 6, 10, 1, 2, 4]);
    expect([...run([rows], 1)[0]]).toEqual([3, 6, 10]);
    expect(rows[0]).toBe(2);
  });

  it("goes on waiting where it is woken before there is an answer", () => {
    const { run } = model(BYTES);
    // The first look finds no answer, however soon it comes, and the first wait ends at once.
    const ASKED = 2;
    const load = jest.spyOn(Atomics, "load").mockReturnValueOnce(ASKED as never);
    const wait = jest.spyOn(Atomics, "wait").mockReturnValueOnce("ok");
    expect([...run([Float32Array.of(2, 0)], 1)[0]]).toEqual([3, 6, 10]);
    expect(wait).toHaveBeenCalled();
    load.mockRestore();
    wait.mockRestore();
  });

  it("runs a model for a fixed batch as often as that takes", () => {
    const { run } = model(shaped(2, 2));
    const rows = Float32Array.of(2, 0, 0, 0, 1, 0);
    expect([...run([rows], 3)[0]]).toEqual([3, 6, 10, 1, 2, 4, 2, 4, 7]);
  });

  it("repeats what does not depend on the row, and carries integers", () => {
    const more = changed(({ graph }) => {
      const { INT64, FLOAT } = TensorProto.DataType;
      const out = (name: string, elemType: number) =>
        ValueInfoProto.create({ name, type: TypeProto.create({ tensorType: { elemType } }) });
      graph?.output?.push(out("best", INT64), out("log_std", FLOAT));
      graph?.node?.push(
        NodeProto.create({
          opType: "ArgMax",
          input: ["y"],
          output: ["best"],
          attribute: [
            { name: "axis", type: 2, i: 1 },
            { name: "keepdims", type: 2, i: 0 },
          ],
        }),
        NodeProto.create({ opType: "Identity", input: ["tower0.layer1.bias"], output: ["log_std"] }),
      );
    });
    const { outputs, run } = model(more);
    expect(outputs.slice(1)).toEqual([
      { name: "best", width: 1, integer: true },
      { name: "log_std", width: 3, integer: false },
    ]);
    const [, best, logStd] = run([Float32Array.of(0, 0, 1, 1)], 2);
    expect([...best]).toEqual([2, 2]);
    expect([...logStd]).toEqual([0, 0, 1, 0, 0, 1]);
  });

  it("runs in a worker thread that starts one of its own", async () => {
    const thread = startThread({
      module: new URL("./test-thread.ts", import.meta.url).href,
      export: "openRunner",
      options: BYTES,
    });
    expect(await thread.call("run", Float32Array.of(2, 0))).toEqual([3, 6, 10]);
    await thread.close();
  });

  it("refuses what is no model, and shapes that it cannot feed", () => {
    const code = (code: string) => expect.objectContaining({ code });
    expect(() => openOnnxModel(Uint8Array.of(1, 2, 3))).toThrow(code("corrupt-file"));
    expect(() => openOnnxModel(BYTES.subarray(0, BYTES.length - 40))).toThrow(code("corrupt-file"));
    expect(() => openOnnxModel(shaped("batch", "any"))).toThrow(/must have a fixed shape .* \[batch, any\]/);
  });
});
