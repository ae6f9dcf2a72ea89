import { describe, expect, it } from "@jest/globals";
import { parseConfig, resolveConfig } from "../../../config.ts";
import type { Coordinates } from "../../study.ts";
import { plantedSubject } from "../../test-subject.ts";
import { pairs, transfer } from "./transfer.ts";

const study = transfer();

describe("transfer", () => {
  it("knows as much in the same world as from scratch there, whatever masks look at", async () => {
    const planted = await plantedSubject(1);
    // Five passes are enough to see whether two masks are one.
    const config = { ...planted.frozen.config, posthoc: { ...planted.frozen.config.posthoc, epochs: 5 } };
    const frozen = { ...planted.frozen, config };
    const trials: Coordinates[] = ["policy", "full"].map((inputs) => ({
      environment: "pong_walls_v0:faster",
      seed: 1,
      budget: 1600,
      inputs,
    }));
    const found = [];
    for await (const each of study.run(trials, { ...planted, frozen, companion: frozen })) found.push(each);
    for (const { steps, figures } of found) {
      expect(steps).toBe(3200);
      for (const { zeroShot, scratch } of figures.agents) expect(zeroShot).toBe(scratch);
    }
    for (const { zeroShot, tuned, scratch, tenth } of found[1].figures.agents) {
      expect(tuned).not.toBe(zeroShot);
      expect(tenth).not.toBe(scratch);
    }
    // The best policy is as sure everywhere: only what is seen tells what is at stake.
    const [blind, full] = found.map(({ figures }) => figures.agents[0].scratch as number);
    expect(full).toBeGreaterThan(blind);
  });

  it("has a policy trained for each of both worlds, by the same seed and settings", () => {
    const configOf = (name: string) =>
      parseConfig({ ...resolveConfig({ flags: study.config(name, "quick") }), seed: 3, backend: "fused" });
    for (const [name, { options, novices }] of Object.entries(pairs)) {
      const config = configOf(name);
      const [own, other] = [study.policy?.(config, name), study.companion?.(config, name)];
      expect(config.environment.options).toMatchObject(options);
      expect(other?.config.training).toEqual(own?.config.training);
      for (const option of Object.keys(options)) expect(other?.config.environment.options).not.toHaveProperty(option);
      if (novices.length > 0) expect(own?.mixed?.others.address).toBe(other?.address);
      else expect(own?.address).not.toBe(other?.address);
    }
    // What all pairs of a world begin with is one policy.
    const from = ["6x7>5x6", "6x7>7x8", "opponent"].map((to) => `connect_four_v0:${to}`);
    expect(new Set(from.map((name) => study.companion?.(configOf(name), name).address)).size).toBe(1);
  });
});
