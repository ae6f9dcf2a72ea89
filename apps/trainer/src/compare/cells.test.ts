import { expect, it } from "@jest/globals";
import type { Config } from "../config.ts";
import { planOf } from "../study/studies/common/cells.ts";
import { smallSubject } from "../study/studies/common/small-subject.ts";
import { makeCells, readCell } from "./cells.ts";
import { cellsOf } from "./plan.ts";

it("asks a critic that learned from play where policies from elsewhere give no V", async () => {
  const subject = await smallSubject(1);
  const { frozen, truths, place } = subject;
  const cellOf = (files: Config["policies"], budget: number) => {
    const plan = planOf(subject, ["gradient_value"], budget);
    const policies = plan.policies.map((source) => ({ ...source, config: { ...source.config, policies: files } }));
    const given = { ...plan, policies };
    const [cell] = cellsOf(given).filter(
      ({ policy, explainer }) => policy === 0 && explainer.name === "gradient_value",
    );
    return { plan: given, cell };
  };
  const model = { all: { file: "model.onnx" } };
  const { plan, cell } = cellOf(model, 400);
  // The planted world's best policy is a table: it knows no V.
  expect(await makeCells(plan, [cell], frozen, truths, place.cache, place.signals)).toBe(true);
  const { cost, agents } = readCell(cell, place.cache) ?? {};
  expect(cost?.steps).toBe(400);
  for (const { auroc } of agents ?? []) expect(auroc).toBeGreaterThan(0);
  // V of more steps is another; whose policy knows V plays none.
  expect(cellOf(model, 800).cell.address).not.toBe(cell.address);
  expect([cellOf({}, 400).cell.steps, cellOf({}, 800).cell.address]).toEqual([0, cellOf({}, 400).cell.address]);
});

it("looks ahead by its budget and no more, and has V of a critic, for half of it, where policies give none", async () => {
  const subject = await smallSubject(1);
  const { frozen, truths, place } = subject;
  const looked = async (files: Config["policies"], budget: number, name = "lookahead") => {
    const plan = planOf(subject, [name], budget);
    const policies = plan.policies.map((source) => ({ ...source, config: { ...source.config, policies: files } }));
    const given = { ...plan, policies };
    const cells = cellsOf(given).filter(({ policy, explainer }) => policy === 0 && explainer.name === name);
    expect(cells.map(({ budget: own, played }) => [own, played])).toEqual([[budget, true]]);
    expect(await makeCells(given, cells, frozen, truths, place.cache, place.signals)).toBe(true);
    return { steps: cells[0].steps, ...readCell(cells[0], place.cache) };
  };
  // The planted world pays at once, so that one decision ahead is truth.
  const own = await looked({}, 20_000);
  expect(own.steps).toBe(0);
  expect(own.cost?.steps).toBeGreaterThan(0);
  expect(own.cost?.steps).toBeLessThanOrEqual(20_000);
  for (const { auroc, drops, statemask } of own.agents ?? []) {
    expect(auroc).toBeGreaterThan(0.85);
    expect(statemask).toBeNull();
    expect(drops.map(({ order, share }) => [order, share])).toEqual([["top", 0.1]]);
    expect(drops[0].drop).toBeGreaterThan(0);
  }
  // With a mask of half of the steps, which has the same say.
  const shared = await looked({}, 20_000, "mask+lookahead");
  expect(shared.steps).toBe(10_000);
  expect(shared.cost?.steps).toBeGreaterThan(10_000);
  expect(shared.cost?.steps).toBeLessThanOrEqual(20_000);
  for (const [i, { auroc }] of (shared.agents ?? []).entries()) {
    expect(auroc).toBeGreaterThan(0.85);
    expect(auroc).not.toBe(own.agents?.[i].auroc);
  }
  const elsewhere = await looked({ all: { file: "model.onnx" } }, 20_000);
  expect(elsewhere.steps).toBe(10_000);
  expect(elsewhere.cost?.steps).toBeGreaterThan(10_000);
  expect(elsewhere.cost?.steps).toBeLessThanOrEqual(20_000);
  for (const { auroc } of elsewhere.agents ?? []) expect(auroc).toBeGreaterThan(0.85);
});
