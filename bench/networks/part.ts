import type { CreateLearner } from "@magic-mask/core";
import { backends, loadTfjsWasm, tfjsBackend } from "@magic-mask/networks";
import { loadTfjsNode } from "@magic-mask/networks/node";
import { type Child, startPython } from "../measure/child.ts";
import { type Contender, leastInTurns, local } from "../measure/in-turns.ts";
import { digits, markdownTable, times } from "../measure/table.ts";
import type { Part } from "../part.ts";
import { BATCHES, madeUp, NETS, type Net, nameOf } from "./batch.ts";
import { ours, type Stepper } from "./ours.ts";
import { plainTfjs } from "./plain-tfjs.ts";
import { prepareTorch, torchContender, torchOutputs } from "./torch.ts";

const ROUNDS = 5;
/** CPU milliseconds of a turn. */
const TURN = 150;

interface Row {
  readonly net: string;
  readonly batch: number;
  readonly what: "step" | "forward";
  /** Samples per CPU second, by contender. */
  readonly samplesPerSecond: Readonly<Record<string, number>>;
}

export const networksPart: Part = {
  help: "PPO step and forward pass of the kernel table's nets: fused, tfjs tuned and plain, tfjs-node, torch",
  async run({ effort, progress }) {
    const fused = await backends.fused.load();
    const wasm = await loadTfjsWasm();
    const tuned = tfjsBackend(wasm);
    const native = await loadTfjsNode("@tensorflow/tfjs-node").then(tfjsBackend, (error: Error) => error.message);
    const torch = await startPython("torch_ppo.py", {});
    const skipped = [native, torch].filter((each) => typeof each === "string");
    for (const reason of skipped) process.stderr.write(`left out: ${reason}\n`);

    const names = [
      "fused",
      "tfjs wasm, tuned",
      "tfjs wasm, plain",
      ...(typeof native === "string" ? [] : ["tfjs-node"]),
      ...(typeof torch === "string" ? [] : ["torch"]),
    ];
    const rounds = Math.max(1, Math.round(ROUNDS * effort));
    const status = progress(NETS.length * BATCHES.length * 2 * names.length * (rounds + 1));
    let turns = 0;
    const rows: Row[] = [];
    try {
      for (const net of NETS) {
        for (const batch of BATCHES) {
          const made = madeUp(net, batch);
          const first = ours(fused, net, made);
          const steppers: Record<string, Stepper> = {
            fused: first,
            "tfjs wasm, tuned": ours(tuned, net, made),
            "tfjs wasm, plain": plainTfjs(wasm, "wasm", net, made, first.parameters),
            ...(typeof native !== "string" && { "tfjs-node": ours(native as CreateLearner, net, made) }),
          };
          const child = typeof torch === "string" ? undefined : torch;
          if (child) await prepareTorch(child, net, made, first.parameters);
          await requireSameWork(net, steppers, child);
          for (const what of ["step", "forward"] as const) {
            const contenders: Contender[] = Object.entries(steppers).map(([name, each]) => local(name, each[what]));
            if (child) contenders.push(torchContender(child, what));
            const onTurn = () => status.update(++turns, { net: nameOf(net), batch });
            const least = await leastInTurns(contenders, { rounds, turn: TURN * Math.sqrt(effort), onTurn });
            const rates = contenders.map(({ name }, k) => [name, (1000 * batch) / least[k]]);
            rows.push({ net: nameOf(net), batch, what, samplesPerSecond: Object.fromEntries(rates) });
          }
        }
      }
    } finally {
      if (typeof torch !== "string") torch.close();
    }
    const versions = typeof torch === "string" ? {} : torch.hello;
    return { results: { rows, versions, skipped }, text: describe(rows, names, skipped) };
  },
};

/** @throws Error unless all compute the same: outputs after one step from the same parameters */
async function requireSameWork(net: Net, steppers: Readonly<Record<string, Stepper>>, torch?: Child) {
  const outputs: [string, Float32Array][] = [];
  for (const [name, stepper] of Object.entries(steppers)) {
    await stepper.step();
    outputs.push([name, (await stepper.forward()).slice()]);
  }
  if (torch) {
    await torch.ask({ what: "step", count: 1 });
    outputs.push(["torch", await torchOutputs(torch)]);
  }
  const [[, expected]] = outputs;
  for (const [name, values] of outputs) {
    const difference = values.reduce((most, y, i) => Math.max(most, Math.abs(y - expected[i])), 0);
    if (values.length !== expected.length || !(difference < 1e-3)) {
      throw new Error(
        `${name} and fused do not compute the same step of ${nameOf(net)}: outputs differ by ${difference}`,
      );
    }
  }
}

function describe(rows: readonly Row[], names: readonly string[], skipped: readonly string[]): string {
  const ratio = ({ samplesPerSecond: rate }: Row, other: string) =>
    rate[other] ? times(rate.fused / rate[other]) : "–";
  const table = (what: Row["what"]) =>
    markdownTable(
      ["net, tanh", "batch", ...names, "fused/plain", "fused/torch"],
      rows
        .filter((row) => row.what === what)
        .map((row) => [
          row.net,
          String(row.batch),
          ...names.map((name) => digits(row.samplesPerSecond[name] / 1000)),
          ratio(row, "tfjs wasm, plain"),
          ratio(row, "torch"),
        ]),
    );
  return [
    "Thousands of samples per CPU second, dense random inputs. Plain is tfjs's own gradients with `tf.train.adam`; torch is eager, one thread. Fused, tuned tfjs and torch pick the rows of the batch by index, plain tfjs takes it whole.",
    "PPO step (forward, masked softmax, clipped losses, backward, gradient-norm clip, Adam):",
    table("step"),
    "Forward pass:",
    table("forward"),
    ...skipped.map((reason) => `Left out: ${reason}`),
  ].join("\n\n");
}
