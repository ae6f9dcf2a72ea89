import { MagicMaskError } from "@magic-mask/core";
import { auroc } from "./auroc.ts";

export interface InterAgentFidelityOptions {
  /**
   * [N][N] entry [i][j]: agent i's scores of the states that j visited; null where the pair has no common features. The
   * diagonal is not read.
   */
  readonly scores: readonly (readonly (ArrayLike<number> | null)[])[];
  /** [N] entry j: true criticality of those states, for j. */
  readonly truths: readonly ArrayLike<number>[];
  /** [N] */
  readonly roles: readonly string[];
  /** Share of j's states, in (0, 1), that counts as truly critical. */
  readonly top?: number;
}

export interface InterAgentFidelity {
  /** [N][N] AUROC of i's scores for j's truly critical states; null on the diagonal and where there is none (n/a). */
  readonly matrix: readonly (readonly (number | null)[])[];
  /** Mean over ordered pairs; ½ = chance; NaN where there is no pair. */
  readonly mean: number;
  /** Means over the pairs of one role and over the others. */
  readonly sameRole: number;
  readonly crossRole: number;
  /** Ordered pairs left out as n/a: without common features, or with a constant truth. */
  readonly missing: number;
}

/**
 * `inter_agent_fidelity`: how well an agent's explanation knows what matters to another, as the AUROC of i's score for
 * j's true top states, over ordered pairs i ≠ j.
 *
 * @throws shape-mismatch, not-finite, invalid-option
 */
export function interAgentFidelity({
  scores,
  truths,
  roles,
  top = 0.1,
}: InterAgentFidelityOptions): InterAgentFidelity {
  const N = roles.length;
  if (truths.length !== N || scores.length !== N || scores.some((row) => row.length !== N)) {
    const came = `${scores.length} × [${scores.map((row) => row.length)}] scores and ${truths.length} truths`;
    throw new MagicMaskError(
      "shape-mismatch",
      "metrics/inter-agent-fidelity",
      `wanted ${N} × ${N} scores and ${N} truths, got ${came}`,
    );
  }
  const matrix = scores.map((row, i) =>
    row.map((score, j) => {
      if (i === j || score === null) return null;
      const area = auroc(score, truths[j], { top });
      return Number.isNaN(area) ? null : area;
    }),
  );
  const pairs = matrix.flatMap((row, i) =>
    row.flatMap((area, j) => (area === null ? [] : [{ area, same: roles[i] === roles[j] }])),
  );
  const mean = (chosen: typeof pairs) => chosen.reduce((sum, { area }) => sum + area, 0) / chosen.length;
  return {
    matrix,
    mean: mean(pairs),
    sameRole: mean(pairs.filter(({ same }) => same)),
    crossRole: mean(pairs.filter(({ same }) => !same)),
    missing: N * (N - 1) - pairs.length,
  };
}
