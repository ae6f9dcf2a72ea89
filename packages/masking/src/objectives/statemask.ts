import { checkRange } from "@magic-mask/core";
import { createMaskPpo, type MaskNetOptions } from "./mask-ppo.ts";
import type { MaskObjective } from "./objective.ts";

export interface StatemaskOptions extends MaskNetOptions {
  /** α > 0, what a blinded decision is paid, in units of the root mean square of the one-step advantage δ. */
  readonly bonus?: number;
}

/**
 * StateMask (Cheng et al., NeurIPS 2023): a mask that blinds as much as it can without harm to the return, trained by PPO. Its
 * lasso form pays a constant α for each blinded decision:
 *
 *   maximise E[ Σ_t γ^t·(δ_t/σ + α·z_t) ]
 *
 * Criticality is P(keep). As in its code, the lasso is weighed against advantages of a standard size and not in the game's units.
 * Unlike there: the mask also sees what the policy makes of the state, which ranks better, and δ stands for r (`createMaskPpo`).
 */
export function statemask({ bonus = 0.1, ...options }: StatemaskOptions = {}): MaskObjective {
  checkRange("masking/statemask", "bonus", bonus, Number.MIN_VALUE);
  return {
    name: "statemask",
    blinding: "mask",
    create: (context) => createMaskPpo(context, { ...options, name: "statemask", bonus, adapt: (alpha) => alpha }),
  };
}

export interface StatemaskLagrangianOptions extends MaskNetOptions {
  /** ε > 0, what a decision may cost on average while the mask decides, in that unit. */
  readonly tolerance?: number;
}

/**
 * StateMask with a constraint in the place of a weight: blind as much as possible while the return stays within ε of that of
 * the policy that is not blinded. By the performance difference lemma (Kakade & Langford 2002) the loss is −E[Σ δ], so
 *
 *   maximise E[ mean_t z_t ]  subject to  −E[ mean_t δ_t/σ ] ≤ ε
 *
 * λ = 1/α is the multiplier. After each rollout it takes a step of dual ascent on its logarithm, which keeps it positive:
 *
 *   ln α ← ln α − ½·clip(−E[δ]/(σε) − 1, −1, 1)
 *
 * The paper's own constraint, that blinding must not raise the return, never binds where the policy is any good.
 */
export function statemaskLagrangian({ tolerance = 0.05, ...options }: StatemaskLagrangianOptions = {}): MaskObjective {
  checkRange("masking/statemask_lagrangian", "tolerance", tolerance, Number.MIN_VALUE);
  return {
    name: "statemask_lagrangian",
    blinding: "mask",
    create: (context) =>
      createMaskPpo(context, {
        ...options,
        name: "statemask_lagrangian",
        bonus: 0.1,
        adapt(alpha, { loss }) {
          const excess = Math.min(1, Math.max(-1, loss / tolerance - 1));
          return Math.min(MOST, Math.max(1 / MOST, alpha * Math.exp(-excess / 2)));
        },
      }),
  };
}

/** α stays in [1/MOST, MOST]. */
const MOST = 100;
