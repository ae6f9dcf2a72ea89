import type { EnvironmentSpec } from "@magic-mask/core";
import type { Config } from "./config.ts";
import { type Watch, warningInWords } from "./diagnostics/watch.ts";
import { steeredBy } from "./figures/influence.ts";
import { mean } from "./figures/means.ts";
import type { JointIteration } from "./joint.ts";
import type { MetricsLog } from "./run/metrics-log.ts";
import type { EventWriter } from "./run/tensorboard.ts";

/**
 * Writes one iteration to `metrics.jsonl` and TensorBoard under CleanRL's tags and ours. The x axis is environment steps over all
 * copies. `charts/episodic_return` and `losses/*` are those of the first agent and the first policy: nothing is summed over agents.
 *
 * @param players [N] which policy plays which agent: it goes by the name of its first
 * @param strength the first agent's win rate against random play when last probed; its return where nobody wins
 * @param watch looks at the figures; its warnings are written beside them
 * @returns what the progress line shows, and what is to be warned of
 */
export function logIteration(
  iteration: JointIteration,
  config: Config,
  spec: EnvironmentSpec,
  players: readonly number[],
  strength: number,
  metrics: MetricsLog,
  events: EventWriter,
  watch: Watch,
) {
  const { steps, episodes, statistics, rounds, seconds, learningRate, blinding, explanation } = iteration;
  const scalars: Record<string, number> = {
    "charts/SPS": (config.training.rolloutTicks * config.training.copies) / seconds.total,
    "charts/learning_rate": learningRate,
    "charts/episodic_length": mean(episodes.map((episode) => episode.length)),
    [spec.zeroSum ? "charts/win_rate_random" : "charts/return_random"]: strength,
    "charts/blinding": blinding.kind === "coin" ? blinding.probability : Number.NaN,
    "time/collect": seconds.collect,
    "time/update": seconds.update,
    "time/mask": seconds.mask,
    "time/remember": seconds.remember,
    "time/comm": seconds.comm,
    "time/heads": seconds.heads,
    "time/total": seconds.total,
    "comm/share_of_time": seconds.comm / seconds.total,
  };
  spec.agents.forEach((name, agent) => {
    const returns = episodes.filter((episode) => episode.learning[agent]).map((episode) => episode.returns[agent]);
    scalars[`agent/${name}/episodic_return`] = mean(returns);
    const round = rounds[agent];
    if (!round) return;
    scalars[`mask/${name}/critic_loss`] = round.criticLoss;
    scalars[`mask/${name}/loss`] = round.maskLoss;
    scalars[`mask/${name}/mean`] = round.mean;
    scalars[`mask/${name}/coverage`] = round.coverage;
    scalars[`kl/perturbation/${name}`] = round.perturbation;
  });
  scalars["charts/episodic_return"] = scalars[`agent/${spec.agents[0]}/episodic_return`];
  statistics.forEach((update, k) => {
    for (const [name, value] of Object.entries(update)) {
      scalars[`${k === 0 ? "losses" : `agent/${spec.agents[players.indexOf(k)]}/losses`}/${name}`] = value;
    }
  });
  // NaN where an iteration held nothing to learn from, as when everybody is always blinded.
  const kls = statistics.flatMap(({ approx_kl: kl }) => (kl === undefined ? [] : [kl]));
  scalars["kl/update"] = kls.length > 0 ? Math.max(...kls) : Number.NaN;
  scalars["system/memory_mib"] = process.memoryUsage.rss() / 2 ** 20;
  if (explanation && rounds.length > 0) {
    const { sharing, trusts, used } = explanation.memory;
    const N = spec.agents.length;
    Object.assign(scalars, sharing.statistics(steps));
    trusts.forEach(({ weights, evidence }, agent) => {
      spec.agents.forEach((peer, j) => {
        if (!Number.isNaN(evidence[j])) scalars[`trust/${spec.agents[agent]}/${peer}`] = weights[j];
      });
    });
    // No use of a peer's goes without a line: whose records this iteration's training of the heads went by, and so far whose networks
    // were averaged with one's own, and on whose account blinding was saved.
    const uses = {
      influence: used,
      averaged: sharing.counters.averaged,
      steered: steeredBy(explanation.memory, N),
    };
    for (const [use, amounts] of Object.entries(uses)) {
      amounts.forEach((amount, at) => {
        if (amount > 0) scalars[`${use}/${spec.agents[Math.floor(at / N)]}/${spec.agents[at % N]}`] = amount;
      });
    }
  }

  const warnings = watch.look({ steps, ...scalars });
  const told = warnings.length > 0 && { warnings: warnings.map(warningInWords).join("\n") };
  metrics.append({ steps, ...scalars, hash: iteration.hash, ...told });
  for (const [tag, value] of Object.entries(scalars)) if (!Number.isNaN(value)) events.scalar(tag, value, steps);
  for (const warning of warnings) events.text("diagnostics/warning", warningInWords(warning), steps);
  metrics.flush();
  events.flush();
  const shown: Record<string, number> = {
    return: scalars["charts/episodic_return"],
    [spec.zeroSum ? "win" : "against random"]: strength,
    KL: scalars["kl/update"],
    coverage: rounds[0]?.coverage ?? Number.NaN,
  };
  return { shown, kl: scalars["kl/update"], warnings };
}
