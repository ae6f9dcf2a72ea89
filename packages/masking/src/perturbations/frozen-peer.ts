import { MagicMaskError, type Perturbation, type Policy } from "@magic-mask/core";

/**
 * ν = another policy over the same spaces, which does not learn: another agent's, or an earlier one's. What it costs to be
 * replaced by that player for one decision.
 *
 * @throws invalid-option without a peer
 */
export function frozenPeer(peer: Policy | undefined): Perturbation {
  if (!peer) {
    const message = "needs a policy to act in the agent's place; name the run that it comes from";
    throw new MagicMaskError("invalid-option", "masking/frozen-peer", message);
  }
  let values = new Float32Array(0);
  return {
    name: "frozen_peer",
    evaluate(batch, _policy, out) {
      if (values.length < batch.count) values = new Float32Array(batch.count);
      peer.evaluate(batch, out, values);
    },
  };
}
