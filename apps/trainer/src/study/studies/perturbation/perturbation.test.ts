import { expect, it } from "@jest/globals";
import { measure, type TruthSet } from "../../../compare/truth.ts";
import { createSignals } from "../../../work/signals.ts";
import type { Coordinates } from "../../study.ts";
import { plantedSubject } from "../../test-subject.ts";
import { perturbation } from "./perturbation.ts";

const NAMES = ["uniform", "frozen_peer", "second_choice", "adversary"];

it("blinds each arm's agents by its own ν for as many steps, and holds all against the same rollouts", async () => {
  const study = perturbation();
  const planted = await plantedSubject(1);
  const { config } = planted.frozen;
  const frozen = { ...planted.frozen, config: { ...config, posthoc: { ...config.posthoc, epochs: 20 } } };
  const sizes = { states: 60, truth: { pilot: 2, rollouts: 4, batches: 1, reliability: 0.9 } };
  const truths: TruthSet[] = [];
  for (const agent of frozen.policies.keys()) {
    truths.push((await measure({ states: "dev", sizes }, agent, frozen, createSignals())) as TruthSet);
  }
  const subject = { ...planted, frozen, truths, companion: frozen };
  const made = async (names: readonly string[]) => {
    const trials: Coordinates[] = names.map((name) => ({
      environment: "planted_v0",
      seed: 1,
      budget: 1600,
      perturbation: name,
    }));
    const found = [];
    for await (const { steps, figures } of study.run(trials, subject)) found.push({ steps, ...figures.agents[0] });
    return found;
  };
  const [even, peer, second, adversary] = await made(NAMES);
  for (const { steps } of [even, peer, second, adversary]) expect(steps).toBe(1600);
  expect(even.own).toEqual(even.uniform);
  // Many decisions of this world are alike, and share the last places of the top tenth.
  expect(even.overlap).toBeGreaterThan(0.3);
  expect(even.own.auroc).toBeGreaterThan(0.7);
  // The peer is the policy itself: nothing is at stake.
  expect([peer.loss, peer.own.auroc]).toEqual([0, null]);
  // It was found out, by two fifths of the steps, what does harm.
  expect(adversary.loss).toBeGreaterThan(even.loss);
  const [again] = await made(["adversary"]);
  expect(again).toEqual(adversary);
});
