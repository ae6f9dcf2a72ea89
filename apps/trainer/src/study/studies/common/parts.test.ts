import { expect, it } from "@jest/globals";
import type { Coordinates } from "../../study.ts";
import { components } from "../components/components.ts";
import { threshold } from "../threshold/threshold.ts";
import { figuresOf, smallSubject } from "./small-subject.ts";

const at = (how: Coordinates): Coordinates => ({ environment: "planted_v0", seed: 1, budget: 400, steps: 192, ...how });

it("τ moves the gate of a mask that learns from a coin, and nothing else", async () => {
  const study = threshold();
  const subject = await smallSubject(1);
  const trials = [0.1, 0.5, 0.9].map((τ) => at({ part: "posthoc", objective: "advantage", threshold: τ }));
  const found = await figuresOf(study, trials, subject);
  const of = found.map(({ figures }) => figures.posthoc);
  expect(of[1]?.agents).toEqual(of[0]?.agents);
  // The mask is a rank, so the gate blinds about the share τ of what is met without it; blinding changes what is met.
  const [few, half, most] = of.map((each) => each?.gate.blinded as number);
  expect(few).toBeLessThan(half - 0.1);
  expect(half).toBeLessThan(most - 0.1);
  expect(of[2]?.gate.drop).toBeGreaterThan(of[0]?.gate.drop as number);
  const [one, other] = await figuresOf(
    study,
    [0.1, 0.9].map((τ) => at({ part: "joint", objective: "advantage", threshold: τ })),
    subject,
  );
  expect(other).toEqual(one);
});

it("τ is what masks that decide are pulled to", async () => {
  const trials = [0.1, 0.9].map((τ) => at({ part: "posthoc", objective: "paper", threshold: τ }));
  const [low, high] = await figuresOf(threshold(), trials, await smallSubject(1));
  expect(high.figures).not.toEqual(low.figures);
  expect([low.steps, high.steps]).toEqual([400, 400]);
});

it("variants learn from as many steps, and nothing is made of those that do not exist", async () => {
  const study = components();
  const names = study.axes("default").variant as string[];
  const found = await figuresOf(
    study,
    names.map((variant) => at({ part: "posthoc", variant })),
    await smallSubject(1),
  );
  const byName = new Map(names.map((name, i) => [name, found[i]]));
  expect([...byName].filter(([, { steps }]) => steps === 0).map(([name]) => name)).toEqual(["constant_blinding"]);
  expect(new Set(found.map(({ figures }) => JSON.stringify(figures.posthoc))).size).toBe(names.length);
  for (const { steps } of found) expect([0, 400]).toContain(steps);
  // One net tells no spread, so nothing of its intervals.
  expect(byName.get("single_net")?.figures.posthoc?.agents[0].calibration).toBeNull();
  expect(byName.get("default")?.figures.posthoc?.agents[0].calibration).not.toBeNull();
});

it("leaves out what would be the default's policies, trained together", async () => {
  const names = ["default", "unbalanced", "constant_blinding", "ppo_mask", "ppo_mask_no_kl"];
  const found = await figuresOf(
    components(),
    names.map((variant) => at({ part: "joint", variant })),
    await smallSubject(1),
  );
  expect(found.map(({ steps }) => steps)).toEqual([192, 0, 192, 192, 192]);
  const figures = found.map(({ figures: { joint } }) => JSON.stringify(joint));
  expect(new Set(figures).size).toBe(5);
});
