import { type CreateLearner, stream } from "@magic-mask/core";
import { type Contender, leastInTurns, local } from "../measure/in-turns.ts";
import { digits, percent, times } from "../measure/table.ts";
import { LEARNING_RATE, lossOf, MAX_NORM, madeUp, type Net } from "../networks/batch.ts";
import type { Curve } from "./curve.ts";
import { fitCosts } from "./fit.ts";
import type { Effort } from "./part.ts";

const ROWS = 4096;
const MINIBATCHES = [16, 32, 64, 128, 256, 512, 1024, 4096];
const WIDTHS = [16, 32, 64, 128, 256, 512];
const BATCH = 512;

const netOf = (width: number): Net => ({
  kind: "mlp",
  inputs: 126,
  hidden: [width, width],
  activation: "tanh",
  outputs: [8],
});

/** One PPO update on `ROWS` rows in minibatches of this size. */
function updating(create: CreateLearner, net: Net, rows: number, minibatch: number): Contender {
  const learner = create(net, stream("bench"));
  const objective = { loss: lossOf(net.outputs[0] - 1), batch: madeUp(net, rows) };
  const plan = {
    rows: Int32Array.from({ length: rows }, (_, row) => row),
    minibatch,
    learningRate: LEARNING_RATE,
    maxGradNorm: MAX_NORM,
  };
  return local(String(minibatch), () => learner.update(objective, plan));
}

/** Cost per decision of learning with the fused kernel, against the minibatch. */
export async function minibatchCurve(create: CreateLearner, { rounds, turn, onTurn }: Effort): Promise<Curve> {
  const contenders = MINIBATCHES.map((minibatch) => updating(create, netOf(64), ROWS, minibatch));
  const least = await leastInTurns(contenders, { rounds, turn, onTurn: () => onTurn("minibatch") });
  const points = MINIBATCHES.map((minibatch, k) => [minibatch, (1000 * least[k]) / ROWS] as const);
  const fit = fitCosts([() => 1, (minibatch) => 1 / minibatch], points);
  const [perRow, perStep] = fit.coefficients;
  const explanation = [
    `A decision costs ${digits(perRow)} µs and an optimiser step ${digits(perStep)} µs, which its minibatch shares: ${digits(perRow)} + ${digits(perStep)}/M, at most ${percent(fit.error)} off.`,
    `What a step does once whatever its rows is clipping, Adam and turning the weights round for the backward pass, all over the 12,808 parameters: as much as ${digits(perStep / perRow)} decisions cost.`,
    `So a minibatch of 64 costs ${times(fit.at(64) / fit.at(4096))} one of 4,096 per decision. Rows go through the layers in blocks of 64, so minibatches below that fill a block in part.`,
  ].join(" ");
  return {
    name: "minibatch",
    title: "A PPO step of the fused kernel, 126-64-64-8",
    x: "decisions per minibatch",
    y: "CPU µs per decision",
    logX: true,
    logY: true,
    series: [{ name: "step", points, fit }],
    explanation,
  };
}

/** Products per sample of 126-w-w-8, multiplications and additions, forward. */
const forwardFlops = (w: number) => 2 * (126 * w + w * w + 8 * w);
/** Forward, the weights' gradients, and the inputs' of all layers but the first. */
const stepFlops = (w: number) => 2 * forwardFlops(w) + 2 * (w * w + 8 * w);

/** Cost per sample of the fused kernel, against the width of the hidden layers. */
export async function widthCurve(create: CreateLearner, { rounds, turn, onTurn }: Effort): Promise<Curve> {
  const forwards = WIDTHS.map((width) => {
    const net = netOf(width);
    const learner = create(net, stream("bench"));
    const { inputs } = madeUp(net, BATCH);
    const out = new Float32Array(BATCH * net.outputs[0]);
    return local(String(width), () => learner.infer(inputs, BATCH, out));
  });
  const steps = WIDTHS.map((width) => updating(create, netOf(width), BATCH, BATCH));
  const least = await leastInTurns([...forwards, ...steps], { rounds, turn, onTurn: () => onTurn("width") });
  const cost = (k: number) => (1000 * least[k]) / BATCH;
  const seriesOf = (name: string, first: number, flops: (w: number) => number) => {
    const points = WIDTHS.map((width, k) => [width, cost(first + k)] as const);
    return { name, points, fit: fitCosts([() => 1, (w) => w, flops], points) };
  };
  const series = [seriesOf("step", WIDTHS.length, stepFlops), seriesOf("forward", 0, forwardFlops)];
  const widest = WIDTHS[WIDTHS.length - 1];
  const told = series.map(({ name, points, fit }) => {
    const flops = name === "step" ? stepFlops : forwardFlops;
    const [fixed, perUnit, perFlop] = fit.coefficients;
    const [low, high] = [points[0][1], points[points.length - 1][1]];
    return (
      `${name}: from width ${WIDTHS[0]} to ${widest} ${times(high / low)} the cost for ${times(flops(widest) / flops(WIDTHS[0]))} the products; ` +
      `${digits(fixed)} µs + ${digits(1000 * perUnit)} ns per unit + products at ${digits(0.001 / perFlop)} GF/s, at most ${percent(fit.error)} off; ` +
      `products are ${percent((perFlop * flops(64)) / fit.at(64))} of the cost at width 64 and ${percent((perFlop * flops(widest)) / fit.at(widest))} at ${widest}`
    );
  });
  const explanation =
    `${told.join(". ").replace(/^./, (c) => c.toUpperCase())}. The constant is the loss, softmax and copying of a sample; what grows with units are activations (two layers of tanh and their derivatives) ` +
    "and, in a step, biases; the rest is multiply-adds, w² for wide nets. Adam's share is the parameters over the minibatch of 512.";
  return {
    name: "width",
    title: `The fused kernel against the width of two hidden layers, batch ${BATCH}`,
    x: "hidden width",
    y: "CPU µs per sample",
    logX: true,
    logY: true,
    series,
    explanation,
  };
}
