import {
  type ActionSpace,
  distributionOf,
  type Explainer,
  ILLEGAL,
  MagicMaskError,
  type Perturbation,
  type Policy,
  requireChoices,
  stream,
} from "@magic-mask/core";

/** Which decisions are blinded: those scored above `threshold`, and at it the share `ties` ∈ [0, 1]. */
export interface Gate {
  readonly threshold: number;
  readonly ties: number;
}

export interface GatedPolicyOptions {
  readonly agent: number;
  /** The agent's action space. */
  readonly space: ActionSpace;
  /** D, numbers in its observation. */
  readonly observation: number;
  /** ν */
  readonly perturbation: Perturbation;
  readonly explainer: Explainer;
  readonly gate: Gate;
}

export interface GatedPolicy extends Policy {
  /** Scores of the decisions met since it was made; forced moves are none. */
  readonly scores: readonly number[];
  /** How many of them were blinded; a tied one counts as the share of it that was. */
  blinded(): number;
}

/**
 * A policy that is blinded where an explainer says that much is at stake: the row is ν's where the score is above the
 * threshold and π's below. At the threshold it is (1 − ties)·π + ties·ν, which plays exactly as if a coin of that rate
 * chose between the two, so the policy stays deterministic and equal scores everywhere give a random choice of
 * decisions. Over a box, where such a mixture is no normal distribution, the coin of a tied decision is a hash of its observation:
 * the row is wholly π's or ν's.
 *
 * @throws unsupported for actions in several parts; not-finite, from `evaluate`, for a score that is NaN
 */
export function gatedPolicy(
  policy: Policy,
  { agent, space, observation: D, perturbation, explainer, gate }: GatedPolicyOptions,
): GatedPolicy {
  const isBox = space.kind === "box";
  const A = isBox ? distributionOf(space).width : requireChoices("metrics/gated-policy", space);
  const coin = stream(0);
  const scores: number[] = [];
  let blinded = 0;
  let withheld = new Float32Array(0);
  let criticality = new Float32Array(0);
  let spread = new Float32Array(0);

  return {
    scores,
    blinded: () => blinded,
    evaluate(batch, parameters, values) {
      const { count, legal } = batch;
      if (count > criticality.length) {
        withheld = new Float32Array(count * A);
        criticality = new Float32Array(count);
        spread = new Float32Array(count);
      }
      policy.evaluate(batch, parameters, values);
      perturbation.evaluate(batch, parameters, withheld);
      explainer.score({ ...batch, agent, policy: parameters, perturbation: withheld }, criticality, spread);
      for (let row = 0; row < count; row++) {
        if (!isBox && countLegal(legal, row * A, A) < 2) continue;
        const score = criticality[row];
        if (Number.isNaN(score)) {
          throw new MagicMaskError(
            "not-finite",
            "metrics/gated-policy",
            `${explainer.name} scored a decision NaN; it must give a number`,
          );
        }
        let rate = score > gate.threshold ? 1 : score === gate.threshold ? gate.ties : 0;
        if (isBox && rate > 0 && rate < 1) {
          coin.rekey("tied", ...batch.observations.subarray(row * D, (row + 1) * D));
          rate = coin.uniform() < rate ? 1 : 0;
        }
        scores.push(score);
        blinded += rate;
        if (rate > 0) mix(parameters, withheld, row * A, (row + 1) * A, rate);
      }
    },
  };
}

function countLegal(legal: Uint8Array, from: number, n: number): number {
  let choices = 0;
  for (let at = from; at < from + n; at++) choices += legal[at];
  return choices;
}

/** ln((1 − rate)·e^π + rate·e^ν) into `policy`, entry by entry. */
function mix(policy: Float32Array, perturbation: Float32Array, from: number, to: number, rate: number): void {
  for (let at = from; at < to; at++) {
    const mixed = Math.log((1 - rate) * Math.exp(policy[at]) + rate * Math.exp(perturbation[at]));
    policy[at] = rate === 1 ? perturbation[at] : Math.max(mixed, ILLEGAL);
  }
}
