import { describe, expect, it } from "@jest/globals";
import { criticalityColour, extentWithZero, linear, mostCriticalByColumn, ticks } from "../../page/scales.js";
import { hashOf, neighbour, placeAfterKey, placeOf } from "../../page/state.js";
import { formatFigure, formatPercent } from "../../page/words.js";
import { formatNumber } from "../terminal/table.ts";

describe("scales of the page", () => {
  it("map linearly, and everything to the middle where there is no extent", () => {
    expect(linear(0, 10, 100, 0)(2.5)).toBe(75);
    expect(linear(3, 3, 0, 10)(3)).toBe(5);
    expect(extentWithZero([])).toEqual([0, 0]);
    expect(extentWithZero([2, -1, 5])).toEqual([-1, 5]);
  });

  it("have round numbers on them", () => {
    expect(ticks(0, 1, 3)).toEqual([0, 0.5, 1]);
    expect(ticks(-0.13, 0.46, 4)).toEqual([0, 0.2, 0.4]);
    expect(ticks(-1200, 0, 4)).toEqual([-1000, -500, 0]);
    expect(ticks(2, 2, 4)).toEqual([2]);
  });

  it("go from one end of cividis to the other, what is critical far from the ground", () => {
    expect(criticalityColour(0, true)).toBe("rgb(0, 34, 78)");
    expect(criticalityColour(1, true)).toBe("rgb(254, 232, 56)");
    // Half way is #7d7c78 from either side.
    expect(criticalityColour(0.5, true)).toBe("rgb(125, 124, 120)");
    expect(criticalityColour(0.5, false)).toBe("rgb(125, 124, 120)");
    expect(criticalityColour(7, false)).toBe("rgb(0, 34, 78)");
  });

  it("keep the most critical decision of a column where steps have no room", () => {
    const decisions = [0.1, 0.5, 0.2, 0.3].map((estimate, step) => ({ step, estimate }));
    expect(mostCriticalByColumn(decisions, 4, 4)).toEqual(decisions);
    // Two steps a column.
    expect(mostCriticalByColumn(decisions, 4, 2).map(({ step }) => step)).toEqual([1, 3]);
  });
});

describe("places in an episode", () => {
  const here = { step: 4, agent: 0 };
  const moments = [[9, 2, 6], [7]];
  const after = (key: string) => placeAfterKey(key, here, moments, 10);

  it("survive the address", () => {
    expect(hashOf({ step: 12, agent: 1 })).toBe("#step=12&agent=2");
    expect(placeOf("#step=12&agent=2", here, 20, 2)).toEqual({ step: 12, agent: 1 });
  });

  it.each(["", "#step=21&agent=3", "#step=-1&agent=0", "#step=1.5&agent=x", "#nonsense"])(
    "stay as they were where the address is of no use: %s",
    (hash) => {
      expect(placeOf(hash, here, 20, 2)).toEqual(here);
    },
  );

  it("follow the keys", () => {
    expect(after("ArrowRight")).toEqual({ step: 5, agent: 0 });
    expect(after("ArrowLeft")).toEqual({ step: 3, agent: 0 });
    expect(after("Home")).toEqual({ step: 0, agent: 0 });
    expect(after("End")).toEqual({ step: 10, agent: 0 });
    expect(after("n")).toEqual({ step: 6, agent: 0 });
    expect(after("p")).toEqual({ step: 2, agent: 0 });
    expect(after("g")).toEqual({ step: 9, agent: 0 });
    expect(after("2")).toEqual({ step: 4, agent: 1 });
    expect(after(" ")).toBe("play");
    for (const key of ["3", "0", "x", "Enter", "Tab"]) expect(after(key)).toBeNull();
    expect(placeAfterKey("ArrowLeft", { step: 0, agent: 0 }, moments, 10)).toEqual({ step: 0, agent: 0 });
    expect(placeAfterKey("g", here, [[], []], 10)).toEqual(here);
  });

  it("come round", () => {
    expect(neighbour([9, 2, 6], 9, 1)).toBe(2);
    expect(neighbour([9, 2, 6], 2, -1)).toBe(9);
    expect(neighbour([], 5, 1)).toBe(5);
  });
});

describe("words of the page", () => {
  it("write figures as the report does, with a minus sign", () => {
    for (const value of [0, 3, 0.5, 0.0421, 12.345, -0.5, 0.096]) {
      expect(formatFigure(value)).toBe(formatNumber(value).replace("-", "−"));
    }
    expect(formatFigure(null)).toBe("n/a");
    expect(formatPercent(0.0573)).toBe("5.7 %");
  });
});
