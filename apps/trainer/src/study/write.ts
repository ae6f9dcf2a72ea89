import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describeOrigin } from "../host.ts";
import { type MarlEvalBlock, marlEvalOf } from "../marl-eval.ts";
import { writeFileAtomic } from "../run/atomic.ts";
import { makeFolder } from "../run/folder.ts";
import { formatDuration } from "../terminal/progress.ts";
import { formatInterval, formatTable, markdownTable } from "../terminal/table.ts";
import { toJson } from "../to-json.ts";
import type { Cost } from "./cost.ts";
import type { StudyResults } from "./results.ts";
import { formatFailures } from "./status.ts";
import type { Report } from "./study.ts";

/** `study.json` and `marl-eval.json` for programs, `README.md` and pictures for people. @throws io */
export async function writeStudy(out: string, results: StudyResults): Promise<void> {
  const { pictures, scores } = results.report;
  makeFolder("trainer/study-write", out);
  for (const { name, svg } of pictures) await writeFileAtomic(join(out, name), svg);
  const block = scores && marlEvalOf(results.study.id, scores);
  await writeFileAtomic(join(out, "README.md"), formatMarkdown(results, block));
  // Megabytes, for programs alone: on one line it is half of that.
  await writeFileAtomic(join(out, "study.json"), `${JSON.stringify(plain(results))}\n`);
  const file = join(out, "marl-eval.json");
  if (block) await writeFileAtomic(file, toJson(block.raw));
  // One of an earlier time would be taken for this study's.
  else await rm(file, { force: true });
}

/** Without what lies beside it. */
export const plain = ({ report: { pictures, ...report }, ...results }: StudyResults) => ({
  ...results,
  report: { ...report, pictures: pictures.map(({ name }) => name) },
});

/** The results as text for a terminal. */
export function formatStudy({ study, report, failures, ledger }: StudyResults): string {
  const { tables, judgements, sentences } = report;
  return [
    study.question,
    "",
    ...tables.flatMap(({ title, note, header, body }) => [
      title,
      ...(note ? [note] : []),
      formatTable(body, header),
      "",
    ]),
    `The paper: ${study.claim}.`,
    ...judgements.map(
      ({ where, verdict, figure, measured, why }) =>
        `  ${where}: ${verdict} (${figure} ${measured ? formatInterval(measured) : "n/a"}; ${why})`,
    ),
    "",
    ...sentences,
    ...standingOf(report),
    "",
    ...ledgerOf(ledger),
    ...(failures.length > 0 ? ["", `failures: ${failures.length}`, ...formatFailures(failures)] : []),
  ].join("\n");
}

function formatMarkdown(results: StudyResults, block: MarlEvalBlock | undefined): string {
  const { study, size, plan, report, failures, ledger, machine } = results;
  const quick = size === "quick" ? ["**Small sizes, to try it: not for conclusions.**", ""] : [];
  const axes = Object.entries(plan.axes).map(([axis, values]) => `${axis} ${values.join(", ")}`);
  return [
    `# ${study.id}`,
    "",
    study.question,
    "",
    ...quick,
    ...[...report.sentences, ...standingOf(report)].map((sentence) => `- ${sentence}`),
    "",
    "## Against the paper",
    "",
    `The paper (arXiv:2510.00274): ${study.claim}.`,
    "",
    ...claimsOf(report),
    ...report.tables.flatMap(({ title, note, header, body }) => [
      `## ${title}`,
      "",
      ...(note ? [note, ""] : []),
      ...markdownTable(header, body),
      "",
    ]),
    ...report.pictures.map(({ name }) => `![${name}](${name})`),
    "",
    "## How it was made",
    "",
    `${axes.join("; ")}. Means over agents, then over seeds, with 95 % t-intervals over seeds; differences are paired by seed. ${plan.worlds.map(({ environment, subjects }) => `${environment}: policies of ${subjects.policies[0].config.training.totalSteps} steps, ${subjects.sizes.states} ${subjects.states} states of each agent`).join("; ")}.`,
    "",
    ...ledgerOf(ledger).map((line) => `- ${line}`),
    ...(report.scores ? [`- ${marlEvalInWords(block)}`] : []),
    "",
    ...(failures.length > 0 ? ["## Failures", "", ...formatFailures(failures).map((line) => `-${line}`), ""] : []),
    describeOrigin({ ...results, backends: machine.backends }),
    "",
  ].join("\n");
}

/** The claims table, where there is anything to be held against them. */
function claimsOf({ judgements }: Report): string[] {
  if (judgements.length === 0) return [];
  const rows = judgements.map(({ where, figure, claim, measured, verdict, why }) => [
    ...[where, figure, claim],
    measured ?? "n/a",
    ...[verdict, why],
  ]);
  return [...markdownTable(["where", "figure", "the paper", "measured", "verdict", "why"], rows), ""];
}

/** What `marl-eval.json` holds. */
function marlEvalInWords(block: MarlEvalBlock | undefined): string {
  if (!block) return "`marl-eval.json`: none, as no arm has a figure in all worlds";
  const { without } = block;
  return `\`marl-eval.json\`: ${without.length === 0 ? "all figures, run by run" : `figures run by run, without ${without.join("; ")}: marl-eval wants the same of all, everywhere`}`;
}

/** How the paper's claim fares, in one sentence; none where it claims nothing that could be held against what was measured. */
function standingOf({ judgements }: Report): string[] {
  if (judgements.length === 0) return [];
  const counts = (["reproduced", "not reproduced", "not comparable"] as const).map(
    (verdict) => `${verdict} in ${judgements.filter((each) => each.verdict === verdict).length}`,
  );
  return [`The paper's claim, comparison by comparison (${judgements.length}): ${counts.join(", ")}.`];
}

const ledgerOf = ({ training, truth, learning, judging }: StudyResults["ledger"]): string[] => [
  `policies: ${formatDuration(training)} of training`,
  `truth, seen by no explainer: ${formatDuration(truth)}`,
  `trials: ${formatDuration(learning)} of playing and learning, ${formatDuration(judging)} of judging`,
];

/** What is ahead, in words. */
export function formatCost({ low, high, least, most, workers, spentLow, spentHigh }: Cost): string {
  const hours = (seconds: number) => (seconds / 3600).toPrecision(2);
  const range = (a: number, b: number) => (hours(a) === hours(b) ? hours(a) : `${hours(a)} to ${hours(b)}`);
  const kept = spentHigh > 0 ? `, of them ${range(spentLow, spentHigh)} done before` : "";
  return `${range(low, high)} core-hours in all${kept}; about ${formatDuration(least)} to ${formatDuration(most)} with ${workers} ${workers === 1 ? "process" : "processes"}`;
}
