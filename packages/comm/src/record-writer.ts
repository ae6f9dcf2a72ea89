import { actionWidth, checkCount, distributionOf, type EnvironmentSpec, type Rollout } from "@magic-mask/core";
import { actionCode } from "./action-code.ts";
import { highestDensity } from "./densities.ts";
import { roleNumbers } from "./peers.ts";
import type { CriticalRecord } from "./record.ts";
import type { Signature } from "./signature.ts";

export interface RecordWriterOptions {
  readonly spec: EnvironmentSpec;
  readonly signature: Signature;
  /** C ≥ 1, copies of the world that the run's rollouts come from: episode e of copy c is named e·C + c. */
  readonly copies: number;
  /** Number of the rollouts' copy 0 among all of the run, where others are played elsewhere; a whole number ≥ 0. */
  readonly firstCopy?: number;
}

export interface RecordWriter {
  /**
   * Writes what is to be told of row `row` into `out`. Allocates nothing, so one record can serve all rows.
   *
   * @param value V(o), the agent's own
   * @param advantage y − V(o)
   * @param rank m(o) in [0, 1]
   * @param policyVersion updates that the policy had taken when it played the row
   * @throws not-finite as `Signature`
   */
  write(
    rollout: Rollout,
    row: number,
    value: number,
    advantage: number,
    rank: number,
    policyVersion: number,
    out: CriticalRecord,
  ): void;
}

/** Turns rows of rollouts into records. */
export function createRecordWriter({ spec, signature, copies, firstCopy = 0 }: RecordWriterOptions): RecordWriter {
  checkCount("comm/record-writer", "copies", copies);
  checkCount("comm/record-writer", "firstCopy", firstCopy, 0, copies - 1);
  const roles = roleNumbers(spec);
  const distributions = spec.actionSpaces.map(distributionOf);
  const codes = spec.actionSpaces.map(actionCode);
  const slots = spec.actionSpaces.map((space) => (space.kind === "box" ? new Float32Array(actionWidth(space)) : null));
  return {
    write(rollout, row, value, advantage, rank, policyVersion, out) {
      const { observation: D, parameters: P, action: W } = rollout.widths;
      const agent = rollout.agents[row];
      out.agent = agent;
      out.role = roles[agent];
      out.policyVersion = policyVersion;
      out.step = rollout.ticks[row];
      out.episode = rollout.episodes[row] * copies + firstCopy + rollout.copies[row];
      out.blinded = rollout.blinded[row] === 1;
      signature.write(agent, rollout.observations, row * D, rollout.policy, row * P, value, out.signature, 0);
      const distribution = distributions[agent];
      const slot = slots[agent];
      const highest = slot ? highestDensity(distribution, rollout.policy, rollout.perturbation, row * P, slot) : 0;
      out.action = codes[agent].encode(rollout.actions, row * W);
      out.logProb = rollout.logProbs[row] - highest;
      distribution.at(rollout.perturbation, row * P);
      out.perturbationLogProb = distribution.logProb(rollout.actions, row * W) - highest;
      out.blindProbability = rollout.blindProbability[row];
      out.advantage = advantage;
      out.rank = rank;
    },
  };
}
