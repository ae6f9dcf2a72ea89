import { checkPaired } from "./checks.ts";
import { ascending } from "./ranks.ts";
import { topCount, topMembership } from "./top-share.ts";

export interface AurocOptions {
  /** Share of the states, in (0, 1), that counts as truly critical: those of highest truth. */
  readonly top?: number;
}

/**
 * Area under the ROC curve (Hanley & McNeil 1982): the chance that a truly critical state is scored above another, an
 * equal score counting ½. With w the membership in the true top and 1 − w that in the rest,
 *
 *   AUROC = Σ_ij w_i (1 − w_j) ([s_i > s_j] + ½ [s_i = s_j]) / Σ_ij w_i (1 − w_j)
 *
 * States tied at the cut of the truth share membership, which gives exactly the mean over all ways to break the ties.
 *
 * @param scores [n] higher = more critical
 * @param truth [n] criticality
 * @returns in [0, 1], ½ = chance (also what constant scores get); NaN where the truth is constant and nothing is
 * critical
 * @throws shape-mismatch if the lengths differ or are 0; not-finite; invalid-option
 */
export function auroc(scores: ArrayLike<number>, truth: ArrayLike<number>, { top = 0.1 }: AurocOptions = {}): number {
  checkPaired("metrics/auroc", scores, truth);
  const n = truth.length;
  const positives = topCount("metrics/auroc", n, top);
  if (Array.prototype.every.call(truth, (value) => value === truth[0])) return Number.NaN;
  const member = topMembership(truth, positives);
  const order = ascending(scores);
  let area = 0;
  let below = 0;
  for (let from = 0, to = 0; from < n; from = to) {
    let inside = 0;
    let outside = 0;
    while (to < n && scores[order[to]] === scores[order[from]]) {
      inside += member[order[to]];
      outside += 1 - member[order[to++]];
    }
    area += inside * (below + outside / 2);
    below += outside;
  }
  return area / (positives * (n - positives));
}
