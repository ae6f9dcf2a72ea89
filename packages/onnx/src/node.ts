import { createRequire } from "node:module";
import { MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads";
import { MagicMaskError } from "@magic-mask/core";
import type { OnnxModel, OnnxPort } from "./model.ts";

const SOURCE = "onnx/node";

const require = createRequire(import.meta.url);

/** Milliseconds in which a call must be answered. */
const TIMEOUT = 60_000;

/** States of the one shared word that both threads wait on. */
const STARTING = 0;
const ANSWERED = 1;
const ASKED = 2;
const LOST = 3;

/** A tensor on its way to the runtime. */
interface Feed {
  readonly name: string;
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/** What the runtime says of a model: `shape` has a name, or −1, where a dimension is open. */
interface Description {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type: string;
  readonly shape: readonly (number | string)[];
}

/** How an input is fed. */
interface Layout {
  readonly name: string;
  readonly type: string;
  /** Rows that one call must have; 0 where any number will do. */
  readonly rows: number;
  /** Dimensions of one row. */
  readonly shape: readonly number[];
  /** Whether the batch is a dimension at all. */
  readonly batched: boolean;
  readonly width: number;
}

/**
 * Loads an ONNX model with onnxruntime-web (WebAssembly), on a worker thread: the runtime answers by promises, a policy must
 * answer at once, so this thread waits for the other on shared memory. Works in worker threads too.
 *
 * The first dimension is the batch; a model for a fixed one is run as often as that takes. Numbers of any type cross as
 * float32.
 *
 * @param bytes of the file, weights inside
 * @throws corrupt-file if the runtime cannot load it; unsupported for inputs or outputs that are not numbers in a fixed shape
 */
export function openOnnxModel(bytes: Uint8Array): OnnxModel {
  const control = new Int32Array(new SharedArrayBuffer(4));
  const { port1: port, port2 } = new MessageChannel();
  const runtime = require.resolve("onnxruntime-web");
  const worker = new Worker(RUNNER, {
    eval: true,
    // None of this process's loaders: what it runs is JavaScript.
    execArgv: [],
    workerData: { runtime, bytes, control, port: port2 },
    transferList: [port2],
  });
  worker.unref();

  /** Waits until the word is no longer `state`, and takes the answer. */
  const answer = <T>(state: number): T => {
    const deadline = performance.now() + TIMEOUT;
    // To be woken is not to be answered: the other thread may be held up between its last answer and the call that wakes.
    while (Atomics.load(control, 0) === state && performance.now() < deadline) {
      Atomics.wait(control, 0, state, deadline - performance.now());
    }
    // A thread that ends may have said why.
    const answered = receiveMessageOnPort(port);
    if (answered) return answered.message;
    const how = Atomics.load(control, 0) === state ? `has not answered in ${TIMEOUT / 1000} s` : "has ended";
    close();
    throw new MagicMaskError("worker-lost", SOURCE, `the thread that runs the model ${how}`);
  };
  const ask = (feeds: readonly Feed[]): readonly Float32Array[] => {
    port.postMessage(
      feeds,
      feeds.map(({ data }) => data.buffer as ArrayBuffer),
    );
    Atomics.store(control, 0, ASKED);
    Atomics.notify(control, 0);
    const { outputs, error } = answer<{ outputs: readonly Float32Array[]; error?: string }>(ASKED);
    if (error !== undefined) throw new MagicMaskError("unsupported", SOURCE, `the model cannot be run: ${error}`);
    return outputs;
  };
  function close() {
    port.close();
    // Nobody is left to hear how it went.
    worker.terminate().catch(() => {});
  }

  try {
    type Loaded = { inputs: readonly Description[]; outputs: readonly Description[]; error?: string };
    const { inputs, outputs, error } = answer<Loaded>(STARTING);
    if (error !== undefined) {
      const hint = /external/i.test(error) ? "; export it with its weights inside (external_data=False)" : "";
      throw new MagicMaskError("corrupt-file", SOURCE, `this is no ONNX model that can be loaded: ${error}${hint}`);
    }
    const layouts = inputs.map(layoutOf);
    for (const output of outputs) requireNumbers("output", output);
    return modelOf(layouts, outputs, ask, close);
  } catch (error) {
    close();
    throw error;
  }
}

function modelOf(
  layouts: readonly Layout[],
  outputs: readonly Description[],
  ask: (feeds: readonly Feed[]) => readonly Float32Array[],
  close: () => void,
): OnnxModel {
  const fixed = Math.max(0, ...layouts.map(({ rows }) => rows));
  if (layouts.some(({ rows }) => rows !== fixed)) {
    const said = layouts.map(({ name, rows }) => `${name}: ${rows || "any number"}`).join(", ");
    throw new MagicMaskError("unsupported", SOURCE, `the inputs must take equally many rows, got ${said}`);
  }
  const feedsOf = (inputs: readonly Float32Array[], rows: number): Feed[] =>
    layouts.map(({ name, type, shape, batched, width }, i) => ({
      name,
      type,
      dims: batched ? [rows, ...shape] : shape,
      // A copy, which moves to the other thread.
      data: inputs[i].slice(0, rows * width),
    }));
  const zeros = (rows: number) => layouts.map(({ width }) => new Float32Array(rows * width));

  // Shapes of outputs are often left open: they show in what comes out.
  const tried = fixed || 3;
  const many = ask(feedsOf(zeros(tried), tried));
  const fewer = fixed ? [] : ask(feedsOf(zeros(tried - 1), tried - 1));
  const isConstant = outputs.map((_, k) => !fixed && many[k].length === fewer[k].length);
  const widths = many.map(({ length }, k) => (isConstant[k] ? length : length / tried));
  outputs.forEach(({ name }, k) => {
    if (Number.isInteger(widths[k])) return;
    const message = `output ${name} must have equally many numbers for each of ${tried} rows, got ${many[k].length}`;
    throw new MagicMaskError("unsupported", SOURCE, message);
  });
  const port = ({ name, type }: { name: string; type: string }, width: number): OnnxPort => ({
    name,
    width,
    integer: /int|bool/.test(type),
  });
  /** What is the same for every row, once per row. */
  const repeated = (values: Float32Array, rows: number) => {
    const all = new Float32Array(rows * values.length);
    for (let row = 0; row < rows; row++) all.set(values, row * values.length);
    return all;
  };

  return {
    inputs: layouts.map((layout) => port(layout, layout.width)),
    outputs: outputs.map((output, k) => port(output, widths[k])),
    run(inputs, rows) {
      if (!fixed) {
        return ask(feedsOf(inputs, rows)).map((values, k) => (isConstant[k] ? repeated(values, rows) : values));
      }
      const all = widths.map((width) => new Float32Array(rows * width));
      const part = zeros(fixed);
      for (let row = 0; row < rows; row += fixed) {
        const count = Math.min(fixed, rows - row);
        layouts.forEach(({ width }, i) => {
          part[i].set(inputs[i].subarray(row * width, (row + count) * width));
        });
        ask(feedsOf(part, fixed)).forEach((values, k) => {
          all[k].set(values.subarray(0, count * widths[k]), row * widths[k]);
        });
      }
      return all;
    },
    close,
  };
}

/** @throws unsupported unless all dimensions but the first are fixed */
function layoutOf(input: Description): Layout {
  requireNumbers("input", input);
  const { name, type, shape } = input;
  const batched = shape.length > 1;
  const [batch, ...rest] = batched ? shape : [1, ...shape];
  const isFixed = (n: number | string): n is number => typeof n === "number" && n > 0;
  if (rest.length === 0 || !rest.every(isFixed)) {
    const message = `input ${name} must have a fixed shape behind its batch dimension, got [${shape.join(", ")}]`;
    throw new MagicMaskError("unsupported", SOURCE, message);
  }
  const width = (rest as number[]).reduce((product, n) => product * n, 1);
  return { name, type, rows: isFixed(batch) ? batch : 0, shape: rest as number[], batched, width };
}

const TYPES = ["float32", "float64", "int64", "int32", "int16", "int8", "uint16", "uint8", "bool"];

function requireNumbers(what: string, { name, isTensor, type }: Description) {
  if (isTensor && TYPES.includes(type)) return;
  const got = isTensor ? type : "no tensor";
  throw new MagicMaskError("unsupported", SOURCE, `${what} ${name} must be one of ${TYPES.join(", ")}; got ${got}`);
}

/** What the thread runs: plain CommonJS in a string, which works from source and from a build of either kind. */
const RUNNER = `
  const { receiveMessageOnPort, workerData } = require("node:worker_threads");
  const { runtime, bytes, control, port } = workerData;
  const ARRAYS = {
    float64: Float64Array, int64: BigInt64Array, int32: Int32Array, int16: Int16Array,
    int8: Int8Array, uint16: Uint16Array, uint8: Uint8Array, bool: Uint8Array,
  };
  const tell = (state, message) => {
    if (message) port.postMessage(message);
    Atomics.store(control, 0, state);
    Atomics.notify(control, 0);
  };
  process.on("exit", () => tell(${LOST}));

  const given = (type, data) => {
    if (type === "float32") return data;
    return ARRAYS[type].from(data, type === "int64" ? (x) => BigInt(Math.round(x)) : undefined);
  };
  const taken = (data) => (data instanceof Float32Array ? data : Float32Array.from(data, Number));

  async function serve() {
    const ort = require(runtime);
    ort.env.wasm.numThreads = 1;
    const session = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"], logSeverityLevel: 4 });
    tell(${ANSWERED}, { inputs: session.inputMetadata, outputs: session.outputMetadata });
    for (;;) {
      while (Atomics.load(control, 0) !== ${ASKED}) Atomics.wait(control, 0, ${ANSWERED});
      try {
        const { message } = receiveMessageOnPort(port);
        const feeds = {};
        for (const { name, type, dims, data } of message) feeds[name] = new ort.Tensor(type, given(type, data), dims);
        const results = await session.run(feeds);
        tell(${ANSWERED}, { outputs: session.outputNames.map((name) => taken(results[name].data)) });
      } catch (error) {
        tell(${ANSWERED}, { error: String(error.message) });
      }
    }
  }
  serve().catch((error) => tell(${ANSWERED}, { error: String(error.message) }));
`;
