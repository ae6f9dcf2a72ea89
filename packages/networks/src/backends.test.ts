import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { type CreateLearner, MagicMaskError, stream } from "@magic-mask/core";
import { backends, type LoadBackend, selectBackend } from "./backends.ts";
import { nodeBackends } from "./node.ts";
import { diagnose } from "./tfjs-node.ts";

const here: CreateLearner = () => {
  throw new Error("not called");
};
const from: Record<string, LoadBackend> = {
  first: async () => {
    throw new MagicMaskError("unsupported", "networks/test", "the optional package is not installed");
  },
  second: async () => here,
  third: async () => here,
};

describe("selectBackend", () => {
  it("takes the first that can be had and says why not those before it", async () => {
    expect(await selectBackend({ from })).toEqual({
      name: "second",
      reason: "the first that can be had; not first: the optional package is not installed",
      create: here,
    });
  });

  it("takes the one that is asked for", async () => {
    expect(await selectBackend({ from, prefer: "third" })).toEqual({
      name: "third",
      reason: "asked for",
      create: here,
    });
  });

  it("never falls back from the one that is asked for", async () => {
    await expect(selectBackend({ from, prefer: "first" })).rejects.toMatchObject({ code: "unsupported" });
    await expect(selectBackend({ from, prefer: "fourth" })).rejects.toMatchObject({ code: "unknown-name" });
  });

  it("says so when none can be had, and hides no other error", async () => {
    await expect(selectBackend({ from: { first: from.first } })).rejects.toMatchObject({ code: "unsupported" });
    const faulty = async () => Promise.reject(new TypeError("a mistake"));
    await expect(selectBackend({ from: { faulty, ...from } })).rejects.toThrow("a mistake");
  });

  it("offers the same ones in Node as anywhere, behind the native ones", () => {
    expect(Object.keys(backends)).toEqual(["tfjs-wasm", "tfjs-cpu"]);
    expect(Object.keys(nodeBackends)).toEqual(["tfjs-node-gpu", "tfjs-node", "tfjs-wasm", "tfjs-cpu"]);
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

  it.each(Object.entries(backends))("prints nothing as %s starts and runs", async (_, load) => {
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
