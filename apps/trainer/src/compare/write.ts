import { join } from "node:path";
import { describeOrigin } from "../host.ts";
import type { CriticalMoment } from "../report/moments.ts";
import { writeOwnPage } from "../report/report.ts";
import { writeFileAtomic } from "../run/atomic.ts";
import { formatCount, formatDuration } from "../terminal/progress.ts";
import { formatInterval, formatNumber, formatTable, markdownTable } from "../terminal/table.ts";
import { toJson } from "../to-json.ts";
import type { Comparison } from "./compare.ts";
import { headlineShare, type PolicySource } from "./plan.ts";
import { plotsOf } from "./plots.ts";
import { type Difference, isOver } from "./summary.ts";
import { tableOf } from "./table.ts";

/** `compare.json` for programs, `README.md`, pictures and a page for people. @throws io */
export async function writeComparison(
  out: string,
  comparison: Comparison,
  moments: readonly CriticalMoment[],
): Promise<void> {
  const pictures = plotsOf(comparison);
  for (const { name, svg } of pictures) await writeFileAtomic(join(out, name), svg);
  const names = pictures.map(({ name }) => name);
  await writeFileAtomic(join(out, "README.md"), formatMarkdown(comparison, names));
  await writeFileAtomic(join(out, "compare.json"), toJson(comparison));
  await writeOwnPage({ kind: "comparison", path: out, comparison, moments });
}

/** The comparison as text for a terminal. */
export function formatComparison(comparison: Comparison): string {
  const { plan, summary, sentence } = comparison;
  const tables = plan.budgets.map((budget) => {
    const { header, body } = tableOf(summary.rows, budget);
    const title = `${formatCount(budget)} environment steps per explainer`;
    return [title, formatTable(body, header), ...notesOf(comparison, budget)].join("\n");
  });
  const found = [DISCOVERY, formatTable(discoveriesOf(comparison), ["criticality by", ...labelsOf(comparison)])].join(
    "\n",
  );
  return [
    headOf(comparison),
    "",
    ...[...tables, found].flatMap((table) => [table, ""]),
    ...costsOf(comparison),
    "",
    sentence,
  ].join("\n");
}

function formatMarkdown(comparison: Comparison, pictures: readonly string[]): string {
  const { plan, summary, sentence, machine } = comparison;
  return [
    `# ${plan.environment.id}: explainers against ground truth`,
    "",
    sentence,
    "",
    headOf(comparison),
    "",
    ...plan.budgets.flatMap((budget) => {
      const { header, body } = tableOf(summary.rows, budget);
      return [
        `## ${formatCount(budget)} environment steps per explainer`,
        "",
        ...markdownTable(header, body),
        "",
        ...notesOf(comparison, budget).flatMap((line) => [line, ""]),
      ];
    }),
    ...pictures.map((name) => `![${name}](${name})`),
    "",
    "## Discovery",
    "",
    DISCOVERY,
    "",
    ...markdownTable(["criticality by", ...labelsOf(comparison)], discoveriesOf(comparison)),
    "",
    "## Paired differences",
    "",
    "Per policy, then 95 % t-intervals over policies. *Above* and *below*: the interval lies on one side of 0.",
    "",
    ...markdownTable(
      ["steps", "figure", "explainer", "against", "difference", ""],
      [...summary.differences, ...summary.standing.filter((each) => !isListed(each, summary.differences))].map(
        (each) => [
          formatCount(each.budget),
          each.metric,
          each.explainer,
          each.reference,
          each.interval ?? "n/a",
          each.verdict,
        ],
      ),
    ),
    "",
    "## Cost",
    "",
    ...costsOf(comparison),
    "",
    describeOrigin({ ...comparison, backends: [machine.backend] }),
    "",
  ].join("\n");
}

const DISCOVERY =
  "Environment steps from which on AUROC stays above .8, per policy, among the budgets that were tried:";

const labelsOf = ({ plan }: Comparison) => plan.policies.map(({ label }) => `policy ${label}`);

const discoveriesOf = ({ summary }: Comparison): string[][] =>
  summary.discoveries.map(({ explainer, steps }) => [
    explainer,
    ...steps.map((found) => (found === null ? "not reached" : found === 0 ? "no steps needed" : formatCount(found))),
  ]);

const isListed = (one: Difference, all: readonly Difference[]) =>
  all.some(
    ({ budget, metric, explainer, reference }) =>
      budget === one.budget && metric === one.metric && explainer === one.explainer && reference === one.reference,
  );

function headOf({ plan, truth }: Comparison): string {
  const { policies, agents, states, sizes } = plan;
  const known = truth.flatMap(({ reliability }) => (reliability === null ? [] : [reliability]));
  const reliability = known.length > 0 ? `${formatNumber(Math.min(...known))} at the least` : "unknown";
  return (
    `${policies.length} policies (${policies.map(({ label }) => label).join(", ")}), ${agents.length === 1 ? "1 agent" : `${agents.length} agents`}; ` +
    `${sizes.states} ${states} states of each, by error-driven rollouts, ${formatNumber(Math.max(...truth.map(({ batches }) => batches)) * sizes.truth.rollouts)} per legal action at most, split-half reliability ${reliability}. ` +
    `Each figure is the mean over agents, then over policies, with its 95 % t-interval over policies; ` +
    `AUROC and NDCG are of the true top 10 %, a drop is the loss of return as a share of its range when so many of one agent's decisions are made at random. ` +
    `In 90 %: share of truths in the explainer's 90 % intervals, which should be that. ` +
    `StateMask's score is better the lower it is; its floor is that of replays with nothing blinded, and nothing above the floor is the window's doing. It is n/a where no return changed.`
  );
}

/** A line for each explainer whose figures are means over initialisations. */
const initialisationsOf = ({ summary, plan }: Comparison, budget: number): string[] =>
  summary.rows.flatMap(({ explainer, budget: own, initialisations }) => {
    if (own !== budget || !initialisations) return [];
    const count = plan.explainers.find(({ name }) => name === explainer)?.initialisations;
    return [
      `${explainer}: AUROC@10 ${formatInterval(initialisations)} over ${count} initialisations, policies and agents averaged`,
    ];
  });

/** What one must know to read a budget's table. */
const notesOf = (comparison: Comparison, budget: number): string[] => [
  ...initialisationsOf(comparison, budget),
  ...missedOf(comparison, budget),
  ...overspentOf(comparison, budget),
];

/** Which rows took more steps than the table's title says. */
function overspentOf({ summary }: Comparison, budget: number): string[] {
  const over = summary.rows.filter((row) => row.budget === budget && isOver(row));
  if (over.length === 0) return [];
  const rows = over.map(({ explainer, steps }) => `${explainer} (${formatCount(steps)})`);
  return [`Took more than these steps, as less would not have been enough to say anything: ${rows.join(", ")}.`];
}

/** By how much the share that is blinded may miss the one aimed at, before it is said. */
const TOLERANCE = 0.005;

/** Which drops of the table are not of the share that its header says. */
function missedOf({ plan, cells }: Comparison, budget: number): string[] {
  const share = headlineShare(plan.sizes.shares);
  const missed = cells.flatMap((own, policy) =>
    own
      .filter((cell) => cell.budget === budget || cell.budget === 0)
      .flatMap(({ explainer, agents }) =>
        agents.flatMap(({ agent, drops }) =>
          drops
            .filter((point) => point.share === share && Math.abs(point.budget - share) > TOLERANCE)
            .map(({ order, budget: blinded }) => {
              const who = plan.agents.length > 1 ? `, ${agent}` : "";
              const lowest = order === "bottom" ? ", lowest" : "";
              return `${explainer} (policy ${plan.policies[policy].label}${who}${lowest}) ${formatNumber(100 * blinded)} %`;
            }),
        ),
      ),
  );
  if (missed.length === 0) return [];
  return [
    `Not ${formatNumber(100 * share)} % but another share was blinded, as no gate was found that comes nearer, of: ${missed.join("; ")}. Read these drops against that.`,
  ];
}

function costsOf({ plan, training, truth, cells, looks }: Comparison): string[] {
  const trained = training.flatMap((cost) => (cost ? [cost] : []));
  const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0);
  const lines = [
    ...(trained.length > 0
      ? [
          `policies, apart from budgets: ${formatCount(trained[0].steps)} steps each, ${formatDuration(sum(trained.map((cost) => cost.wallSeconds)) / trained.length)} each`,
        ]
      : [`policies were given: ${plan.policies.map(originOf).join("; ")}`]),
    `truth, seen by no explainer: ${formatCount(sum(truth.map(({ decisions }) => decisions)))} simulated decisions in ${formatDuration(sum(truth.map(({ wallSeconds }) => wallSeconds)))} of one core`,
    `explainers: ${formatDuration(sum(cells.flat().map(({ cost }) => cost.wallSeconds)))} of learning (what several share counted for each), ${formatDuration(sum(cells.flat().map(({ cost }) => cost.judgingWallSeconds)))} of judging`,
    ...(looks
      ? [`commands that have looked at these policies' test states so far, as this cache knows: ${looks}`]
      : []),
  ];
  return lines.flatMap((line) => [`${line}.`, ""]).slice(0, -1);
}

/** Whence a given policy comes, as its run tells. */
function originOf({ label, config, origin }: PolicySource): string {
  if (!origin) return label;
  const { steps, commit, trajectoryHash } = origin;
  return `${label}: seed ${config.seed}, ${formatCount(steps)} steps by commit ${commit ?? "unknown"}, trajectory hash ${trajectoryHash}`;
}
