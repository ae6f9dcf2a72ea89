import { expect, it } from "@jest/globals";
import { ticksOf } from "../test-ticks.ts";
import type { Plan } from "./plan.ts";
import { plotsOf } from "./plots.ts";
import type { Figure, Row, Summary } from "./summary.ts";

/** Of two policies: wider than anything that there can be. */
const wide: Figure = { values: [0.3, 0.9], interval: { estimate: 0.6, low: -3.21, high: 4.41 } };
const row: Row = {
  explainer: "advantage",
  budget: 1000,
  auroc: wide,
  spearman: wide,
  ndcg: wide,
  calibration: wide,
  agents: [],
  drops: [
    { order: "top", share: 0.1, drop: wide, budget: { values: [], interval: { estimate: 0.1, low: 0.1, high: 0.1 } } },
  ],
  steps: 1000,
  wall: { learning: 0, judging: 0 },
};

it("draws an AUROC within what there can be, and drops as they are", () => {
  const plan = { environment: { id: "w" }, budgets: [1000], subject: "advantage" } as unknown as Plan;
  const plots = plotsOf({ plan, summary: { rows: [row] } as unknown as Summary });
  const svgOf = (wanted: string) => plots.find(({ name }) => name === wanted)?.svg as string;
  expect(ticksOf(svgOf("auroc-1000.svg"), "x")).toEqual(Array.from({ length: 11 }, (_, i) => i / 10));
  expect(ticksOf(svgOf("steps.svg"), "y")).toEqual(Array.from({ length: 11 }, (_, i) => i / 10));
  expect(Math.max(...ticksOf(svgOf("drops.svg"), "y"))).toBe(400);
});
