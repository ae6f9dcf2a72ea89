import {
  boxSize,
  type CreateLearner,
  checkCount,
  checkRange,
  type EnvironmentSpec,
  type LearnerState,
  lambdaReturns,
  type Rollout,
  shuffle,
  stream,
  TRUNCATED,
} from "@magic-mask/core";
import { type Evidence, type FitPlan, rateAt } from "./objectives/objective.ts";

export interface CriticOptions {
  readonly spec: EnvironmentSpec;
  readonly agent: number;
  readonly createLearner: CreateLearner;
  /** Root of all chance in the critic. */
  readonly seed: number;
  /** γ per decision of the agent, in [0, 1]. */
  readonly discount: number;
  /** λ of the targets, in [0, 1]. */
  readonly trace?: number;
  readonly hidden?: readonly number[];
  readonly minibatch?: number;
}

/** One agent's own estimate of V under the policy that is explained: a black-box policy brings none. */
export interface Critic {
  /** V of any observations of the agent. @param observations [B × D] @param out [B] written */
  values(observations: Float32Array, count: number, out: Float32Array): void;
  /** Advantage samples y − V(o) of the agent's decisions, by V as it stands. */
  judge(rollout: Rollout): Evidence;
  /** Regresses V on y at the agent's unblinded decisions; y is made anew before every epoch. @returns mean squared error of the last epoch, NaN without such decisions */
  fit(rollout: Rollout, plan: FitPlan): Promise<number>;
  exportState(): CriticState;
  restoreState(state: CriticState): void;
}

export interface CriticState {
  readonly learner: LearnerState;
  /** Epochs so far: they name the order of the rows. */
  readonly epochs: number;
}

/** V(o) by regression on λ-returns (`lambdaReturns` in core). */
export function createCritic(options: CriticOptions): Critic {
  const { spec, agent, createLearner, seed, discount, trace = 0.9, hidden = [64, 64], minibatch = 512 } = options;
  checkRange("masking/critic", "discount", discount, 0, 1);
  checkRange("masking/critic", "trace", trace, 0, 1);
  checkCount("masking/critic", "minibatch", minibatch);
  const D = boxSize(spec.observationSpaces[agent]);
  const model = { kind: "mlp", inputs: D, hidden, activation: "relu", outputs: [1] } as const;
  const learner = createLearner(model, stream(seed, "critic", agent));
  let epochsDone = 0;

  const gather = (rollout: Rollout, rows: Int32Array) => {
    const observations = new Float32Array(rows.length * D);
    rows.forEach((row, i) => {
      observations.set(rollout.observations.subarray(row * D, (row + 1) * D), i * D);
    });
    return observations;
  };
  const inferAll = (observations: Float32Array, count: number, out: Float32Array) => {
    for (let from = 0; from < count; from += CHUNK) {
      const to = Math.min(from + CHUNK, count);
      learner.infer(observations.subarray(from * D, to * D), to - from, out.subarray(from, to));
    }
  };
  /** V at `rows` and, from it, y; both [R]. */
  const estimate = (rollout: Rollout, rows: Int32Array, observations: Float32Array) => {
    const compact = new Float32Array(rows.length);
    inferAll(observations, rows.length, compact);
    const values = new Float32Array(rollout.length);
    rows.forEach((row, i) => {
      values[row] = compact[i];
    });
    const returns = new Float32Array(rollout.length);
    lambdaReturns(rollout, values, discount, trace, returns);
    return { values, returns };
  };

  return {
    values: inferAll,
    judge(rollout) {
      const rows = rowsOf(rollout, agent);
      const { values, returns: advantages } = estimate(rollout, rows, gather(rollout, rows));
      for (const row of rows) advantages[row] -= values[row];
      const usable = rows.filter((row) => rollout.ended[row] <= TRUNCATED && !rollout.disturbed[row]);
      return { rollout, discount, rows: usable, values, advantages };
    },
    async fit(rollout, { epochs, learningRate }) {
      const rows = rowsOf(rollout, agent);
      const inputs = gather(rollout, rows);
      const targets = new Float32Array(rows.length);
      const weights = new Float32Array(rows.length).fill(1);
      const usable = Int32Array.from(rows.keys()).filter((i) => {
        const row = rows[i];
        return rollout.ended[row] <= TRUNCATED && !rollout.disturbed[row] && !rollout.blinded[row];
      });
      let loss = Number.NaN;
      for (let epoch = 0; epoch < epochs && usable.length > 0; epoch++) {
        const { returns } = estimate(rollout, rows, inputs);
        rows.forEach((row, i) => {
          targets[i] = returns[row];
        });
        const order = shuffle(usable.slice(), stream(seed, "critic order", agent, epochsDone++));
        const statistics = await learner.update(
          { loss: { kind: "regression" }, batch: { inputs, targets, weights } },
          { rows: order, minibatch, learningRate: rateAt(learningRate, epoch, epochs), maxGradNorm: 0.5 },
        );
        loss = statistics.loss;
      }
      return loss;
    },
    exportState: () => ({ learner: learner.exportState(), epochs: epochsDone }),
    restoreState(state) {
      learner.restoreState(state.learner);
      epochsDone = state.epochs;
    },
  };
}

/** Rows per forward pass. */
const CHUNK = 1024;

/** All rows of one agent: decisions, open ones and last looks. */
function rowsOf(rollout: Rollout, agent: number): Int32Array {
  const rows = new Int32Array(rollout.length);
  let count = 0;
  for (let row = 0; row < rollout.length; row++) if (rollout.agents[row] === agent) rows[count++] = row;
  return rows.subarray(0, count);
}
