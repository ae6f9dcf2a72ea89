import { copyCandidates, copyRow, createCandidateStore, type Decisions, type Rollout } from "@magic-mask/core";

/** One agent's `rows` as decisions of their own, copied out of the rollout. */
export function selectDecisions(rollout: Rollout, rows: Int32Array, agent: number): Decisions {
  const { observation, legal, parameters, candidate } = rollout.widths;
  const listed = candidate !== undefined ? createCandidateStore(candidate, rows.length) : undefined;
  rows.forEach((row, i) => {
    if (listed && rollout.candidates) copyCandidates(rollout.candidates, row, listed, i);
  });
  const take = <T extends Float32Array | Uint8Array>(column: T, width: number, out: T) => {
    for (let i = 0; i < rows.length; i++) copyRow(column, rows[i], out, i, width);
    return out;
  };
  return {
    agent,
    count: rows.length,
    observations: take(rollout.observations, observation, new Float32Array(rows.length * observation)),
    legal: take(rollout.legal, legal, new Uint8Array(rows.length * legal)),
    ...(listed && { candidates: listed }),
    policy: take(rollout.policy, parameters, new Float32Array(rows.length * parameters)),
    perturbation: take(rollout.perturbation, parameters, new Float32Array(rows.length * parameters)),
  };
}
