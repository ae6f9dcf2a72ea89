import { formatInterval, formatNumber } from "../terminal/table.ts";
import type { AgentExplanation, EpisodeExplanation, Moment } from "./explanation.ts";
import { costOf, lackOf, verdictOf } from "./words.ts";

/** The report: every list, and every moment in full, as GitHub shows it. */
export function formatMarkdown(explanation: EpisodeExplanation): string {
  const { title, agents, method, source, scale } = explanation;
  const lack = lackOf(explanation);
  return `${[
    `# ${escaped(title)}`,
    table(
      ["agent", "return", "outcome", `decisions`, "measured"],
      agents.map(({ name, return: G, outcome, decisions, moments }) => [
        name,
        formatNumber(G),
        outcome ?? "",
        `${decisions.length}`,
        `${moments.length}`,
      ]),
    ),
    `Estimates by \`${method.explainer}\`; ± is how far its nets or continuations differ, one standard deviation, not how far all of them are off. A cost is what the agent loses by acting by \`${method.perturbation}\` at that one step, measured by ` +
      `${method.rollouts} fresh rollouts per action after the step was picked, with a ${100 * method.level} % interval; p is corrected over the list ` +
      `(Benjamini–Hochberg). Marks: ! !! !!! for at least 0.1, 0.2, 0.3 of the ${scale}. Returns from the step on, γ = ${method.discount} per decision.`,
    ...(lack ? [`> ${escaped(lack)}`] : []),
    ...agents.filter(({ moments }) => moments.length > 0).map((agent) => section(explanation, agent)),
    "---",
    [
      `Run \`${source.run}\`, seed ${source.seed}, episode seed ${source.episodeSeed}` +
        (source.hash === null ? "" : `, trajectory hash \`${source.hash}\``),
      `Environment \`${source.environment.id}\` \`${JSON.stringify(source.environment.options)}\``,
      `Made by \`${source.command}\``,
    ]
      .map((line) => `- ${line}`)
      .join("\n"),
  ].join("\n\n")}\n`;
}

function section(explanation: EpisodeExplanation, agent: AgentExplanation): string {
  const { name, moments, baseline } = agent;
  return [
    `## ${escaped(name)}`,
    table(
      ["rank", "step", "took", "estimate", "mask", "measured cost", ""],
      moments.map((moment) => [
        `${moment.rank}`,
        `${moment.step}`,
        moment.alternatives.find(({ taken }) => taken)?.label ?? "",
        formatNumber(moment.estimate) + (moment.spread === null ? "" : ` ± ${formatNumber(moment.spread)}`),
        formatNumber(moment.mask),
        formatInterval(moment.effect),
        verdictOf(moment),
      ]),
    ),
    `${baseline.moments.length} decisions picked at random cost ${baseline.effect ? formatInterval(baseline.effect) : "n/a"} on average ` +
      `(steps ${baseline.moments.map(({ step }) => step).join(", ")}).`,
    ...moments.map((moment) => inFull(explanation, agent, moment)),
  ].join("\n\n");
}

function inFull(explanation: EpisodeExplanation, agent: AgentExplanation, moment: Moment): string {
  return [
    `### ${escaped(agent.name)}, step ${moment.step}`,
    `\`\`\`text\n${moment.board.trimEnd()}\n\`\`\``,
    escaped(costOf(explanation, agent, moment)),
    table(
      ["action", "policy", explanation.method.perturbation, "mean return after it"],
      moment.alternatives.map((each) => [
        each.taken ? `**${escaped(each.label)}** (taken)` : escaped(each.label),
        each.probability === null ? "" : formatNumber(each.probability),
        each.perturbation === null ? "" : formatNumber(each.perturbation),
        formatInterval(each),
      ]),
      (cell) => cell,
    ),
  ].join("\n\n");
}

function table(header: readonly string[], rows: readonly (readonly string[])[], cell = escaped): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map((row) => line(row.map(cell)))].join("\n");
}

/** Words that Markdown would take for marks. */
const escaped = (text: string) => text.replace(/[\\`*_|<>[\]]/g, "\\$&");
