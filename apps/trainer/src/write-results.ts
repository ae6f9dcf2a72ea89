import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Episode } from "@magic-mask/core";
import type { Evaluation } from "./evaluate.ts";
import type { Moment } from "./explain.ts";
import type { LoadedRun } from "./load-run.ts";
import { writeFileAtomic } from "./run/atomic.ts";
import { createEventWriter } from "./run/tensorboard.ts";
import { formatEvaluation, formatMoment } from "./terminal/report.ts";

/** JSON has no NaN: it becomes null. */
export const toJson = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

/** `eval/` for programs and TensorBoard, `report/` for people, `marl-eval.json` for comparisons over seeds. @throws io */
export async function writeEvaluation(run: LoadedRun, evaluation: Evaluation): Promise<void> {
  const { folder, record, config } = run;
  const results = folder.resultsFolder("eval");
  // Figures to tune by never take the place of those to report.
  const suffix = evaluation.states === "dev" ? "-dev" : "";
  await writeFileAtomic(join(results, `table${suffix}.json`), toJson(evaluation));
  await writeFileAtomic(
    join(folder.resultsFolder("report"), `evaluation${suffix}.txt`),
    `${formatEvaluation(evaluation, record, config)}\n`,
  );
  if (evaluation.states === "dev") return;
  await writeFileAtomic(join(folder.path, "marl-eval.json"), toJson(marlEval(run, evaluation)));

  const events = createEventWriter(join(results, "events.out.tfevents.0.evaluation"));
  for (const { agent, explainer, auroc, ndcg, spearman } of evaluation.ranking) {
    events.scalar(`fidelity/${agent}/${explainer}/auroc`, auroc.estimate, record.steps);
    events.scalar(`fidelity/${agent}/${explainer}/ndcg`, ndcg.estimate, record.steps);
    events.scalar(`fidelity/${agent}/${explainer}/spearman`, spearman.estimate, record.steps);
  }
  for (const { agent, order, share, drop } of evaluation.drops) {
    if (share !== config.evaluation.budget) continue;
    events.scalar(`fidelity/${agent}/reward_drop/${order}`, drop.estimate, record.steps);
  }
  events.scalar("fidelity/inter_agent/shared", evaluation.fidelity.shared, record.steps);
  events.scalar("fidelity/inter_agent/unshared", evaluation.fidelity.unshared, record.steps);
  events.close();
}

/** The moment, and the whole game that it is from. @throws io */
export async function writeMoment({ folder, config }: LoadedRun, moment: Moment, episode: Episode): Promise<void> {
  await writeFileAtomic(join(folder.resultsFolder("eval"), `moment-${moment.game}.json`), toJson(moment));
  await writeFileAtomic(join(folder.resultsFolder("report"), `moment-${moment.game}.txt`), `${formatMoment(moment)}\n`);
  const columns = Object.entries(episode).map(([name, value]) => [
    name,
    ArrayBuffer.isView(value) ? Array.from(value as never) : value,
  ]);
  const replay = { environment: config.environment, ...Object.fromEntries(columns) };
  await writeFileAtomic(join(folder.resultsFolder("replays"), `game-${moment.game}.json.gz`), gzipSync(toJson(replay)));
}

/** The layout that marl-eval reads: environment > task > algorithm > run > step. */
function marlEval({ record, config }: LoadedRun, { opponents }: Evaluation) {
  const figures = Object.fromEntries(
    opponents.map(({ metric, opponent, play, value }) => [`${metric}_${opponent}_${play}`, [value.estimate]]),
  );
  const seed = { step_0: { step_count: record.steps, ...figures }, absolute_metrics: figures };
  const algorithm = `ppo+${config.mask.objective}+${config.sharing.mode}`;
  return { [record.environment]: { [config.opponents.kind]: { [algorithm]: { [`seed_${record.seed}`]: seed } } } };
}
