import { expect, it } from "@jest/globals";
import type { EnvironmentSpec, Explainer } from "@magic-mask/core";
import type { States, Truth } from "@magic-mask/metrics";
import type { LoadedRun } from "../load-run.ts";
import { compareSharing } from "./sharing.ts";

const box = (shape: number[]) => ({ kind: "box", shape, low: -1, high: 1 });

it("asks nobody to judge an agent whose records say nothing to it", () => {
  // Two of one kind, and a third that sees and does other things.
  const spec = {
    agents: ["a", "b", "c"],
    commonFeatures: null,
    roles: ["scout", "scout", "tank"],
    observationSpaces: [box([2]), box([2]), box([5])],
    actionSpaces: [2, 2, 3].map((n) => ({ kind: "discrete", n })),
  } as unknown as EnvironmentSpec;
  const head = (own: number): Explainer => ({
    name: "record_head",
    score({ agent, count }, criticality) {
      if ((own === 2) !== (agent === 2)) throw new Error(`${own} was asked about ${agent}`);
      for (let s = 0; s < count; s++) criticality[s] = s;
    },
  });
  const memory = { heads: [0, 1, 2].map(head), sharing: { counters: { received: [0, 0, 0] } } };
  const run = { world: { spec }, postHoc: { explanation: { memory }, unshared: memory } } as unknown as LoadedRun;
  const states = [0, 1, 2].map((agent) => ({
    count: 20,
    episodes: Int32Array.from({ length: 20 }, (_, s) => s),
    decisions: { agent, count: 20 },
  })) as unknown as States[];
  const truths = states.map(() => ({
    criticality: Float64Array.from({ length: 20 }, (_, s) => s),
  })) as unknown as Truth[];
  const { matrix, shared, sameRole, crossRole } = compareSharing(run, states, truths, { draws: 100, seed: 1 });
  // They rank as the truth does, where they may.
  expect(matrix).toEqual([
    [null, 1, null],
    [1, null, null],
    [null, null, null],
  ]);
  expect([shared, sameRole, crossRole]).toEqual([1, 1, Number.NaN]);
});
