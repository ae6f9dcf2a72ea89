import {
  boxSize,
  type DecisionBatch,
  type Decisions,
  type Explainer,
  MagicMaskError,
  requireChoices,
  stream,
} from "@magic-mask/core";
import type { ControlContext } from "./control.ts";

/**
 * A control without learning: saliency of the state for what the policy does (after Simonyan et al. 2014, arXiv:1312.6034),
 * ‖∇_o ln π(a*∣o)‖ with a* the most probable action at o. See `gradientNorm`.
 *
 * @throws unsupported for spaces without finitely many choices
 */
export function gradientPolicy({ spec, agent, policy, seed }: ControlContext): Explainer {
  const n = requireChoices("masking/gradient", spec.actionSpaces[agent]);
  const D = boxSize(spec.observationSpaces[agent]);
  let [parameters, values] = [new Float32Array(0), new Float32Array(0)];
  const likeliest = new Int32Array(CHUNK);
  const evaluate = (decisions: DecisionBatch) => {
    if (parameters.length < decisions.count * n) {
      parameters = new Float32Array(decisions.count * n);
      values = new Float32Array(decisions.count);
    }
    policy.evaluate(decisions, parameters, values);
  };
  return {
    name: "gradient_policy",
    score: gradientNorm({ D, n, seed }, (decisions) => {
      for (let row = 0; row < decisions.count; row++) {
        let best = -1;
        for (let a = 0; a < n; a++) {
          if (!decisions.legal[row * n + a]) continue;
          if (best < 0 || decisions.policy[row * n + a] > decisions.policy[row * n + best]) best = a;
        }
        likeliest[row] = best;
      }
      return (moved, out) => {
        evaluate(moved);
        for (let row = 0; row < moved.count; row++) {
          out[row] = Math.max(parameters[row * n + likeliest[Math.floor(row / MOVES)]], LOWEST);
        }
      };
    }),
  };
}

/**
 * A control without learning: saliency of the state for its value, ‖∇_o V(o)‖. V is the policy's own or, where it has none (zeros),
 * the critic's. See `gradientNorm`.
 *
 * @throws unsupported for spaces without finitely many choices and, when it scores, where nobody knows V
 */
export function gradientValue({ spec, agent, policy, critic, seed }: ControlContext): Explainer {
  const n = requireChoices("masking/gradient", spec.actionSpaces[agent]);
  const D = boxSize(spec.observationSpaces[agent]);
  let parameters = new Float32Array(0);
  const ofPolicy = (decisions: DecisionBatch, out: Float32Array) => {
    if (parameters.length < decisions.count * n) parameters = new Float32Array(decisions.count * n);
    policy.evaluate(decisions, parameters, out);
  };
  const own = new Float32Array(CHUNK);
  return {
    name: "gradient_value",
    score: gradientNorm({ D, n, seed }, (decisions) => {
      ofPolicy(decisions, own);
      if (own.subarray(0, decisions.count).some((value) => value !== 0)) return ofPolicy;
      if (!critic) {
        const message = "the policy gives no values and there is no critic; pass one";
        throw new MagicMaskError("unsupported", "masking/gradient", message);
      }
      return ({ observations, count }, out) => critic.values(observations, count, out);
    }),
  };
}

type Measure = (decisions: DecisionBatch, out: Float32Array) => void;

/**
 * ‖∇f(o)‖ of a function that can only be asked, by central differences along M directions u ~ N(0, I):
 *
 *   ‖∇f‖² = E[(∇f·u)²] ≈ (1/M) Σ_m [ (f(o + hu_m) − f(o − hu_m)) / 2h ]²,   h = .01
 *
 * in units of f per unit of the observation. The directions are the same for all decisions, so that chance does not reorder them. A
 * function that is flat but for jumps has no gradient: it scores 0 nearly everywhere.
 *
 * @param begin given up to `CHUNK` decisions, returns f for each of them moved in all directions, a decision's rows side by side
 */
function gradientNorm(
  { D, n, seed }: { readonly D: number; readonly n: number; readonly seed: number },
  begin: (decisions: Decisions) => Measure,
): Explainer["score"] {
  const draw = stream(seed, "directions");
  // u_m for even rows, −u_m for the odd ones behind them.
  const directions = new Float32Array(MOVES * D);
  for (let m = 0; m < MOVES; m += 2) {
    for (let i = 0; i < D; i++) {
      directions[m * D + i] = draw.normal();
      directions[(m + 1) * D + i] = -directions[m * D + i];
    }
  }
  const values = new Float32Array(CHUNK * MOVES);
  const moved = movedRows(D, n);
  return (decisions, criticality, spread) => {
    for (let from = 0; from < decisions.count; from += CHUNK) {
      const part = slice(decisions, from, Math.min(CHUNK, decisions.count - from), D, n);
      begin(part)(moved(part, directions), values);
      for (let row = 0; row < part.count; row++) {
        let sum = 0;
        for (let m = row * MOVES; m < (row + 1) * MOVES; m += 2) {
          const slope = (values[m] - values[m + 1]) / (2 * STEP);
          sum += slope * slope;
        }
        criticality[from + row] = Math.sqrt((2 * sum) / MOVES);
      }
    }
    spread.fill(Number.NaN, 0, decisions.count);
  };
}

/** Every decision `MOVES` times, its observation moved by `STEP` along each direction; in place of what it returned before. */
function movedRows(D: number, n: number) {
  const rows = CHUNK * MOVES;
  const observations = new Float32Array(rows * D);
  const legal = new Uint8Array(rows * n);
  const [starts, counts] = [new Int32Array(rows), new Int32Array(rows)];
  return (decisions: DecisionBatch, directions: Float32Array): DecisionBatch => {
    const { count, candidates } = decisions;
    for (let row = 0; row < count; row++) {
      for (let m = 0; m < MOVES; m++) {
        const to = row * MOVES + m;
        for (let i = 0; i < D; i++) {
          observations[to * D + i] = decisions.observations[row * D + i] + STEP * directions[m * D + i];
        }
        for (let a = 0; a < n; a++) legal[to * n + a] = decisions.legal[row * n + a];
        if (!candidates) continue;
        starts[to] = candidates.starts[row];
        counts[to] = candidates.counts[row];
      }
    }
    return {
      count: count * MOVES,
      observations,
      legal,
      ...(candidates && { candidates: { features: candidates.features, starts, counts } }),
    };
  };
}

/** `count` decisions from `from` on, as views. */
function slice(decisions: Decisions, from: number, count: number, D: number, n: number): Decisions {
  const rows = <T extends Float32Array | Uint8Array>(column: T, width: number) =>
    column.subarray(from * width, (from + count) * width) as T;
  const { agent, candidates } = decisions;
  return {
    agent,
    count,
    observations: rows(decisions.observations, D),
    legal: rows(decisions.legal, n),
    policy: rows(decisions.policy, n),
    perturbation: rows(decisions.perturbation, n),
    ...(candidates && {
      candidates: {
        features: candidates.features,
        starts: candidates.starts.subarray(from, from + count),
        counts: candidates.counts.subarray(from, from + count),
      },
    }),
  };
}

/** Rows per decision: 2M, M = 16, both ways along each direction. */
export const MOVES = 32;
/** Decisions per forward pass, `MOVES` rows of it each: few decisions come at a time, and a pass has its price. */
const CHUNK = 16;
/** h: far above the rounding of float32, and small beside what observations differ by. */
const STEP = 0.01;
/** float32 softmaxes underflow to −∞; differences need finite numbers. */
const LOWEST = -100;
