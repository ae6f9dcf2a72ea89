import {
  type ActionSpace,
  boxSize,
  checkCount,
  type EnvironmentSpec,
  LOG_STD_BOUNDS,
  MagicMaskError,
  requireChoices,
  stream,
} from "@magic-mask/core";

/** Entries of the longest signature σ. */
export const SIGNATURE_LENGTH = 28;
/** Entries of the longest that a record of 128 bytes has room for, in fours. */
export const MOST_FEATURES = 112;
/** Entries of σ that are told in a byte each; the others take half a byte. */
export const FINE_ENTRIES = 4;
/** What those others are multiples of: 15 of them, from −126 to 126. */
export const COARSE_STEP = 18;

/** First of the entries that hold features. */
const FEATURES = FINE_ENTRIES;
/** Most actions whose probabilities are told one by one. */
const MOST_CHOICES = 8;
/** Projected features beyond ± this are clamped; each has a standard deviation of at most 1 over random projections. */
const REACH = 3;

/** @throws invalid-option unless a signature may have so many entries: a multiple of 4 in [8, 112] */
export function checkSignatureLength(source: string, length: number): void {
  checkCount(source, "signatureLength", length, 8, MOST_FEATURES);
  if (length % 4 !== 0) {
    throw new MagicMaskError("invalid-option", source, `signatureLength must be a multiple of 4, got ${length}`);
  }
}

export interface SignatureOptions {
  /** Root of the projection. One for the whole run: agents that compare signatures must share it. */
  readonly seed: number;
  /** The |V| that takes half of the int8 range, > 0, in the game's units. */
  readonly valueScale?: number;
}

/** What is told of a state: σ, or the longer `features`. */
export interface Signature {
  /** L, a multiple of 4. */
  readonly length: number;
  /** d, entries that hold features, projected or not, from the fifth on. */
  readonly dimensions: number;
  /**
   * Writes the signature of one decision to `out[outOffset …]`, L entries in [−127, 127].
   *
   * @param observations o starts at `observationOffset`, D numbers
   * @param policy ln π(·∣o) starts at `policyOffset`, n numbers
   * @param value V(o)
   * @throws not-finite if an entry comes out NaN or the value is infinite
   */
  write(
    agent: number,
    observations: Float32Array,
    observationOffset: number,
    policy: Float32Array,
    policyOffset: number,
    value: number,
    out: Int8Array,
    outOffset: number,
  ): void;
}

/**
 * What an agent tells of a state instead of its observation: 4 numbers of a byte each and up to 24 of half a byte, 16 bytes at most.
 * Every entry is clamped and rounded, the first four to whole numbers, the others to multiples of 18:
 *
 * | entry | holds | scale | error at most |
 * | --- | --- | --- | --- |
 * | 0 | entropy of π, nats | 127 / ln(most actions of any agent) | ln n / 254 |
 * | 1, 2 | largest and second-largest π(a) | 127 | 1/254 |
 * | 3 | V(o), squashed to v / (valueScale + ∣v∣) | 127 | 1/254 of the squashed value |
 * | 4 … 3 + d | G x / √F | 127 / 3, clamped at ± 3 | .22 inside |
 * | the next n | π(a) of every action, where no agent has more than 8 | 127 | .075 |
 *
 * Where actions are continuous entry 0 holds the mean of ln σ, from its bounds to [−1, 1], and entries 1 and 2 the first two means, from
 * the bounds of the action; 0 where there is one only.
 *
 * x [F] are the features common to all agents, brought from their bounds to [−1, 1] (taken as they are where unbounded);
 * G [d × F] is standard normal, the same for every agent. d = min(24 − n, F − 1): always fewer than features, so that no
 * linear map leads back to x; d = 0 where nothing is common. L is what that takes, in fours, 8 at least.
 *
 * @throws unsupported for actions in several parts; invalid-option
 */
export function createSignature(spec: EnvironmentSpec, { seed, valueScale = 1 }: SignatureOptions): Signature {
  const writeHead = headWriter(spec, valueScale);
  const common = spec.commonFeatures;
  const F = common ? common[0].length : 0;
  const choices = choicesOf(spec);
  const told = Math.max(...choices) <= MOST_CHOICES ? choices : choices.map(() => 0);
  const n = Math.max(...told);
  const d = Math.max(0, Math.min(SIGNATURE_LENGTH - FEATURES - n, F - 1));
  const length = Math.max(8, 4 * Math.ceil((FEATURES + d + n) / 4));
  const { matrix, shift } = projection(spec, d, F, seed);
  const z = new Float64Array(d);

  return {
    length,
    dimensions: d,
    write(agent, observations, observationOffset, policy, policyOffset, value, out, outOffset) {
      const features = common ? common[agent] : [];
      out.fill(0, outOffset + FEATURES, outOffset + length);
      writeHead(agent, policy, policyOffset, value, out, outOffset);
      for (let k = 0; k < d; k++) z[k] = -shift[k];
      for (let f = 0; f < F; f++) {
        const x = observations[observationOffset + features[f]];
        // Many features are zero most of the time.
        if (x !== 0) for (let k = 0; k < d; k++) z[k] += matrix[f * d + k] * x;
      }
      for (let k = 0; k < d; k++) writeEntry(out, outOffset + FEATURES + k, z[k] / REACH, COARSE_STEP);
      for (let a = 0, at = outOffset + FEATURES + d; a < told[agent]; a++, at++) {
        writeEntry(out, at, Math.exp(policy[policyOffset + a]), COARSE_STEP);
      }
    },
  };
}

/**
 * The features themselves in place of their projection, for measuring what σ leaves out. Observations leave the agent this
 * way, rounded: it is a yardstick, not to be used where they must not.
 *
 * | entry | holds | scale |
 * | --- | --- | --- |
 * | 0 … 3 | as in σ | |
 * | 4 … 3 + F | x, the common features, or the whole observation where nothing is declared common | from bounds to ± 127; unbounded ones as x / (1 + ∣x∣) |
 * | the next n | π(a) of every action, where agents choose among a fixed list | 127 |
 *
 * L is rounded up to a multiple of 4, and more than σ has, so that the two are never taken for each other.
 *
 * @throws as `createSignature`; unsupported where that makes more than 112 entries
 */
export function createFeatures(
  spec: EnvironmentSpec,
  { valueScale = 1 }: Pick<SignatureOptions, "valueScale"> = {},
): Signature {
  const writeHead = headWriter(spec, valueScale);
  const told = toldFeatures(spec);
  const sizes = choicesOf(spec);
  const d = Math.max(...told.map(({ length }) => length));
  const length = Math.max(SIGNATURE_LENGTH + 4, 4 * Math.ceil((FEATURES + d + Math.max(...sizes)) / 4));
  if (length > MOST_FEATURES) {
    const message = `what agents see and may do in ${spec.id} takes ${length} bytes, and a record has room for ${MOST_FEATURES}; use a mode that tells signatures`;
    throw new MagicMaskError("unsupported", "comm/signature", message);
  }
  const scales = Array.from({ length: d }, (_, f) => scaleOf(spec, told, f));
  return {
    length,
    dimensions: d,
    write(agent, observations, observationOffset, policy, policyOffset, value, out, outOffset) {
      const features = told[agent];
      out.fill(0, outOffset + FEATURES, outOffset + length);
      writeHead(agent, policy, policyOffset, value, out, outOffset);
      for (let f = 0, at = outOffset + FEATURES; f < features.length; f++, at++) {
        const x = observations[observationOffset + features[f]];
        const { bounded, half, centre } = scales[f];
        writeEntry(out, at, bounded ? (x - centre) / half : x / (1 + Math.abs(x)));
      }
      for (let a = 0, at = outOffset + FEATURES + d; a < sizes[agent]; a++, at++) {
        writeEntry(out, at, Math.exp(policy[policyOffset + a]));
      }
    },
  };
}

/** [N] how many actions an agent chooses among, where they are a fixed list; else 0. */
const choicesOf = (spec: EnvironmentSpec): readonly number[] =>
  spec.actionSpaces.map((space) => (space.kind === "discrete" ? space.n : 0));

/** [N] which entries of an agent's observation are told: the common ones, or all where none are declared. */
const toldFeatures = (spec: EnvironmentSpec): readonly (readonly number[])[] =>
  spec.commonFeatures ?? spec.observationSpaces.map((space) => Array.from({ length: boxSize(space) }, (_, i) => i));

/** @param x in [−1, 1], clamped @param step what the entry is to be a multiple of */
function writeEntry(out: Int8Array, at: number, x: number, step = 1) {
  if (Number.isNaN(x)) {
    throw new MagicMaskError(
      "not-finite",
      "comm/signature",
      "an observation, policy or value is not finite; check the networks that made it",
    );
  }
  out[at] = step * Math.round((127 * Math.max(-1, Math.min(1, x))) / step);
}

/** Writes the first four entries: what is told of π and V. @throws unsupported for actions in several parts; invalid-option */
function headWriter(spec: EnvironmentSpec, valueScale: number) {
  if (!(valueScale > 0 && valueScale < Number.POSITIVE_INFINITY)) {
    throw new MagicMaskError(
      "invalid-option",
      "comm/signature",
      `valueScale must be finite and > 0, got ${valueScale}`,
    );
  }
  const sizes = spec.actionSpaces.map((space) => (space.kind === "box" ? 0 : requireChoices("comm/signature", space)));
  const entropyScale = 1 / Math.log(Math.max(2, ...sizes));
  const normals = spec.actionSpaces.map(normalOf);

  /** Entropy of π, its largest and second-largest probability, scaled. */
  const spreadOf = (agent: number, policy: Float32Array, policyOffset: number) => {
    let entropy = 0;
    let first = 0;
    let second = 0;
    for (let a = 0; a < sizes[agent]; a++) {
      const logProb = policy[policyOffset + a];
      const p = Math.exp(logProb);
      entropy -= p * logProb;
      if (p > first) {
        second = first;
        first = p;
      } else if (p > second) second = p;
    }
    return [entropy * entropyScale, first, second];
  };

  return (agent: number, policy: Float32Array, policyOffset: number, value: number, out: Int8Array, at: number) => {
    const [spread, first, second] = normals[agent]?.(policy, policyOffset) ?? spreadOf(agent, policy, policyOffset);
    writeEntry(out, at, spread);
    writeEntry(out, at + 1, first);
    writeEntry(out, at + 2, second);
    writeEntry(out, at + 3, value / (valueScale + Math.abs(value)));
  };
}

/** What is told of a normal distribution; none for spaces of other kinds. */
function normalOf(space: ActionSpace) {
  if (space.kind !== "box") return undefined;
  const k = boxSize(space);
  const { low, high } = space;
  const [narrow, wide] = LOG_STD_BOUNDS;
  const told = [0, 0, 0];
  return (policy: Float32Array, at: number) => {
    let deviation = 0;
    for (let i = 0; i < k; i++) deviation += policy[at + k + i] / k;
    told[0] = (2 * (deviation - narrow)) / (wide - narrow) - 1;
    for (let i = 0; i < 2 && i < k; i++) {
      const lowest = typeof low === "number" ? low : low[i];
      const highest = typeof high === "number" ? high : high[i];
      told[1 + i] = (2 * (policy[at + i] - lowest)) / (highest - lowest) - 1;
    }
    return told;
  };
}

/** G / √F with the scaling to [−1, 1] folded in, [F × d]: z = x · matrix − shift for raw features x. */
function projection(spec: EnvironmentSpec, d: number, F: number, seed: number) {
  const random = stream(seed, "comm/signature");
  const matrix = new Float64Array(d * F);
  const shift = new Float64Array(d);
  for (let k = 0; k < d; k++) {
    for (let f = 0; f < F; f++) {
      const { half, centre } = scaleOf(spec, spec.commonFeatures!, f);
      matrix[f * d + k] = random.normal() / (Math.sqrt(F) * half);
      shift[k] += matrix[f * d + k] * centre;
    }
  }
  return { matrix, shift };
}

/** Where feature `f` lies. One scale per feature, whoever sees it, or equal states would get unequal signatures. */
function scaleOf(spec: EnvironmentSpec, told: readonly (readonly number[])[], f: number) {
  const indices = told.map((features) => features[f]);
  const ends = (side: "low" | "high") =>
    indices.flatMap((index, agent) => (index === undefined ? [] : [bound(spec, agent, side, index)]));
  const low = Math.min(...ends("low"));
  const high = Math.max(...ends("high"));
  const bounded = high > low && high - low < Number.POSITIVE_INFINITY;
  return { bounded, half: bounded ? (high - low) / 2 : 1, centre: bounded ? (high + low) / 2 : 0 };
}

function bound(spec: EnvironmentSpec, agent: number, side: "low" | "high", index: number): number {
  const space = spec.observationSpaces[agent];
  const bounds = space[side];
  if (index >= boxSize(space)) {
    throw new MagicMaskError(
      "invalid-option",
      "comm/signature",
      `common feature ${index} of ${spec.agents[agent]} is outside its observation`,
    );
  }
  return typeof bounds === "number" ? bounds : bounds[index];
}
