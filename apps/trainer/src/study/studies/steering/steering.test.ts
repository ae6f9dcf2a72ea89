import { expect, it } from "@jest/globals";
import type { Coordinates } from "../../study.ts";
import { plantedSubject } from "../../test-subject.ts";
import { steering } from "./steering.ts";

it("spares the more perturbations the stronger it is, of as many steps", async () => {
  const trials: Coordinates[] = [0, 0.5, 1].map((steer) => ({
    environment: "planted_v0",
    seed: 1,
    budget: 2000,
    steer,
  }));
  const found = [];
  const subject = await plantedSubject(1);
  // Three rounds and more, so that there is something to steer by.
  const training = { ...subject.frozen.config.training, rolloutTicks: 40 };
  const posthoc = { ...subject.frozen.config.posthoc, epochs: 5 };
  const frozen = { ...subject.frozen, config: { ...subject.frozen.config, training, posthoc } };
  for await (const { figures, steps } of steering().run(trials, { ...subject, frozen })) found.push({ figures, steps });
  const [none, half, all] = found.map(({ figures }) => figures);
  // 2,000 steps are 125 ticks in 16 copies. Of an agent's decisions a coin blinds one half.
  expect(found.map(({ steps }) => steps)).toEqual([2000, 2000, 2000]);
  // Each of the three decides at a third of the steps, and half of that is blinded: 1,000 / 3 / 2 = 167, sd about 6.
  expect(Math.abs(none.perturbed - 167)).toBeLessThan(20);
  expect(none.perturbed).toBeGreaterThan(half.perturbed);
  expect(half.perturbed).toBeGreaterThan(all.perturbed);
  expect(all.perturbed).toBeGreaterThan(0);
  expect(none.redundancy as number).toBeGreaterThan(all.redundancy as number);
}, 60_000);
