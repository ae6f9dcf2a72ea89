import { checkRange, type Decisions } from "@magic-mask/core";
import type { MaskLearner } from "./objectives/objective.ts";

/**
 * Acting by the mask: at m ≤ τ the perturbation acts, else the policy does.
 *
 * @param masks [N] one per agent
 * @param threshold τ in [0, 1]
 * @returns a function that writes [B] 1 = blinded
 */
export function maskGate(masks: readonly MaskLearner[], threshold: number) {
  checkRange("masking/gate", "threshold", threshold, 0, 1);
  let values = new Float32Array(0);
  return (decisions: Decisions, blinded: Uint8Array) => {
    if (values.length < decisions.count) values = new Float32Array(decisions.count);
    masks[decisions.agent].mask(decisions, values);
    for (let row = 0; row < decisions.count; row++) blinded[row] = values[row] <= threshold ? 1 : 0;
  };
}
