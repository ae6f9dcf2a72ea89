import {
  type ActionSpace,
  actionWidth,
  type Box,
  boxSize,
  byName,
  distributionOf,
  LOG_STD_BOUNDS,
  MagicMaskError,
  maskWidth,
  type Policy,
  stream,
} from "@magic-mask/core";
import type { OnnxModel, OnnxPort } from "./model.ts";

const SOURCE = "onnx/policy";
const { exp, log, max, min, PI } = Math;

/** Where a policy gives an action alone, the probability that the others are thought to share. */
const DOUBT = 0.01;
/** The lowest probability of a legal action, so that its logarithm is finite. */
const LOWEST = 1e-8;

/** What an output says of the actions: ln π up to a constant, π, what the policy does, or how much it hopes for from each. */
export type OnnxKind = "logits" | "probabilities" | "actions" | "q_values";

const KINDS: Readonly<Record<OnnxKind, OnnxKind>> = {
  logits: "logits",
  probabilities: "probabilities",
  actions: "actions",
  q_values: "q_values",
};

export interface OnnxPolicyOptions {
  readonly observation: Box;
  readonly action: ActionSpace;
  /** The output that the policy is read from; found by names and shapes where left out. */
  readonly output?: string;
  /** What that output says; found by its name and what it gives where left out. */
  readonly as?: OnnxKind;
}

/** A policy read from a model. */
export interface OnnxPolicy extends Policy {
  /** In words: what the model gives, and what was made of it. */
  readonly gives: string;
  /** Whether its rows are the model's own distribution. If not, it gives actions alone, and probabilities are an estimate. */
  readonly exact: boolean;
}

/**
 * The policy that an ONNX model computes. A batch of decisions is one run of the model.
 *
 * Inputs: observations, as a row in C order of the input's own shape; if there is a second one, as wide as the actions and
 * called after a mask, it gets 1 for legal. Illegal actions are masked afterwards in any case.
 *
 * Outputs, where P = Σ of the choices and k = entries of a box, are told by their names or, failing that, by their widths:
 *
 * | space | output | row |
 * | --- | --- | --- |
 * | discrete | [P] logits or log-probabilities | normalised |
 * | | [P] probabilities: rows ≥ 0 that sum to 1 | ln π; of a legal action 1e-8 at least |
 * | | [P] q_values | as for the highest legal one |
 * | | actions, one per part, with their log_prob [1] | π(a) = exp(log_prob), the rest evenly |
 * | | actions alone | π(a) = 0.99, the rest evenly |
 * | box | mean or actions [k], with log_std or std [k] | as they are |
 * | | [2k] | means, then ln σ |
 * | | actions [k] with their log_prob | one σ for all entries: ln σ = −log_prob/k − ½ ln 2π |
 * | | actions [k] alone | σ as small as may be, e⁻⁵ |
 *
 * An output [1] called value becomes V; without one, V is 0.
 *
 * @throws unsupported, shape-mismatch, naming inputs and outputs, if the model does not fit; not-finite; invalid-option.
 *   Evaluating throws illegal-action if a model that gives actions alone takes one that the rules do not allow
 */
export function onnxPolicy(model: OnnxModel, options: OnnxPolicyOptions): OnnxPolicy {
  const { observation, action: space } = options;
  if (space.kind === "candidates") {
    throw new MagicMaskError("unsupported", SOURCE, "a policy over lists of candidates cannot be read from ONNX");
  }
  const D = boxSize(observation);
  const A = maskWidth(space);
  const { seen, mask } = findInputs(model, D, A);
  const inputs: Float32Array[] = new Array(model.inputs.length);
  let legalRows = new Float32Array(0);
  const run = (observations: Float32Array, legal: Uint8Array, count: number) => {
    inputs[seen] = observations;
    if (mask >= 0) {
      if (legalRows.length < count * A) legalRows = new Float32Array(count * A);
      for (let i = 0; i < count * A; i++) legalRows[i] = legal[i];
      inputs[mask] = legalRows;
    }
    return model.run(inputs, count);
  };

  const observations = plausible(observation);
  const legal = new Uint8Array(PROBES * A).fill(1);
  const probe = run(observations, legal, PROBES);
  requireRepeatable(model.outputs, probe, run(observations, legal, PROBES));
  const found = findOutputs(model.outputs, probe, options);
  for (const index of [found.index, found.value]) {
    if (index >= 0) requireFinite(model.outputs[index], probe[index]);
  }

  const distribution = distributionOf(space);
  const P = distribution.width;
  const read = space.kind === "box" ? boxReader(space, found) : choiceReader(space, found);
  const masked =
    mask >= 0 ? `, told what is legal by ${quoted(model.inputs[mask])}` : A > 0 ? ", masked afterwards" : "";
  const valued = found.value >= 0 ? `V from ${quoted(model.outputs[found.value])}` : "no V";
  return {
    gives: `${found.words}${masked}; ${valued}`,
    exact: found.exact,
    evaluate({ count, observations, legal }, parameters, values) {
      if (count === 0) return;
      const outputs = run(observations, legal, count);
      for (let row = 0; row < count; row++) {
        read(outputs, row, legal, parameters, row * P);
        distribution.normalise(parameters, row * P, legal, row * A);
        values[row] = found.value >= 0 ? outputs[found.value][row] : 0;
      }
    },
  };
}

const quoted = ({ name }: OnnxPort) => JSON.stringify(name);
const listed = (ports: readonly OnnxPort[]) =>
  ports.map(({ name, width }) => `${name} [${width}]`).join(", ") || "none";

function findInputs({ inputs }: OnnxModel, D: number, A: number) {
  const fail = (wanted: string): never => {
    const message = `${wanted}; the model has the inputs ${listed(inputs)}, and an observation is ${D} numbers`;
    throw new MagicMaskError("unsupported", SOURCE, message);
  };
  const isMask = ({ name, width }: OnnxPort) => A > 0 && width === A && /mask|legal|valid|avail/i.test(name);
  const mask = inputs.length > 1 ? inputs.findIndex(isMask) : -1;
  const others = inputs.flatMap((_, i) => (i === mask ? [] : [i]));
  if (others.length !== 1) fail(`it must take an observation and at most a mask of the ${A} actions`);
  const [seen] = others;
  if (inputs[seen].width !== D) {
    const message = `input ${quoted(inputs[seen])} takes rows of ${inputs[seen].width} numbers, but an observation is ${D}; see whether the world has another (environment.options), as Connect Four has planes`;
    throw new MagicMaskError("shape-mismatch", SOURCE, message);
  }
  return { seen, mask };
}

/** Rows that models are tried with. */
const PROBES = 16;

/** [PROBES × D] numbers of the size that networks are fed, within the space. */
function plausible({ low, high, ...space }: Box): Float32Array {
  const D = boxSize({ low, high, ...space });
  const random = stream("onnx probe");
  return Float32Array.from({ length: PROBES * D }, (_, i) => {
    const [least, most] = [low, high].map((bound) => (typeof bound === "number" ? bound : bound[i % D]));
    const from = min(max(-1, least), most);
    return from + random.uniform() * (max(min(1, most), least) - from);
  });
}

function requireRepeatable(
  ports: readonly OnnxPort[],
  first: readonly Float32Array[],
  second: readonly Float32Array[],
) {
  ports.forEach((port, k) => {
    if (first[k].every((x, i) => Object.is(x, second[k][i]))) return;
    const message = `output ${quoted(port)} is another each time; export the policy without drawing (deterministic=True)`;
    throw new MagicMaskError("unsupported", SOURCE, message);
  });
}

function requireFinite(port: OnnxPort, values: Float32Array) {
  // −∞ is the logit of what the model never does.
  if (values.every((x) => x === Number.NEGATIVE_INFINITY || Number.isFinite(x))) return;
  throw new MagicMaskError("not-finite", SOURCE, `output ${quoted(port)} is not finite on plausible observations`);
}

/** What a policy is read from. */
interface Found {
  /** Which output. */
  readonly index: number;
  /** `rows` are a box's means and ln σ. */
  readonly kind: OnnxKind | "means" | "rows";
  /** Further outputs; −1 where there is none. */
  readonly value: number;
  readonly logProb: number;
  readonly logStd: number;
  readonly std: number;
  readonly words: string;
  readonly exact: boolean;
}

const VALUE = /value|critic|baseline|^v(f|pred)?$/i;
const LOG_PROB = /log_?p/i;
const LOG_STD = /log_?(std|sigma|scale)/i;
const STD = /std|sigma|scale/i;
const Q = /^q([_-]|$)|q_?value/i;
const KIND_NAMES: readonly (readonly [RegExp, OnnxKind])[] = [
  [/logit/i, "logits"],
  [LOG_PROB, "logits"],
  [/prob|softmax/i, "probabilities"],
  [Q, "q_values"],
];

function findOutputs(
  ports: readonly OnnxPort[],
  probe: readonly Float32Array[],
  { action: space, output, as }: OnnxPolicyOptions,
): Found {
  const W = actionWidth(space);
  const P = distributionOf(space).width;
  const isBox = space.kind === "box";
  if (as !== undefined) byName(SOURCE, "as", KINDS, as);
  const where = (name: RegExp, width: number, besides = -1) =>
    ports.findIndex((port, k) => k !== besides && port.width === width && name.test(port.name));
  const value = ports.findIndex(({ name, width }) => width === 1 && VALUE.test(name) && !Q.test(name));
  const logProb = where(LOG_PROB, 1, value);
  const logStd = isBox ? where(LOG_STD, W) : -1;
  const std = isBox && logStd < 0 ? where(STD, W) : -1;
  const aside = [value, logProb, logStd, std];

  const index = output === undefined ? search() : ports.findIndex(({ name }) => name === output);
  if (index < 0) {
    const wanted =
      output === undefined ? `one that tells ${isBox ? "means" : "actions"} apart` : `the output "${output}"`;
    const shapes = isBox ? `[${W}] means or [${P}] means and ln σ` : `[${P}] one per choice or [${W}] actions`;
    const message = `${wanted} is not among the outputs ${listed(ports)}; wanted is ${shapes}: name it by \`output\``;
    throw new MagicMaskError("unsupported", SOURCE, message);
  }
  const port = ports[index];
  if (port.width !== P && port.width !== W) {
    const message = `output ${quoted(port)} has rows of ${port.width} numbers; this space needs ${P}, or ${W} for actions alone`;
    throw new MagicMaskError("shape-mismatch", SOURCE, message);
  }
  const kind: Found["kind"] = isBox ? (port.width === P ? "rows" : "means") : kindOf();
  const about = { index, kind, value, logProb, logStd, std };
  return { ...about, ...wordsOf(about) };

  /** By name first, then by being the only one that fits. */
  function search(): number {
    const left = ports.flatMap((_, k) => (aside.includes(k) ? [] : [k]));
    const wide = left.filter((k) => ports[k].width === P);
    const named = wide.filter((k) => KIND_NAMES.some(([name]) => name.test(ports[k].name)));
    if (!isBox && named.length > 0) return named[0];
    if (wide.length === 1) return wide[0];
    const narrow = left.filter(
      (k) => ports[k].width === W && (isBox || ports[k].integer || /act/i.test(ports[k].name)),
    );
    const acting = narrow.filter((k) => /act|mean|mu|loc/i.test(ports[k].name));
    if (acting.length === 1) return acting[0];
    return narrow.length === 1 ? narrow[0] : -1;
  }

  function kindOf(): OnnxKind {
    const sums = port.width === P && sumToOne(probe[index], space);
    const byName = port.width !== P ? "actions" : KIND_NAMES.find(([name]) => name.test(port.name))?.[1];
    // A row of logits that is a distribution by chance is all but impossible, and 16 are.
    const kind = as ?? (sums ? "probabilities" : (byName ?? "logits"));
    if (kind === "probabilities" && !sums) {
      const message = `output ${quoted(port)} is to be probabilities, but its rows are not ≥ 0 with the sum 1; say as=logits`;
      throw new MagicMaskError("unsupported", SOURCE, message);
    }
    if ((kind === "actions") !== (port.width !== P)) {
      const width = kind === "actions" ? W : P;
      const message = `${kind} take ${width} numbers a row, but output ${quoted(port)} has ${port.width}`;
      throw new MagicMaskError("shape-mismatch", SOURCE, message);
    }
    if (kind === "actions") {
      const parts = partsOf(space);
      const isAction = (x: number, i: number) => Number.isInteger(x) && x >= 0 && x < parts[i % W];
      if (!probe[index].every(isAction)) {
        const message = `output ${quoted(port)} is to be actions, but holds other numbers than 0 … ${parts.map((n) => n - 1)}`;
        throw new MagicMaskError("unsupported", SOURCE, message);
      }
    }
    return kind;
  }

  function wordsOf({ kind, logProb, logStd, std }: Omit<Found, "words" | "exact">): Pick<Found, "words" | "exact"> {
    const from = `(output ${quoted(port)})`;
    if (kind === "logits" || kind === "probabilities") return { words: `${kind} ${from}`, exact: true };
    if (kind === "rows") return { words: `means and ln σ ${from}`, exact: true };
    if (kind === "q_values") {
      const words = `q-values ${from}: the highest is taken to be its action, with ${1 - DOUBT} of the probability`;
      return { words, exact: false };
    }
    if (kind === "means" && (logStd >= 0 || std >= 0)) {
      return { words: `means ${from} and deviations (output ${quoted(ports[max(logStd, std)])})`, exact: true };
    }
    if (logProb >= 0) {
      const rest = kind === "means" ? "one deviation for all entries that this agrees with" : "the rest spread evenly";
      const words = `actions alone ${from} with their log-probability (output ${quoted(ports[logProb])}): ${rest}`;
      return { words, exact: false };
    }
    const guess =
      kind === "means" ? "a deviation of e^-5 is assumed" : `${1 - DOUBT} of the probability is assumed for it`;
    return { words: `actions alone ${from}: ${guess}`, exact: false };
  }
}

/** Parts of an action that are chosen by themselves: how many choices each has. */
const partsOf = (space: ActionSpace): readonly number[] =>
  space.kind === "multi-discrete" ? space.nvec : [maskWidth(space)];

function sumToOne(values: Float32Array, space: ActionSpace): boolean {
  for (let at = 0; at < values.length; ) {
    for (const n of partsOf(space)) {
      const part = values.subarray(at, at + n);
      const sum = part.reduce((total, x) => total + x, 0);
      if (!(part.every((x) => x >= 0) && Math.abs(sum - 1) < 1e-3)) return false;
      at += n;
    }
  }
  return true;
}

/** Writes what `Distribution.normalise` makes a row of, from row `row` of a model's outputs. */
type Reader = (outputs: readonly Float32Array[], row: number, legal: Uint8Array, out: Float32Array, at: number) => void;

function choiceReader(space: ActionSpace, { index, kind, logProb }: Found): Reader {
  const parts = partsOf(space);
  const P = maskWidth(space);
  const W = parts.length;

  /** π(a) = 1 − doubt, the rest evenly over what else is legal. */
  const certain = (
    a: number,
    n: number,
    doubt: number,
    legal: Uint8Array,
    from: number,
    out: Float32Array,
    at: number,
  ) => {
    let choices = 0;
    for (let i = 0; i < n; i++) choices += legal[from + i];
    out.fill(choices > 1 ? log(doubt / (choices - 1)) : 0, at, at + n);
    out[at + a] = choices > 1 ? log(1 - doubt) : 0;
  };

  return (outputs, row, legal, out, at) => {
    const values = outputs[index];
    if (kind === "logits" || kind === "probabilities") {
      let highest = Number.NEGATIVE_INFINITY;
      for (let i = 0; i < P; i++) {
        const x = values[row * P + i];
        out[at + i] = kind === "logits" ? x : log(max(x, LOWEST));
        if (legal[row * P + i]) highest = max(highest, out[at + i]);
      }
      for (let i = 0; i < P; i++) if (out[at + i] === Number.NEGATIVE_INFINITY) out[at + i] = highest + log(LOWEST);
      return;
    }
    for (let part = 0, from = row * P; part < W; part++) {
      const n = parts[part];
      let taken = -1;
      let doubt = DOUBT;
      if (kind === "q_values") {
        for (let a = 0; a < n; a++) {
          if (legal[from + a] && !(taken >= 0 && values[from + a] <= values[from + taken])) taken = a;
        }
      } else {
        taken = values[row * W + part];
        // The parts' own are not known where there are many: then each has as much of it as every other.
        if (logProb >= 0) doubt = min(max(1 - exp(outputs[logProb][row] / W), LOWEST), 1 - LOWEST);
        if (!(Number.isInteger(taken) && taken >= 0 && taken < n && legal[from + taken])) {
          const message = `the model takes action ${taken}, which is not legal here; export its logits or probabilities, or let it take an action_mask`;
          throw new MagicMaskError("illegal-action", SOURCE, message);
        }
      }
      certain(taken, n, doubt, legal, from, out, at);
      from += n;
      at += n;
    }
  };
}

function boxReader(space: Box, { index, kind, logProb, logStd, std }: Found): Reader {
  const k = boxSize(space);
  return (outputs, row, _, out, at) => {
    const values = outputs[index];
    if (kind === "rows") {
      for (let i = 0; i < 2 * k; i++) out[at + i] = values[row * 2 * k + i];
      return;
    }
    for (let i = 0; i < k; i++) {
      out[at + i] = values[row * k + i];
      if (logStd >= 0) out[at + k + i] = outputs[logStd][row * k + i];
      else if (std >= 0) out[at + k + i] = log(outputs[std][row * k + i]);
      else out[at + k + i] = logProb >= 0 ? -outputs[logProb][row] / k - 0.5 * log(2 * PI) : LOG_STD_BOUNDS[0];
    }
  };
}
