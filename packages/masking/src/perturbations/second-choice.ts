import { type ActionSpace, ILLEGAL, MagicMaskError, type Perturbation } from "@magic-mask/core";

/**
 * ν = the policy's most probable alternative: its best legal action is forbidden, and of the others the best is taken; equals share the
 * probability, so that a policy that is certain leaves the others alike. Over several parts the best joint alternative: one part's
 * second choice, where the second is least behind the first, and the other parts' best. Where one action is legal, that one.
 *
 * The in-distribution control: blinding never leads to an action that the policy itself holds improbable while a better one is left, which is
 * what random actions are criticised for (arXiv:2410.02970). That is why ν is not the renormalised rest, which keeps the improbable
 * tail and is not defined where the policy is certain.
 *
 * @throws unsupported for a box: a density has no second choice; `policyNoise` is near the policy there
 */
export function secondChoice(space: ActionSpace): Perturbation {
  if (space.kind === "box") {
    const message = "a density over a box has no second choice; use policy_noise, which stays near the policy";
    throw new MagicMaskError("unsupported", "masking/second-choice", message);
  }
  const parts = space.kind === "multi-discrete" ? space.nvec : [space.kind === "candidates" ? space.max : space.n];
  const width = parts.reduce((sum, n) => sum + n, 0);
  return {
    name: "second_choice",
    evaluate({ legal, count }, policy, out) {
      for (let row = 0; row < count; row++) {
        let least = Number.POSITIVE_INFINITY;
        let changed = -1;
        for (let k = 0, at = row * width; k < parts.length; at += parts[k++]) {
          const best = bestOf(legal, policy, at, at + parts[k], -1);
          const second = bestOf(legal, policy, at, at + parts[k], best);
          if (second < 0 || policy[best] - policy[second] >= least) continue;
          least = policy[best] - policy[second];
          changed = k;
        }
        for (let k = 0, at = row * width; k < parts.length; at += parts[k++]) {
          const end = at + parts[k];
          const best = bestOf(legal, policy, at, end, -1);
          out.fill(ILLEGAL, at, end);
          if (k !== changed) out[best] = 0;
          else share(legal, policy, at, end, best, out);
        }
      }
    },
  };
}

/** The legal entry of the highest probability but for `except`, of equals the first; −1 where there is none. */
function bestOf(legal: Uint8Array, policy: Float32Array, from: number, to: number, except: number): number {
  let best = -1;
  for (let a = from; a < to; a++) if (legal[a] && a !== except && (best < 0 || policy[a] > policy[best])) best = a;
  return best;
}

/** Shares all probability among the best alternatives to `best`. */
function share(
  legal: Uint8Array,
  policy: Float32Array,
  from: number,
  to: number,
  best: number,
  out: Float32Array,
): void {
  const second = bestOf(legal, policy, from, to, best);
  let equals = 0;
  for (let a = from; a < to; a++) if (legal[a] && a !== best && policy[a] === policy[second]) equals++;
  for (let a = from; a < to; a++)
    if (legal[a] && a !== best && policy[a] === policy[second]) out[a] = -Math.log(equals);
}
