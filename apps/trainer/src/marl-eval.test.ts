import { expect, it } from "@jest/globals";
import { z } from "zod";
import { marlEvalOf } from "./marl-eval.ts";
import type { Scores } from "./study/study.ts";

const run = (
  environment: string,
  arm: string,
  seed: number,
  steps: number,
  auroc: number | null,
): Scores["runs"][number] => ({
  environment,
  arm,
  seed,
  steps,
  values: { auroc, fidelity: environment === "w2" ? null : 0.5 },
});
const scores: Scores = {
  metrics: ["auroc", "fidelity"].map((name) => ({ name, title: name, oneScale: true })),
  runs: ["w1", "w2"].flatMap((world) =>
    ["a", "b"].flatMap((arm) => [1, 2].flatMap((seed) => [20, 10].map((at) => run(world, arm, seed, at, at / 100)))),
  ),
};

/** As its README has it: a run holds steps with counts and lists of figures, and at last the absolute metrics. */
const metrics = z.record(z.string(), z.array(z.number()).min(1));
const aRun = z
  .object({ absolute_metrics: metrics })
  .catchall(z.object({ step_count: z.number().int() }).catchall(z.array(z.number()).min(1)));
const schema = z.record(z.string(), z.record(z.string(), z.record(z.string(), z.record(z.string(), aRun))));

it("has the layout that marl-eval reads", () => {
  const { raw, without } = marlEvalOf("suite", scores) ?? {};
  expect(without).toEqual(["metrics fidelity"]);
  expect(schema.parse(raw)).toEqual(raw);
  // Fidelity is undefined in one world, so it is left out of all.
  expect(raw?.suite.w1.a.seed_1).toEqual({
    step_0: { step_count: 10, auroc: [0.1] },
    step_1: { step_count: 20, auroc: [0.2] },
    absolute_metrics: { auroc: [0.2] },
  });
  expect([Object.keys(raw?.suite ?? {}), Object.keys(raw?.suite.w2 ?? {})]).toEqual([
    ["w1", "w2"],
    ["a", "b"],
  ]);
});

it("leaves out seeds that some arm lacks, and is nothing where nothing is left", () => {
  const lacking = scores.runs.filter(
    ({ environment, arm, seed }) => !(environment === "w2" && arm === "b" && seed === 1),
  );
  expect(Object.keys(marlEvalOf("suite", { ...scores, runs: lacking })?.raw.suite.w1.a ?? {})).toEqual(["seed_2"]);
  // An arm without any seed in some world has no figure there.
  const first = lacking.filter(({ seed }) => seed === 1);
  expect(marlEvalOf("suite", { ...scores, runs: first })?.without).toEqual(["arms b", "metrics fidelity"]);
  // One that failed is as one that is not there; so is an arm that failed everywhere.
  const nothing = { auroc: null, fidelity: null };
  const failed = scores.runs.map((each) =>
    each.environment === "w2" && each.arm === "b" && each.seed === 1 ? { ...each, values: nothing } : each,
  );
  const none = scores.runs.filter(({ arm }) => arm === "a").map((each) => ({ ...each, arm: "c", values: nothing }));
  const left = marlEvalOf("suite", { ...scores, runs: [...failed, ...none] });
  expect(left?.raw).toEqual(marlEvalOf("suite", { ...scores, runs: lacking })?.raw);
  expect(left?.without).toEqual(["arms c", "metrics fidelity", "seeds 1"]);
  const unknown = scores.runs.map((each) => ({ ...each, values: { auroc: null, fidelity: null } }));
  expect(marlEvalOf("suite", { ...scores, runs: unknown })).toBeUndefined();
});

it("leaves out an arm that has no figure in some world rather than the figures of all others", () => {
  const own = { auroc: 0.5, fidelity: 0.5 };
  const runs = ["w1", "w2"].flatMap((world) =>
    ["a", "b", "alone"].flatMap((arm) =>
      [1, 2].map((seed) => {
        const values = arm === "alone" && world === "w2" ? { auroc: null, fidelity: 0.5 } : own;
        return { ...run(world, arm, seed, 10, 0), values };
      }),
    ),
  );
  // Two figures of two arms are four, one of three arms is three.
  const { raw, without } = marlEvalOf("suite", { ...scores, runs }) ?? {};
  expect(without).toEqual(["arms alone"]);
  expect(raw?.suite.w2.b.seed_2.absolute_metrics).toEqual({ auroc: [0.5], fidelity: [0.5] });
});
