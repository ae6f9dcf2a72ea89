import { describe, expect, it } from "@jest/globals";
import { stream } from "../random.ts";
import { environmentLaws, randomActions } from "./environment-laws.ts";
import { market } from "./market.ts";
import { brokenBy } from "./planted/broken-by.ts";
import { brokenEnvironments } from "./planted/broken-environments.ts";
import { gatherers } from "./planted/gatherers.ts";
import { nim } from "./planted/nim.ts";
import { workshop } from "./planted/workshop.ts";

describe.each(Object.entries({ gatherers, market, nim, workshop }))("%s, a sound world", (_name, make) => {
  it.each(environmentLaws)("$name", ({ run }) => run(make));
});

describe("a broken world breaks the law it should, and no other", () => {
  it.each(brokenEnvironments)("$bug", ({ make, breaks }) => {
    expect(brokenBy(environmentLaws, make)).toEqual(breaks);
  });
});

// A law without a world that breaks it, and it alone, is a law that nobody has seen at work.
it.each(environmentLaws)("is broken on purpose, and alone: $name", ({ name }) => {
  expect(brokenEnvironments.filter(({ breaks }) => breaks.length === 1 && breaks[0] === name)).not.toHaveLength(0);
});

describe("randomActions", () => {
  it("draws every legal action of every kind of space, and nothing else", () => {
    const world = workshop();
    const random = stream(1);
    world.reset(2); // tick 2: colour 2 is out, the trader has three offers
    const seen = [new Set<number>(), new Set<number>(), new Set<number>()];
    let [lowest, highest] = [0, 0];
    for (let k = 0; k < 200; k++) {
      // Slots are two wide: [part, colour | wheel, – | offer, –].
      const [part, colour, wheel, , offer] = randomActions(world, random);
      [part, colour, offer].forEach((action, i) => {
        seen[i].add(action);
      });
      lowest = Math.min(lowest, wheel);
      highest = Math.max(highest, wheel);
    }
    expect(seen.map((set) => [...set].sort())).toEqual([
      [0, 1],
      [0, 1],
      [0, 1, 2],
    ]);
    expect(lowest).toBeGreaterThanOrEqual(-1);
    expect(lowest).toBeLessThan(-0.9);
    expect(highest).toBeLessThanOrEqual(1);
    expect(highest).toBeGreaterThan(0.9);
  });

  it("leaves the slots of who waits at zero", () => {
    const world = nim();
    world.reset(0);
    for (let k = 0; k < 50; k++) expect(randomActions(world, stream(k))[1]).toBe(0);
  });
});
