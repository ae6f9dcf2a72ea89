import { describe, expect, it } from "@jest/globals";
import { resolveConfig } from "../../../config.ts";
import type { Coordinates } from "../../study.ts";
import { plantedSubject } from "../../test-subject.ts";
import { meanTrust, peers, teams } from "./teams.ts";

const study = teams();

describe("teams", () => {
  it("lets arms differ in what peers tell and what is believed of it", async () => {
    const arms = [
      ["none", "off"],
      ["friends", "off"],
      ["friends", "on"],
      ["one_flood", "off"],
      ["one_flood", "on"],
    ];
    const trials: Coordinates[] = arms.map(([kind, trust]) => ({
      environment: "planted_v0",
      seed: 1,
      budget: 1600,
      peers: kind,
      trust,
    }));
    const found = [];
    for await (const { figures, steps } of study.run(trials, await plantedSubject(1))) found.push({ figures, steps });
    const [none, friends, trusted, flooded, defended] = found.map(({ figures }) => figures);
    for (const { steps, figures } of found) {
      expect(steps).toBe(found[0].steps);
      expect(figures.agents.map(({ own }) => own)).toEqual(none.agents.map(({ own }) => own));
    }
    expect([none.received, none.hostile, none.trust]).toEqual([0, [], null]);
    expect(friends.trust).toBeNull();
    expect(trusted.trust?.map((row) => row.length)).toEqual([3, 3, 3]);
    expect(trusted.received).toBe(friends.received);
    expect(flooded.hostile).toEqual([0]);
    expect(flooded.received).toBeGreaterThan(2 * friends.received);
    expect([none.course, flooded.course]).toEqual([null, null]);
    expect(defended.course?.map(({ at }) => Math.round(10 * at))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    // At the end it has come to what it is.
    expect(defended.course?.[9]).toEqual({ at: 1, ...meanTrust(defended.trust ?? [], [0]) });
    // A flood is heard less than a friend.
    const [, [fromLiar, , fromFriend]] = defended.trust as number[][];
    expect(fromLiar).toBeLessThan(fromFriend);
  });

  it("has as many liars as it says, and a novice who learned for a tenth of the steps", () => {
    expect(["none", "friends", "one_poison", "half_poison"].map((name) => peers[name].hostile(4))).toEqual([
      0, 0, 1, 2,
    ]);
    const config = resolveConfig({
      flags: study.config("pong_walls_v0+novice", "default"),
      overrides: ["backend=fused"],
    });
    expect(config.environment.id).toBe("pong_walls_v0");
    const mixed = study.policy?.(config, "pong_walls_v0+novice");
    const plain = study.policy?.(config, "pong_walls_v0");
    expect(plain?.mixed).toBeUndefined();
    expect(mixed?.mixed?.others).toEqual(plain);
    expect(mixed?.mixed?.agents).toEqual([3]);
    expect(mixed?.mixed?.by.config.training.totalSteps).toBe(config.training.totalSteps / 10);
    expect(new Set([mixed?.address, plain?.address, mixed?.mixed?.by.address]).size).toBe(3);
  });
});
