import { expect, it } from "@jest/globals";
import { smallSubject } from "../study/studies/common/small-subject.ts";
import { planOf } from "../study/studies/main/main.ts";
import { makeCells, readCell } from "./cells.ts";
import { cellsOf } from "./plan.ts";

it("asks a critic that learned from play where policies from elsewhere give no V", async () => {
  const subject = await smallSubject(1);
  const { frozen, truths, place } = subject;
  const plan = planOf(subject, ["gradient_value"], 400);
  const cells = cellsOf(plan).filter(({ policy, explainer }) => policy === 0 && explainer.name === "gradient_value");
  // The planted world's best policy is a table: it knows no V.
  const given = { ...frozen, config: { ...frozen.config, policies: { all: { file: "model.onnx" } } } };
  expect(await makeCells(plan, cells, given, truths, place.cache, place.signals)).toBe(true);
  const { cost, agents } = readCell(cells[0], place.cache) ?? {};
  expect(cost?.steps).toBe(400);
  for (const { auroc } of agents ?? []) expect(auroc).toBeGreaterThan(0);
});
