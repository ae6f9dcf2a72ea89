import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { type CreateLearner, MagicMaskError, type ModelSpec, stream } from "@magic-mask/core";
import { type Backend, backends, selectBackend } from "./backends.ts";
import { natureCnn } from "./nature-cnn.ts";
import { nodeBackends } from "./node.ts";
import { diagnose } from "./tfjs-node.ts";

const here: CreateLearner = () => {
  throw new Error("not called");
};
const fits = () => undefined;
const from: Record<string, Backend> = {
  first: {
    unfit: fits,
    load: async () => {
      throw new MagicMaskError("unsupported", "networks/test", "the optional package is not installed");
    },
  },
  second: { unfit: ({ minibatch }) => (minibatch > 64 ? "too much for it" : undefined), load: async () => here },
  third: { unfit: fits, load: async () => here },
};
const mlp = (...hidden: number[]): ModelSpec => ({
  kind: "mlp",
  inputs: 126,
  hidden,
  activation: "relu",
  outputs: [8],
});
const work = { model: mlp(64, 64), minibatch: 64 };

describe("selectBackend", () => {
  it("takes the first that fits and can be had and says why not those before it", async () => {
    expect(await selectBackend({ work, from })).toEqual({
      name: "second",
      reason: "the first that fits and can be had; not first: the optional package is not installed",
      create: here,
    });
    expect(await selectBackend({ work: { ...work, minibatch: 65 }, from })).toMatchObject({
      name: "third",
      reason: expect.stringContaining("; not second: too much for it"),
    });
  });

  it("takes the one that is asked for, whatever the work", async () => {
    expect(await selectBackend({ work: { ...work, minibatch: 65 }, from, prefer: "second" })).toEqual({
      name: "second",
      reason: "asked for",
      create: here,
    });
  });

  it("never falls back from the one that is asked for", async () => {
    await expect(selectBackend({ work, from, prefer: "first" })).rejects.toMatchObject({ code: "unsupported" });
    await expect(selectBackend({ work, from, prefer: "fourth" })).rejects.toMatchObject({ code: "unknown-name" });
  });

  it("says so when none can be had, and hides no other error", async () => {
    await expect(selectBackend({ work, from: { first: from.first } })).rejects.toMatchObject({ code: "unsupported" });
    const faulty = { unfit: fits, load: async () => Promise.reject(new TypeError("a mistake")) };
    await expect(selectBackend({ work, from: { faulty, ...from } })).rejects.toThrow("a mistake");
  });

  it("offers the same ones in Node as anywhere, the native ones before them", () => {
    expect(Object.keys(backends)).toEqual(["fused", "tfjs-wasm", "tfjs-cpu"]);
    expect(Object.keys(nodeBackends)).toEqual(["tfjs-node-gpu", "tfjs-node", "fused", "tfjs-wasm", "tfjs-cpu"]);
  });

  it("takes the kernel for perceptrons, unless they are so big that native threads pay, and never for images", () => {
    const fitting = (model: ModelSpec, minibatch: number) =>
      Object.entries(nodeBackends)
        .filter(([, backend]) => backend.unfit({ model, minibatch }) === undefined)
        .map(([name]) => name);
    const portable = ["fused", "tfjs-wasm", "tfjs-cpu"];
    expect(fitting(mlp(64, 64), 4096)).toEqual(portable);
    // 126·512 + 512·512 + … = 332 k parameters, by 2048 rows: 6.8e8 products.
    expect(fitting(mlp(512, 512), 2048)).toEqual(["tfjs-node-gpu", "tfjs-node", ...portable]);
    const scoring = { ...mlp(512, 512), kind: "candidates", features: 54, max: 400 } as const;
    expect(fitting(scoring, 1024)).toEqual(portable);
    expect(fitting(natureCnn([84, 84, 4], [7]), 32)).toEqual(["tfjs-node-gpu", "tfjs-node", "tfjs-cpu"]);
  });
});

describe("tfjs", () => {
  const methods = ["log", "info", "warn", "error"] as const;
  beforeEach(() => {
    for (const method of methods) jest.spyOn(console, method).mockImplementation(() => {});
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it.each(Object.entries(backends))("prints nothing as %s starts and runs", async (_, { load }) => {
    const learner = (await load())(
      { kind: "mlp", inputs: 1, hidden: [1], activation: "relu", outputs: [1] },
      stream(1),
    );
    learner.infer(Float32Array.of(1), 1, new Float32Array(1));
    for (const method of methods) expect(console[method]).not.toHaveBeenCalled();
  });
});

describe("diagnose", () => {
  const name = "@tensorflow/tfjs-node";
  const absent = (what: string) => ({
    code: "ERR_MODULE_NOT_FOUND",
    message: `Cannot find package '${what}' imported from x.js`,
  });
  it.each([
    [absent(name), "is not installed: run npm run setup:native in"],
    [
      { code: "ENOTFOUND", message: "getaddrinfo ENOTFOUND storage.googleapis.com" },
      "is blocked: run npm run setup:native in",
    ],
    [
      { message: "The Node.js native addon module (tfjs_binding.node) can not be found at path" },
      "lacks its native addon, for its install script did not run: run npm run setup:native in",
    ],
    [
      { code: "ERR_DLOPEN_FAILED", message: "libtensorflow.so.2: cannot open shared object file" },
      "finds no libtensorflow that fits: run npm run setup:native in",
    ],
    [{ code: "MODULE_NOT_FOUND", message: "Cannot find module 'node-fetch'" }, "does not load"],
    [{ message: "no more memory" }, "does not load: no more memory"],
  ])("knows %j", (error, meaning) => {
    expect(diagnose(name, error)).toContain(meaning);
  });

  it("names the way to the package for GPUs", () => {
    expect(diagnose(`${name}-gpu`, absent(`${name}-gpu`))).toContain("run npm run setup:native -- --gpu in");
  });
});
