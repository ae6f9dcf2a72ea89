import { MagicMaskError } from "@magic-mask/core";
import type { Coordinates, Measured } from "./study.ts";

/** A trial with what it has learned from. */
export type Spent = Pick<Measured<unknown>, "steps"> & { readonly at: Coordinates };

/**
 * Arms are compared at equal budgets or not at all.
 *
 * @param group trials that differ along the arms alone; those that learn nothing count for any budget
 * @throws invalid-option
 */
export function requireEqualBudgets(group: readonly Spent[]): void {
  const [first, ...others] = group.filter(({ steps }) => steps > 0);
  const odd = others.find(({ steps }) => steps !== first.steps);
  if (!odd) return;
  const told = ({ at, steps }: Spent) => `${Object.values(at).join(" ")} learned from ${steps} steps`;
  throw new MagicMaskError(
    "invalid-option",
    "trainer/study",
    `arms must have equal budgets: ${told(first)}, ${told(odd)}; correct the study's run, and raise its version if trials are kept of it`,
  );
}
