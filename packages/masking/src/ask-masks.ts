import { type Decisions, MagicMaskError } from "@magic-mask/core";
import type { MaskLearner } from "./objectives/objective.ts";

/**
 * Blinding by the masks themselves, each asked about its own agent's decisions.
 *
 * @param masks [N] one per agent
 * @returns a function that writes [B] the probability with which the agent is to be blinded
 * @throws unsupported if a mask learns from a coin and decides nothing
 */
export function askMasks(masks: readonly MaskLearner[]) {
  const deciding = masks.map(({ blind, explainer }) => {
    if (blind) return blind;
    const message = `${explainer.name} learns from a coin's blinding and decides none itself`;
    throw new MagicMaskError("unsupported", "masking/ask-masks", message);
  });
  return (decisions: Decisions, probability: Float32Array) => deciding[decisions.agent](decisions, probability);
}
