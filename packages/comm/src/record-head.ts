import {
  boxSize,
  type CreateLearner,
  checkCount,
  checkRange,
  type Decisions,
  DRAWS,
  distributionOf,
  drawActions,
  type EnvironmentSpec,
  type Explainer,
  type Learner,
  MagicMaskError,
  maskWidth,
  type Stream,
  shuffle,
  standardDraws,
} from "@magic-mask/core";
import type { RecordBuffer } from "./buffer.ts";
import { highestDensity } from "./densities.ts";
import { areComparable } from "./peers.ts";
import { recordInputs, recordWeights } from "./record-inputs.ts";
import type { Signature } from "./signature.ts";
import type { Trust } from "./trust.ts";

const SOURCE = "comm/record-head";
/** Pairs of state and action that are inferred together. */
const CHUNK = 4096;

/** V of any agent. @param out [count] written: V(o) of `agent` for each of [count × D] observations */
export type ValueFunction = (agent: number, observations: Float32Array, count: number, out: Float32Array) => void;

export interface RecordHeadOptions {
  readonly spec: EnvironmentSpec;
  /** Whose head it is. */
  readonly agent: number;
  /** Its memory: what it trains on. */
  readonly buffer: RecordBuffer;
  /** The run's signature: what its memory's records were written with. */
  readonly signature: Signature;
  readonly values: ValueFunction;
  readonly createLearner: CreateLearner;
  /** Initial weights come from here. */
  readonly random: Stream;
  /** Widths of the hidden layers, 1 to 3 of them. */
  readonly hidden?: readonly number[];
  /** What a record of another role counts beside one of the agent's own, in [0, 1]. */
  readonly otherRole?: number;
  /** Updates of a sender's policy after which its older records count half, > 0. */
  readonly versionHalfLife?: number;
  /** What the agent thinks of its peers; it believes all of them alike if left out. */
  readonly trust?: Pick<Trust, "weights">;
}

export interface FitPlan {
  /** Collector tick: records fade with their age. */
  readonly now: number;
  /** Adam steps, ≥ 1. */
  readonly steps: number;
  /** Orders the rows. */
  readonly random: Stream;
  /** Rows per Adam step, ≥ 1. */
  readonly minibatch?: number;
  readonly learningRate?: number;
  /** Longest gradient, Euclidean. */
  readonly maxGradNorm?: number;
}

export interface FitStatistics {
  /** Weighted squared error, mean over the steps, before each of them. */
  readonly loss: number;
  /** Rows that could be trained on. */
  readonly rows: number;
  /** Mean age in ticks of those that were. */
  readonly age: number;
  /** [N] whose records they were: the share of each sender in the weight of all, Σ = 1. */
  readonly shares: Float64Array;
}

/** Scores decisions of any agent whose records compare with the head's owner's; `spread` is NaN. */
export interface RecordHead extends Explainer {
  /** The network; its state is the head's. */
  readonly learner: Learner;
  /**
   * Whose records stand behind a score: what the head's memory holds around each decision, by sender, as shares of
   * similarity · weight in the buffer · relevance · trust. Records fade alike, so the shares do not depend on the time.
   *
   * @param out [B × N] written; a row of zeros where the memory holds nothing within three bandwidths
   */
  trace(decisions: Decisions, out: Float64Array): void;
  /**
   * Trains on the rows that the buffer holds now, from where the last fit ended. Each step takes the next `minibatch` rows
   * of an endless row of shuffled passes: the work is the same however many records there are, so that arms of an
   * experiment differ in their data only.
   *
   * @throws out-of-order if the buffer holds nothing of use; not-finite as `Learner`
   */
  fit(plan: FitPlan): Promise<FitStatistics>;
}

/**
 * The second head Ã([σ, a, ln π(a), π(a)]) → advantage, trained on records: the agent's own and its peers'. σ enters as
 * σ / 127, a as `actionCode` describes it, ln π(a) no lower than −10. It minimises, over rows,
 *
 *   w · relevance · (Ã − mean advantage)²,   w ∝ (½π + ½ν)(a) / b(a) with mean 1,   b = (1 − p)π + pν
 *
 * w lets a row count as if π and ν had drawn the action equally often; it is at most ½/p + ½/(1 − p) before scaling, p
 * counting as no less than .005.
 * relevance = (1, or `otherRole`) · trust in its sender · ½^(versions behind its sender's newest / `versionHalfLife`) · the
 * row's weight in the buffer, which is how many records it stands for, faded with age.
 *
 * Criticality of a decision: Σ_a (π − ν)(a)·Ã(σ, a) over legal actions, or over 16 draws each from π and ν.
 *
 * @throws unsupported as `actionCode`; invalid-option; shape-mismatch if buffer and signature do not fit
 */
export function createRecordHead(options: RecordHeadOptions): RecordHead {
  const { spec, agent, buffer, signature, values, createLearner, random } = options;
  const { hidden = [64, 64], otherRole = 0.5, versionHalfLife = 100, trust } = options;
  checkRange(SOURCE, "otherRole", otherRole, 0, 1);
  checkRange(SOURCE, "versionHalfLife", versionHalfLife, Number.MIN_VALUE);
  const space = spec.actionSpaces[agent];
  const L = signature.length;
  if (buffer.signatureLength !== L) {
    const message = `the buffer keeps signatures of ${buffer.signatureLength} entries, and this one has ${L}`;
    throw new MagicMaskError("shape-mismatch", SOURCE, message);
  }
  const { width: D, code, write: writePair } = recordInputs(space, L);
  const learner = createLearner({ kind: "mlp", inputs: D, hidden, activation: "relu", outputs: [1] }, random);
  const relevance = spec.roles.map((role, j) =>
    areComparable(spec, agent, j) ? (role === spec.roles[agent] ? 1 : otherRole) : 0,
  );

  let batch = batchOf(0, D);
  const sigma = new Int8Array(L);
  const weights = recordWeights(buffer, spec.agents.length, versionHalfLife);
  const pairs = new Float32Array(CHUNK * D);
  const owners = new Int32Array(CHUNK);
  const shares = new Float64Array(CHUNK);
  const answers = new Float32Array(CHUNK);
  let worth = new Float32Array(0);
  let sums = new Float64Array(0);
  let filled = 0;
  const n = maskWidth(space);
  const k = space.kind === "box" ? boxSize(space) : 0;
  const distribution = distributionOf(space);
  const P = distribution.width;
  const z = k > 0 ? standardDraws(k, random) : new Float64Array(0);
  const drawn = new Float32Array(DRAWS * k);
  const slot = new Float32Array(k);

  /** Infers the pairs that are there and adds each one's share to its decision. */
  const settle = () => {
    if (filled > 0) learner.infer(pairs, filled, answers);
    for (let i = 0; i < filled; i++) sums[owners[i]] += shares[i] * answers[i];
    filled = 0;
  };

  /** Asks about one action of decision `b`, which counts `share` in its sum. */
  const ask = (b: number, action: number, logProb: number, share: number) => {
    writePair(pairs, filled, sigma, 0, action, logProb);
    owners[filled] = b;
    shares[filled] = share;
    if (++filled === CHUNK) settle();
  };

  /** Asks about what π and ν draw: Σ_a (π − ν)(a)·Ã over 16 draws of each. */
  const askDraws = (b: number, policy: Float32Array, perturbation: Float32Array) => {
    const highest = highestDensity(distribution, policy, perturbation, b * 2 * k, slot);
    for (const [rows, share] of [[policy, 1 / DRAWS] as const, [perturbation, -1 / DRAWS] as const]) {
      drawActions(z, rows, b, drawn, 0);
      distribution.at(policy, b * 2 * k);
      for (let i = 0; i < DRAWS; i++) {
        ask(b, code.encode(drawn, i * k), distribution.logProb(drawn, i * k) - highest, share);
      }
    }
  };

  /** What a sender's records count: nothing where they do not compare or are not trusted. */
  const regard = (sender: number) => relevance[sender] * (trust ? trust.weights[sender] : 1);

  /** Rows of the buffer that the head may learn from. */
  const usable = () => {
    const { rows } = buffer;
    const list = new Int32Array(rows.length);
    let count = 0;
    for (let row = 0; row < rows.length; row++) if (regard(rows.agents[row]) > 0) list[count++] = row;
    return list.subarray(0, count);
  };

  /** Writes rows of the buffer into the batch. @returns their mean age and each sender's share of their weight */
  const gather = (chosen: Int32Array, now: number) => {
    const { rows } = buffer;
    weights.begin(now);
    const shares = new Float64Array(spec.agents.length);
    let balance = 0;
    let age = 0;
    let sum = 0;
    if (batch.targets.length !== chosen.length) batch = batchOf(chosen.length, D);
    chosen.forEach((row, i) => {
      const sender = rows.agents[row];
      writePair(batch.inputs, i, rows.signatures, row * L, rows.actions[row], rows.logProbs[row]);
      batch.targets[i] = rows.means[row];
      const w = weights.balance(row);
      const weight = w * regard(sender) * weights.presence(row);
      batch.weights[i] = weight;
      shares[sender] += weight;
      sum += weight;
      balance += w;
      age += now - rows.steps[row];
    });
    for (let i = 0; i < chosen.length; i++) batch.weights[i] *= chosen.length / balance;
    return { age: age / chosen.length, shares: shares.map((share) => share / sum) };
  };

  /** σ of each decision in turn, and what `visit` does with it. */
  const forEachSignature = (decisions: Decisions, visit: (b: number) => void) => {
    const { agent: j, count: B, observations, policy } = decisions;
    const size = boxSize(spec.observationSpaces[j]);
    if (!areComparable(spec, agent, j)) {
      const [mine, theirs] = [spec.agents[agent], spec.agents[j]];
      const message = `${mine} cannot judge ${theirs}: they share neither features nor spaces`;
      throw new MagicMaskError("unsupported", SOURCE, message);
    }
    if (worth.length < B) worth = new Float32Array(B);
    values(j, observations, B, worth);
    for (let b = 0; b < B; b++) {
      signature.write(j, observations, b * size, policy, b * P, worth[b], sigma, 0);
      visit(b);
    }
  };

  return {
    name: "record_head",
    learner,
    async fit({ now, steps, random: order, minibatch = 256, learningRate = 1.5e-3, maxGradNorm = 1 }) {
      checkCount(SOURCE, "steps", steps);
      checkCount(SOURCE, "minibatch", minibatch);
      const pool = usable();
      const count = pool.length;
      if (count === 0)
        throw new MagicMaskError("out-of-order", SOURCE, "the buffer holds no record to learn from yet; fit later");
      const rows = new Int32Array(steps * minibatch);
      let drawn: ReturnType<typeof gather>;
      if (rows.length <= count) {
        // A part of one pass: only what is drawn is written out.
        drawn = gather(shuffle(pool, order, rows.length).subarray(0, rows.length), now);
        rows.forEach((_, i) => {
          rows[i] = i;
        });
      } else {
        drawn = gather(pool, now);
        const pass = Int32Array.from({ length: count }, (_, row) => row);
        for (let at = 0; at < rows.length; at += count) {
          rows.set(shuffle(pass, order).subarray(0, Math.min(count, rows.length - at)), at);
        }
      }
      const { loss } = await learner.update(
        { loss: { kind: "regression" }, batch },
        { rows, minibatch, learningRate, maxGradNorm },
      );
      return { loss, rows: count, ...drawn };
    },
    score(decisions, criticality, spread) {
      const { count: B, policy, perturbation } = decisions;
      if (sums.length < B) sums = new Float64Array(B);
      sums.fill(0, 0, B);
      forEachSignature(decisions, (b) => {
        if (k > 0) askDraws(b, policy, perturbation);
        for (let a = 0; a < n; a++) {
          const share = Math.exp(policy[b * n + a]) - Math.exp(perturbation[b * n + a]);
          if (share !== 0) ask(b, a, policy[b * n + a], share);
        }
      });
      settle();
      for (let b = 0; b < B; b++) criticality[b] = sums[b];
      spread.fill(Number.NaN, 0, B);
    },
    trace(decisions, out) {
      const N = spec.agents.length;
      const { length, steps } = buffer.rows;
      let now = 0;
      for (let row = 0; row < length; row++) now = Math.max(now, steps[row]);
      const held = new Float64Array(N);
      forEachSignature(decisions, (b) => {
        buffer.senders(sigma, now, held);
        let sum = 0;
        for (let j = 0; j < N; j++) sum += held[j] * regard(j);
        for (let j = 0; j < N; j++) out[b * N + j] = sum > 0 ? (held[j] * regard(j)) / sum : 0;
      });
    },
  };
}

const batchOf = (rows: number, width: number) => ({
  inputs: new Float32Array(rows * width),
  targets: new Float32Array(rows),
  weights: new Float32Array(rows),
});
