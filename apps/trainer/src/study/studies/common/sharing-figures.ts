import { areComparable, stackExplainers } from "@magic-mask/comm";
import type { Explainer } from "@magic-mask/core";
import { auroc, interAgentFidelity } from "@magic-mask/metrics";
import { orNull } from "../../../figures/means.ts";
import { scoresOf } from "../../../figures/scores.ts";
import type { Memory } from "../../../memory.ts";
import { type Replay, type Telling, tell } from "../../replay.ts";
import type { Measured, Subject } from "../../study.ts";

/** What is measured of one way in which agents tell each other of their decisions. */
export interface SharingFigures {
  /** AUROC of the agent's true top 10 % by its own mask, by its record head, and by both with equal weights. */
  readonly agents: readonly {
    readonly agent: string;
    readonly own: number | null;
    readonly head: number | null;
    readonly stacked: number | null;
  }[];
  /** Inter-agent fidelity: over all ordered pairs, those of one role, and those of two. */
  readonly fidelity: {
    readonly all: number | null;
    readonly sameRole: number | null;
    readonly crossRole: number | null;
  };
  /** [i][j] how well agent i explains agent j. */
  readonly matrix: readonly (readonly (number | null)[])[];
  /** Bytes that an agent hands to the channel per 1,000 environment steps. */
  readonly bytes: number;
  /** Share of messages that reached their recipients by the end. */
  readonly delivery: number | null;
  /** Records that an agent has from its peers in the end. */
  readonly received: number;
  /** Mean ticks from the making of peers' records to their arrival, and to the end, when heads learn from them. */
  readonly age: { readonly onArrival: number | null; readonly atUse: number | null };
  /** Share of perturbations in states that peers had settled already. */
  readonly redundancy: number | null;
}

/** Lets agents tell each other and judges what they then know. @param replay what arms share @param onBroadcast as in `tell` */
export async function measureTelling(
  replay: Replay,
  telling: Telling,
  truths: Subject["truths"],
  onBroadcast?: Parameters<typeof tell>[2],
): Promise<{ readonly measured: Measured<SharingFigures>; readonly memory: Memory }> {
  const begun = performance.now();
  const { memory, now } = await tell(replay, telling, onBroadcast);
  const looked = performance.now();
  const { frozen, explainers, coin } = replay;
  const figures = figuresOf({ frozen, explainers, steps: coin.steps, memory, now }, truths);
  const seconds = {
    shared: replay.seconds,
    learning: (looked - begun) / 1000,
    judging: (performance.now() - looked) / 1000,
  };
  return { measured: { steps: replay.coin.steps, figures, seconds }, memory };
}

/** What agents have come to know, each of its own decisions and of its peers'. */
interface Knowledge extends Pick<Replay, "frozen" | "explainers"> {
  readonly memory: Memory;
  /** Environment steps that it comes from. */
  readonly steps: number;
  /** Collector tick. */
  readonly now: number;
}

export function figuresOf(
  { frozen, explainers, steps, memory: { heads, sharing, buffers }, now }: Knowledge,
  truths: Subject["truths"],
): SharingFigures {
  const { spec } = frozen.world;
  const N = spec.agents.length;
  const agents = spec.agents.map((agent, i) => {
    const { states, truth } = truths[i];
    const stacked = stackExplainers({ explainers: [explainers[i], heads[i]], reference: states.decisions });
    const area = (explainer: Explainer) => orNull(auroc(scoresOf(explainer, states).scores, truth.criticality));
    return { agent, own: area(explainers[i]), head: area(heads[i]), stacked: area(stacked) };
  });
  const { matrix, mean, sameRole, crossRole } = interAgentFidelity({
    scores: heads.map((head, i) =>
      truths.map(({ states }, j) => (i === j || !areComparable(spec, i, j) ? null : scoresOf(head, states).scores)),
    ),
    truths: truths.map(({ truth }) => truth.criticality),
    roles: spec.roles,
  });
  const statistics = sharing.statistics(steps);
  let held = 0;
  let aged = 0;
  for (const [agent, { rows }] of buffers.entries()) {
    for (let row = 0; row < rows.length; row++) {
      if (rows.agents[row] === agent) continue;
      held += rows.counts[row];
      aged += rows.counts[row] * (now - rows.steps[row]);
    }
  }
  return {
    agents,
    fidelity: { all: orNull(mean), sameRole: orNull(sameRole), crossRole: orNull(crossRole) },
    matrix,
    bytes: statistics["comm/bytes_per_1000_steps"],
    delivery: orNull(statistics["comm/delivery_rate"]),
    received: sharing.counters.received.reduce((sum, count) => sum + count, 0) / N,
    age: { onArrival: orNull(statistics["comm/age"]), atUse: orNull(aged / held) },
    redundancy: orNull(statistics["comm/redundancy"]),
  };
}
