import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Episode } from "@magic-mask/core";
import { diagnoseEvaluation } from "./diagnostics/limits.ts";
import { warningInWords } from "./diagnostics/watch.ts";
import type { Evaluation } from "./evaluate.ts";
import type { EpisodeExplanation } from "./explanation/explanation.ts";
import { formatMarkdown } from "./explanation/markdown.ts";
import { formatPage } from "./explanation/page.ts";
import { isGiven } from "./given.ts";
import type { LoadedRun } from "./load-run.ts";
import { writeFileAtomic } from "./run/atomic.ts";
import { makeFolder } from "./run/folder.ts";
import { createEventWriter } from "./run/tensorboard.ts";
import { formatEvaluation } from "./terminal/report.ts";
import { toJson } from "./to-json.ts";

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
  for (const { state, where, ...warning } of diagnoseEvaluation(record.id, evaluation, config.evaluation.budget)) {
    if (state === "warning") events.text("diagnostics/warning", `${where}: ${warningInWords(warning)}`, record.steps);
  }
  events.close();
}

/**
 * One explanation three times over: `game-<k>.json` for programs, `.md` for reports, `.html` to look at.
 *
 * @param to the folder, created if need be
 * @returns the path of the page
 * @throws io
 */
export async function writeExplanation(explanation: EpisodeExplanation, to: string): Promise<string> {
  makeFolder("trainer/write-results", to);
  const path = join(to, `game-${explanation.game}`);
  await writeFileAtomic(`${path}.json`, `${JSON.stringify(explanation)}\n`);
  await writeFileAtomic(`${path}.md`, formatMarkdown(explanation));
  await writeFileAtomic(`${path}.html`, formatPage(explanation));
  return `${path}.html`;
}

/** The whole game that an explanation is about. @throws io */
export async function writeEpisode({ folder, config }: LoadedRun, episode: Episode, game: number): Promise<void> {
  const columns = Object.entries(episode).map(([name, value]) => [
    name,
    ArrayBuffer.isView(value) ? Array.from(value as never) : value,
  ]);
  const replay = { environment: config.environment, ...Object.fromEntries(columns) };
  await writeFileAtomic(join(folder.resultsFolder("replays"), `game-${game}.json.gz`), gzipSync(toJson(replay)));
}

/** The layout that marl-eval reads: environment > task > algorithm > run > step. */
function marlEval({ record, config }: LoadedRun, { opponents }: Evaluation) {
  const figures = Object.fromEntries(
    opponents.map(({ metric, opponent, play, value }) => [`${metric}_${opponent}_${play}`, [value.estimate]]),
  );
  const seed = { step_0: { step_count: record.steps, ...figures }, absolute_metrics: figures };
  const algorithm = `${isGiven(config) ? "given" : "ppo"}+${config.mask.objective}+${config.sharing.mode}`;
  return { [record.environment]: { [config.opponents.kind]: { [algorithm]: { [`seed_${record.seed}`]: seed } } } };
}
