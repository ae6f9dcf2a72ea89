import {
  boxSize,
  checkCount,
  type Decisions,
  discrete,
  type LearnerState,
  lambdaReturns,
  type Rollout,
  shuffle,
  stream,
} from "@magic-mask/core";
import { stateFeatures } from "../features.ts";
import { BLIND, KEEP } from "../mask-environment.ts";
import { oneStepAdvantages, scaleOf } from "../one-step.ts";
import { inferAll, stateInputs, stateScores } from "../state-inputs.ts";
import { type MaskContext, type MaskLearner, rateAt } from "./objective.ts";

export interface MaskNetOptions {
  readonly hidden?: readonly number[];
  readonly minibatch?: number;
}

/** What came of one rollout in which the mask decided. */
interface MaskOutcome {
  /** What a decision cost on average, −E[δ], in the unit of the bonus. */
  readonly loss: number;
  /** Share of the decisions that were kept. */
  readonly kept: number;
}

export interface MaskPpoOptions extends MaskNetOptions {
  readonly name: string;
  /** α at first: what a blinded decision is paid, in units of the root mean square of δ. */
  readonly bonus: number;
  /** α from here on. */
  adapt(bonus: number, outcome: MaskOutcome): number;
  /** Weight of the pull towards a prior: β·KL(m ‖ Bernoulli(keep)), in that unit. */
  readonly prior?: { readonly keep: number; readonly weight: number };
}

/**
 * A mask that PPO trains as a policy over {blind, keep} (Schulman et al. 2017, arXiv:1707.06347): a net reads x = [o, π, ln π, H,
 * max π] and gives m = P(keep ∣ x) and a value. It learns from the rollouts in which it decided, and from their own columns:
 *
 *   δ_t = r_t + γV(o_{t+1}) − V(o_t),   u_t = δ_t/σ + α·z_t,   σ² = mean of δ²,   z = 1 where blinded
 *   y_t = u_t + γ·[(1 − λ)·W(x_{t+1}) + λ·y_{t+1}],   A_t = y_t − W(x_t)
 *
 * V is the critic's, of the policy that is not blinded. In the place of r, δ changes no advantage (shaping by a potential, Ng et
 * al. 1999), but leaves W to know only what the mask itself costs from here on, and gives α a unit that fits any game. A
 * decision's truth enters as it should: where blinding costs more than α·σ, keeping is what pays. Criticality is m.
 */
export function createMaskPpo(
  { spec, agent, createLearner, seed }: MaskContext,
  { name, hidden = [64, 64], minibatch = 256, bonus, adapt, prior }: MaskPpoOptions,
): MaskLearner {
  checkCount(`masking/${name}`, "minibatch", minibatch);
  const features = stateFeatures(boxSize(spec.observationSpaces[agent]), spec.actionSpaces[agent]);
  const X = features.width;
  // Two logits, blind and keep, then W: towers of their own.
  const model = { kind: "mlp", inputs: X, hidden, activation: "tanh", outputs: [2, 1] } as const;
  const learner = createLearner(model, stream(seed, name, agent));
  const scores = stateScores(features, learner, OUTPUTS);
  const loss = {
    kind: "ppo",
    space: discrete(2),
    clip: 0.2,
    valueCoefficient: 0.5,
    entropyCoefficient: prior?.weight ?? ENTROPY,
  } as const;
  let alpha = bonus;
  let epochsDone = 0;

  const mask = (decisions: Decisions, out: Float32Array) =>
    scores(decisions, (row, answers, at) => {
      out[row] = 1 / (1 + Math.exp(answers[at + BLIND] - answers[at + KEEP]));
    });

  /** Rows of the agent that anything is known of: decisions, open ones and last looks. */
  const rowsOf = ({ agents, length }: Rollout) =>
    Int32Array.from({ length }, (_, row) => row).filter((row) => agents[row] === agent);

  return {
    explainer: {
      name,
      score(decisions, criticality, spread) {
        mask(decisions, criticality);
        spread.fill(Number.NaN, 0, decisions.count);
      },
    },
    mask,
    blind(decisions, probability) {
      mask(decisions, probability);
      for (let row = 0; row < decisions.count; row++) {
        probability[row] = Math.min(1 - LEAST, Math.max(LEAST, 1 - probability[row]));
      }
    },
    async fit(evidence, { epochs, learningRate }) {
      const { rollout, discount } = evidence;
      const { blinded, blindProbability: p } = rollout;
      const rows = evidence.rows.filter((row) => p[row] > 0 && p[row] < 1);
      if (rows.length === 0) return {};
      const gains = oneStepAdvantages({ ...evidence, rows });
      const scale = scaleOf(gains);

      const paid = new Float32Array(rollout.length);
      let [lost, kept] = [0, 0];
      rows.forEach((row, i) => {
        const z = blinded[row];
        paid[row] = gains[i] / scale + (z ? alpha : 0);
        // With the entropy bonus of the loss, which has the same weight, the pull is β·[H(m) + E ln ρ] = −β·KL(m ‖ ρ).
        if (prior) paid[row] += prior.weight * Math.log(z ? 1 - prior.keep : prior.keep);
        lost -= gains[i] / scale / rows.length;
        kept += (1 - p[row]) / rows.length;
      });

      const own = rowsOf(rollout);
      const ahead = new Float32Array(rollout.length);
      const outputs = new Float32Array(own.length * OUTPUTS);
      inferAll(learner, stateInputs(features, rollout, own), own.length, outputs);
      own.forEach((row, i) => {
        ahead[row] = outputs[i * OUTPUTS + 2];
      });
      const returns = new Float32Array(rollout.length);
      lambdaReturns(rollout, ahead, discount, TRACE, returns, { rewards: paid, blinded: true });

      const batch = {
        inputs: stateInputs(features, rollout, rows),
        legal: new Uint8Array(2 * rows.length).fill(1),
        actions: Float32Array.from(rows, (row) => (blinded[row] ? BLIND : KEEP)),
        logProbs: Float32Array.from(rows, (row) => Math.log(blinded[row] ? p[row] : 1 - p[row])),
        advantages: Float32Array.from(rows, (row) => returns[row] - ahead[row]),
        returns: Float32Array.from(rows, (row) => returns[row]),
      };
      let statistics = {};
      for (let epoch = 0; epoch < epochs; epoch++) {
        const order = Int32Array.from(rows.keys());
        const { policy_loss, value_loss, ...others } = await learner.update(
          { loss, batch },
          {
            rows: shuffle(order, stream(seed, `${name} order`, agent, epochsDone++)),
            minibatch,
            learningRate: rateAt(learningRate, epoch, epochs),
            maxGradNorm: 0.5,
          },
        );
        statistics = { ...others, policy_loss, value_loss, loss: policy_loss + loss.valueCoefficient * value_loss };
      }
      alpha = adapt(alpha, { loss: lost, kept });
      return { ...statistics, bonus: alpha, kept };
    },
    exportState: (): MaskPpoState => ({ learner: learner.exportState(), epochs: epochsDone, bonus: alpha }),
    restoreState(state) {
      const saved = state as MaskPpoState;
      learner.restoreState(saved.learner);
      epochsDone = saved.epochs;
      alpha = saved.bonus;
    },
  };
}

interface MaskPpoState {
  readonly learner: LearnerState;
  readonly epochs: number;
  readonly bonus: number;
}

/** Two logits and a value. */
const OUTPUTS = 3;
/** λ */
const TRACE = 0.9;
/** Weight of the entropy bonus where there is no prior: what is at stake should be seen in m, not lost where m is 0 or 1. */
const ENTROPY = 0.05;
/** Neither is ever less probable than this while it learns, or nothing more would be seen of it. */
const LEAST = 0.02;
