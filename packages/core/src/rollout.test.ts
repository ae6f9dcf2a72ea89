import { expect, it } from "@jest/globals";
import { CONTINUES, completeRows, createRollout, LAST_LOOK, OPEN, TERMINATED, TRUNCATED } from "./rollout.ts";
import { gatherers } from "./testing/planted/gatherers.ts";
import { workshop } from "./testing/planted/workshop.ts";

it("createRollout makes room for an agent's own spaces, in slots of the world's width", () => {
  // The builder: 1 observation, 2 + 3 mask entries, slots of 2.
  const rollout = createRollout(workshop(), 0, 5, 10);
  expect(rollout.widths).toEqual({ observation: 1, legal: 5, parameters: 5, action: 2 });
  expect(rollout.length).toBe(0);
  expect(rollout.observations).toHaveLength(10);
  expect(rollout.legal).toHaveLength(50);
  expect(rollout.policy).toHaveLength(50);
  expect(rollout.perturbation).toHaveLength(50);
  expect(rollout.actions).toHaveLength(20);
  const columns = [
    "values",
    "logProbs",
    "blinded",
    "blindProbability",
    "rewards",
    "disturbed",
    "ended",
    "next",
  ] as const;
  for (const name of columns) expect(rollout[name]).toHaveLength(10);
  for (const name of ["agents", "copies", "episodes", "ticks"] as const) expect(rollout[name]).toHaveLength(10);
  // The driver: no mask.
  expect(createRollout(workshop(), 1, 2, 10).widths).toEqual({ observation: 1, legal: 0, parameters: 2, action: 2 });
});

it("completeRows are decisions that have ended, of one agent or of all", () => {
  const rollout = createRollout(gatherers(), 0, 3, 8);
  //           row:   0          1          2          3         4     5          6 (not in use)
  rollout.ended.set([CONTINUES, TERMINATED, TRUNCATED, LAST_LOOK, OPEN, CONTINUES, CONTINUES]);
  rollout.agents.set([0, 1, 1, 1, 0, 1, 0]);
  rollout.length = 6;
  expect([...completeRows(rollout)]).toEqual([0, 1, 2, 5]);
  expect([...completeRows(rollout, 0)]).toEqual([0]);
  expect([...completeRows(rollout, 1)]).toEqual([1, 2, 5]);
  rollout.length = 0;
  expect(completeRows(rollout)).toHaveLength(0);
});
