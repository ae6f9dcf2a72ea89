import { discrete, type PpoBatch, stream } from "@magic-mask/core";

/** A net of the kernel table: `126-64-64-8`, tanh, its last output the value. */
export interface Net {
  readonly kind: "mlp";
  readonly inputs: number;
  readonly hidden: readonly number[];
  readonly activation: "tanh";
  readonly outputs: readonly number[];
}

export const NETS: readonly Net[] = [
  [126, 64, 64, 8],
  [126, 128, 128, 8],
  [400, 256, 256, 65],
].map(([inputs, first, second, outputs]) => ({
  kind: "mlp",
  inputs,
  hidden: [first, second],
  activation: "tanh",
  outputs: [outputs],
}));

export const BATCHES = [64, 256, 1024];

export const nameOf = ({ inputs, hidden, outputs }: Net): string => [inputs, ...hidden, outputs[0]].join("-");

export const CLIP = 0.2;
export const VALUE_COEFFICIENT = 0.5;
export const ENTROPY_COEFFICIENT = 0.01;
export const LEARNING_RATE = 1e-3;
export const MAX_NORM = 0.5;

/** The loss of A actions, all contenders' alike. */
export const lossOf = (A: number) =>
  ({
    kind: "ppo",
    space: discrete(A),
    clip: CLIP,
    valueCoefficient: VALUE_COEFFICIENT,
    entropyCoefficient: ENTROPY_COEFFICIENT,
  }) as const;

/** B made-up decisions with dense inputs: no zeros that a kernel could skip. */
export function madeUp({ inputs, outputs }: Pick<Net, "inputs" | "outputs">, B: number): PpoBatch {
  const A = outputs[0] - 1;
  const random = stream("bench", B);
  const normals = (length: number) => Float32Array.from({ length }, () => random.normal());
  const actions = Float32Array.from({ length: B }, () => random.below(A));
  const legal = Uint8Array.from({ length: B * A }, (_, i) =>
    random.uniform() < 0.8 || i % A === actions[Math.floor(i / A)] ? 1 : 0,
  );
  const logProbs = new Float32Array(B).fill(-Math.log(A));
  return { inputs: normals(B * inputs), legal, actions, logProbs, advantages: normals(B), returns: normals(B) };
}
