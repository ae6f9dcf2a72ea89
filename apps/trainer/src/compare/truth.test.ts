import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { parseConfig, resolveConfig } from "../config.ts";
import { loadCheckpoint, saveCheckpoint } from "../run/checkpoint.ts";
import { askToStop, createSignals } from "../work/signals.ts";
import { planSubjects, trainedPolicy, truthsOf } from "./plan.ts";
import { freshTeam } from "./policies.ts";
import { hasTruth, loadTruth, makeTruth, pathOfParts } from "./truth.ts";

let cache: string;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), "truth-"));
});
afterEach(() => rmSync(cache, { recursive: true, force: true }));

const config = resolveConfig({
  overrides: [
    "environment.id=planted_v0",
    "backend=fused",
    "checkpointSeconds=0",
    // Three slices in the pilot, and three in the batch behind it.
    "evaluation.states=60",
    "evaluation.pilotRollouts=2",
    "evaluation.rollouts=4",
    "evaluation.batches=1",
  ],
});
const policies = [1, 2].map((seed) => trainedPolicy(parseConfig({ ...config, seed }), "fused"));
const subjects = planSubjects({ config, policies, states: "dev", backend: "fused" });
const [planned] = truthsOf(subjects);

it("goes on where it was stopped, or killed, to the same figures", async () => {
  const team = await freshTeam(policies[0].config);
  const make = (signals = createSignals()) => makeTruth(subjects, planned, team, cache, signals);
  expect(await make()).toBe(true);
  const straight = await loadTruth(planned, cache);
  rmSync(join(cache, "truth"), { recursive: true });

  const stopped = createSignals();
  askToStop(stopped);
  expect(await make(stopped)).toBe(false);
  const parts = join(cache, pathOfParts(planned));
  expect(await hasTruth(planned, cache)).toBe(false);
  const saved = (await loadCheckpoint(parts)).tree as { slices: { decisions: number }[]; seconds: number };
  expect(saved.slices).toHaveLength(1);
  // What is there is taken as it is: a mark on it comes through to the end.
  saved.slices[0].decisions += 1_000_000;
  await saveCheckpoint(parts, 1, saved);

  expect(await make()).toBe(true);
  const { truth, states } = await loadTruth(planned, cache);
  expect(states).toEqual(straight.states);
  const marked = straight.truth.pilotDecisions + 1_000_000;
  expect(truth).toEqual({ ...straight.truth, pilotDecisions: marked });
  expect(existsSync(parts)).toBe(false);
});
