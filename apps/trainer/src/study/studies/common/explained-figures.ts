import type { AgentFigures } from "../../../compare/cells.ts";
import { meanOrNull } from "./figures.ts";

/** What is known of an explanation of frozen policies: [N]. */
export interface Agents {
  readonly agents: readonly AgentFigures[];
}

/** Mean over agents; null where one's is undefined. */
const over =
  (of: (agent: AgentFigures) => number | null) =>
  ({ agents }: Agents): number | null =>
    meanOrNull(agents.map(of));

const dropAt = (order: "top" | "bottom", key: "drop" | "budget") =>
  over(({ drops }) => drops.find((point) => point.order === order)?.[key] ?? null);

/** Figures of an explanation, by what tables call them. Drops are shares of the return range. */
export const explained = {
  auroc: over(({ auroc }) => auroc),
  spearman: over(({ spearman }) => spearman),
  ndcg: over(({ ndcg }) => ndcg),
  calibration: over(({ calibration }) => calibration),
  drop: dropAt("top", "drop"),
  blinded: dropAt("top", "budget"),
  lowest: dropAt("bottom", "drop"),
  window: over(({ statemask }) => statemask?.window ?? null),
  floor: over(({ statemask }) => statemask?.floor ?? null),
};

/** A figure of explanations in studies that have other parts, too; null in those. */
export const ofFrozen =
  (figure: (agents: Agents) => number | null) =>
  ({ posthoc }: { readonly posthoc: Agents | null }): number | null =>
    posthoc && figure(posthoc);
