import {
  boxSize,
  checkCount,
  type Decisions,
  type Distribution,
  DRAWS,
  distributionOf,
  type LearnerState,
  maskWidth,
  type Rollout,
  shuffle,
  stream,
} from "@magic-mask/core";
import { type ActionList, comparedActions, givenActions, legalActions, probability } from "../action-lists.ts";
import { type FeatureSource, pairFeatures } from "../features.ts";
import { rankMask } from "../rank-mask.ts";
import { selectDecisions } from "../select.ts";
import { type MaskContext, type MaskLearner, type MaskObjective, rateAt } from "./objective.ts";

export interface AdvantageOptions {
  /** Estimates, each on its own bootstrap of episodes, that are averaged and whose spread is the uncertainty; ≥ 2. */
  readonly ensemble?: number;
  /** Whether they are heads on one trunk (cheap, for joint training) or nets of their own (post hoc). */
  readonly separate?: boolean;
  readonly hidden?: readonly number[];
  readonly minibatch?: number;
}

/**
 * Regression of the advantage of single actions, the action being an input:
 *
 *   minimise  w·(Â_k([x, a, ln π(a), π(a)]) − (y − V(o)))²,    w = (½π + ½ν)(a) / b(a),   b = (1 − p)π + pν
 *
 * w normalised to mean 1. Criticality is what the agent loses by being blinded, in units of return, its uncertainty the standard
 * deviation over the ensemble:
 *
 *   Δ̂(o) = Σ_a (π − ν)(a)·mean_k Â_k(x, a)
 *
 * exact where actions are finitely many, over 16 seeded draws each from π and ν where they are continuous; densities stand for
 * probabilities there. The mask is the rank of Δ̂ among recent states.
 */
export function advantage(options: AdvantageOptions = {}): MaskObjective {
  return { name: "advantage", blinding: "coin", create: (context) => createAdvantageMask(context, options) };
}

function createAdvantageMask(
  { spec, agent, createLearner, seed }: MaskContext,
  { ensemble = 3, separate = false, hidden = [64, 64], minibatch = 512 }: AdvantageOptions,
): MaskLearner {
  checkCount("masking/advantage", "ensemble", ensemble, 2);
  checkCount("masking/advantage", "minibatch", minibatch);
  const D = boxSize(spec.observationSpaces[agent]);
  const space = spec.actionSpaces[agent];
  const compared = comparedActions("masking/advantage", space, seed);
  const k = space.kind === "box" ? boxSize(space) : 0;
  const n = maskWidth(space);
  const distribution = distributionOf(space);
  const features = pairFeatures(D, space);
  const X = features.width;
  const outputs = separate ? new Array<number>(ensemble).fill(1) : [ensemble];
  const model = { kind: "mlp", inputs: X, hidden, activation: "relu", outputs } as const;
  const learner = createLearner(model, stream(seed, "advantage", agent));
  const ranks = rankMask();
  let inputs = new Float32Array(0);
  let estimates = new Float32Array(0);
  const totals = new Float64Array(ensemble);
  let scores = new Float32Array(0);
  let epochsDone = 0;

  /** Asks for Â_k of the actions of as many decisions from `from` as go into one forward pass. @returns how many */
  function estimateChunk<T extends FeatureSource>(source: T, from: number, asked: ActionList<T>): number {
    let count = 0;
    let pairs = 0;
    for (; count < CHUNK && from + count < source.count && pairs < MOST_PAIRS; count++) {
      const size = asked.list(source, from + count);
      if (inputs.length < (pairs + size) * X) {
        const larger = new Float32Array(2 * (pairs + size) * X);
        larger.set(inputs);
        inputs = larger;
      }
      for (let i = 0; i < size; i++) features.write(source, from + count, asked.actions[i], inputs, pairs++ * X);
    }
    if (estimates.length < pairs * ensemble) estimates = new Float32Array(pairs * ensemble);
    learner.infer(inputs, pairs, estimates);
    return count;
  }

  /** Δ̂ of as many decisions from `from` as go into one forward pass. @returns how many */
  function scoreChunk(decisions: Decisions, from: number, criticality: Float32Array, spread: Float32Array): number {
    const count = estimateChunk(decisions, from, compared);
    let pairs = 0;
    for (let row = from; row < from + count; row++) {
      totals.fill(0);
      const size = compared.list(decisions, row);
      for (let i = 0; i < size; i++, pairs++) {
        const gain = compared.gain(decisions, row, i);
        for (let e = 0; e < ensemble; e++) totals[e] += gain * estimates[pairs * ensemble + e];
      }
      let mean = 0;
      for (let e = 0; e < ensemble; e++) mean += totals[e] / ensemble;
      let variance = 0;
      for (let e = 0; e < ensemble; e++) variance += (totals[e] - mean) * (totals[e] - mean);
      criticality[row] = mean;
      spread[row] = Math.sqrt(variance / (ensemble - 1));
    }
    return count;
  }

  const explainer = {
    name: "advantage",
    score(decisions: Decisions, criticality: Float32Array, spread: Float32Array) {
      for (let from = 0; from < decisions.count; ) from += scoreChunk(decisions, from, criticality, spread);
    },
  };

  return {
    explainer,
    advantages(source, out, given) {
      const asked = given ? givenActions(given, k) : legalActions(n);
      const width = given ? DRAWS : n;
      for (let from = 0, count = 0; from < source.count; from += count) {
        count = estimateChunk(source, from, asked);
        for (let row = from, pairs = 0; row < from + count; row++) {
          const size = asked.list(source, row);
          for (let i = 0; i < size; i++, pairs++) {
            let mean = 0;
            for (let e = 0; e < ensemble; e++) mean += estimates[pairs * ensemble + e] / ensemble;
            out[row * width + (given ? i : (asked.actions[i] as number))] = mean;
          }
        }
      }
    },
    mask(decisions, out) {
      if (scores.length < decisions.count) scores = new Float32Array(decisions.count);
      explainer.score(decisions, scores, new Float32Array(decisions.count));
      for (let row = 0; row < decisions.count; row++) out[row] = ranks.rank(scores[row]);
    },
    async fit({ rollout, rows, advantages }, { epochs, learningRate }) {
      const count = rows.length;
      if (count === 0) return {};
      const source = { ...rollout, count: rollout.length };
      const pairs = new Float32Array(count * X);
      const targets = new Float32Array(count * ensemble);
      const weights = new Float32Array(count * ensemble);
      const balance = balancedWeights(rollout, rows, distribution);
      const bootstrap = stream(seed);
      const slot = new Float32Array(k);
      rows.forEach((row, i) => {
        const at = row * rollout.widths.action;
        for (let j = 0; j < k; j++) slot[j] = rollout.actions[at + j];
        features.write(source, row, k > 0 ? slot : rollout.actions[at], pairs, i * X);
        bootstrap.rekey(seed, "bootstrap", agent, rollout.copies[row], rollout.episodes[row]);
        for (let k = 0; k < ensemble; k++) {
          targets[i * ensemble + k] = advantages[row];
          weights[i * ensemble + k] = balance[i] * poisson(bootstrap.uniform());
        }
      });
      let loss = Number.NaN;
      for (let epoch = 0; epoch < epochs; epoch++) {
        const order = Int32Array.from({ length: count }, (_, i) => i);
        const statistics = await learner.update(
          { loss: { kind: "regression" }, batch: { inputs: pairs, targets, weights } },
          {
            rows: shuffle(order, stream(seed, "advantage order", agent, epochsDone++)),
            minibatch,
            learningRate: rateAt(learningRate, epoch, epochs),
            maxGradNorm: 0.5,
          },
        );
        loss = statistics.loss / ensemble;
      }
      rememberRanks(rollout, rows);
      return { loss };
    },
    exportState: (): AdvantageState => ({
      learner: learner.exportState(),
      ranks: ranks.exportState(),
      epochs: epochsDone,
    }),
    restoreState(state) {
      const saved = state as AdvantageState;
      learner.restoreState(saved.learner);
      ranks.restoreState(saved.ranks);
      epochsDone = saved.epochs;
    },
  };

  /** Scores a random sample of the states that were just visited, so that ranks follow the policy. */
  function rememberRanks(rollout: Rollout, rows: Int32Array) {
    const order = shuffle(rows.slice(), stream(seed, "ranked states", agent, epochsDone));
    const count = Math.min(MOST_RANKED, Math.ceil(rows.length * RANKED_SHARE));
    const sample = selectDecisions(rollout, order.subarray(0, count), agent);
    const criticality = new Float32Array(sample.count);
    explainer.score(sample, criticality, new Float32Array(sample.count));
    ranks.learn(criticality);
  }
}

interface AdvantageState {
  readonly learner: LearnerState;
  readonly ranks: ReturnType<ReturnType<typeof rankMask>["exportState"]>;
  readonly epochs: number;
}

/** The most decisions per forward pass, and the most of their actions but for the last one's. */
const CHUNK = 256;
const MOST_PAIRS = 8192;
/** Share of the states of a fit that are ranked after it, and the most: each takes a forward pass per action. */
const RANKED_SHARE = 1 / 8;
const MOST_RANKED = 1024;

/** w = (½π + ½ν)(a) / b(a) for each row, normalised to mean 1. */
function balancedWeights(rollout: Rollout, rows: Int32Array, distribution: Distribution): Float32Array {
  const { parameters: P, action: W } = rollout.widths;
  const weights = new Float32Array(rows.length);
  let sum = 0;
  rows.forEach((row, i) => {
    const pi = probability(distribution.at(rollout.policy, row * P).logProb(rollout.actions, row * W));
    const nu = probability(distribution.at(rollout.perturbation, row * P).logProb(rollout.actions, row * W));
    const p = rollout.blindProbability[row];
    weights[i] = (0.5 * pi + 0.5 * nu) / ((1 - p) * pi + p * nu);
    sum += weights[i];
  });
  const scale = rows.length / sum;
  for (let i = 0; i < weights.length; i++) weights[i] *= scale;
  return weights;
}

/** The Poisson(1) variable at quantile `u`: how often an episode stands in a bootstrap sample. */
function poisson(u: number): number {
  let count = 0;
  let mass = Math.exp(-1);
  for (let below = mass; u >= below && count < 8; below += mass) mass /= ++count;
  return count;
}
