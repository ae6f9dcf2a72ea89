import { formatInterval, formatNumber } from "../terminal/table.ts";
import type { AgentExplanation, EpisodeExplanation, Moment } from "./explanation.ts";

const MARKS = ["", "!", "!!", "!!!"] as const;

/** `p = 0.031`, `p < 0.001` */
const formatP = (p: number): string => (p < 0.001 ? "p < 0.001" : `p = ${Number(p.toPrecision(2))}`);

/** Whether a measured effect can be told from none, in words. */
export function verdictOf({ significant, size, effect }: Moment): string {
  const p = effect.adjusted === null ? "" : ` (${formatP(effect.adjusted)})`;
  if (!significant) return `not significant${p}`;
  if (effect.estimate < 0) return `significant${p}: the policy's own choice is the worse one`;
  return `significant${p}${size > 0 ? ` ${MARKS[size]}` : ""}`;
}

/** What withholding the policy at a moment costs, as a sentence. */
export function costOf({ method, scale }: EpisodeExplanation, { name }: AgentExplanation, moment: Moment): string {
  const act = method.perturbation === "uniform" ? "Randomising this step" : `Acting by ${method.perturbation} here`;
  const share = moment.share === null ? "" : `, ${shareOf(moment.share, scale)}`;
  return (
    `${act} costs ${name} ${formatInterval(moment.effect)} of return${share}; n = ${moment.effect.rollouts}, ${verdictOf(moment)}.` +
    ` ${estimatorOf(method)} estimated ${formatNumber(moment.estimate)}${moment.spread === null ? "" : ` ± ${formatNumber(moment.spread)}`}, m = ${formatNumber(moment.mask)}.`
  );
}

/** Whose estimates they are, as the subject of a sentence. */
function estimatorOf({ explainer }: EpisodeExplanation["method"]): string {
  if (explainer === "lookahead") return "Looking ahead";
  return explainer.endsWith("+lookahead") ? "The mask and a look ahead" : "The mask";
}

function shareOf(share: number, scale: EpisodeExplanation["scale"]): string {
  const hundredths = Number((100 * share).toPrecision(2));
  return scale === "win chance" ? `${hundredths} points of win chance` : `${hundredths} % of the ${scale}`;
}

/** What to say where nothing could be measured, or nothing that was is significant; null where something is, or nobody chose. */
export function lackOf({ agents, method, source }: EpisodeExplanation): string | null {
  if (!method.measurable) return `${UNMEASURED} The mask's highest estimates: ${agents.map(highestOf).join("; ")}.`;
  const moments = agents.flatMap((agent) => agent.moments);
  if (moments.length === 0 || moments.some(({ significant }) => significant)) return null;
  if (moments.every(({ effect: { low, high } }) => low === 0 && high === 0)) {
    return `No step mattered: at none of the ${moments.length} measured did any of ${method.rollouts} rollouts of any action end otherwise.`;
  }
  const more = source.command.replace(/ --rollouts \S+/, "");
  return (
    `No step is significant: of ${moments.length} measured, none can be told from no effect by ${method.rollouts} rollouts.` +
    ` Run 256 more rollouts? ${more} --rollouts ${method.rollouts + 256}`
  );
}

const UNMEASURED = "This world cannot be copied, so what a step costs cannot be measured.";
/** Estimates of an agent that a sentence names. */
const NAMED = 5;

function highestOf({ name, decisions }: AgentExplanation): string {
  const highest = [...decisions].sort((a, b) => b.estimate - a.estimate).slice(0, NAMED);
  return `${name} ${highest.map(({ step, estimate }) => `${formatNumber(estimate)} at step ${step}`).join(", ")}`;
}
