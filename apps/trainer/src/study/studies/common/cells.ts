import { pathOfCell } from "../../../compare/cells.ts";
import { cellsOf, type Plan, planComparison } from "../../../compare/plan.ts";
import type { Config } from "../../../config.ts";
import type { Place, Subject } from "../../study.ts";

/** Shares of drop curves. */
export const SHARES = [0.1];

/** A comparison's plan for these explainers of a subject's world, one budget and the headline share. */
export const planOf = ({ frozen, place }: Subject, explainers: readonly string[], budget: number): Plan =>
  planCells(frozen.config, place, explainers, budget);

/** Files of the cache, relative to it, that keep an explainer's cell of one policy. @param config of the policy */
export function pathsOfCells(
  config: Config,
  place: Pick<Place, "subjects">,
  explainer: string,
  budget: number,
): string[] {
  const { policies } = place.subjects;
  const isAsked = (policy: number, name: string) => policies[policy].config.seed === config.seed && name === explainer;
  return cellsOf(planCells(config, place, [explainer], budget))
    .filter((cell) => isAsked(cell.policy, cell.explainer.name))
    .map(pathOfCell);
}

function planCells(
  config: Config,
  { subjects: { policies, states, backend } }: Pick<Place, "subjects">,
  explainers: readonly string[],
  budget: number,
): Plan {
  return planComparison({ config, policies, states, backend, explainers, budgets: [budget], shares: SHARES });
}
