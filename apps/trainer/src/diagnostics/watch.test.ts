import { describe, expect, it } from "@jest/globals";
import { createWatch, warningInWords } from "./watch.ts";

describe("createWatch", () => {
  it("warns once of updates that go too far, also after a run was resumed", () => {
    const watch = createWatch();
    const look = (steps: number, kl: number) => watch.look({ steps, "kl/update": kl });
    expect([look(1, 0.15), look(2, 0.16), look(3, 0.5)].map((found) => found.length)).toEqual([0, 1, 0]);
    expect(watch.warnings).toMatchObject([{ steps: 2, value: "0.16" }]);
    expect(warningInWords(watch.warnings[0])).toMatch(/^kl\/update.*: 0.16 \(limit: above 0.15 nats\); .*learningRate/);
    expect(createWatch(watch.warnings).look({ steps: 4, "kl/update": 1 })).toEqual([]);
    // What an iteration did not tell is no figure.
    expect(createWatch().look({ steps: 1, "kl/update": Number.NaN })).toEqual([]);
  });

  it("looks back, in the end, on a return that stood still while agents were blinded often", () => {
    const rows = Array.from({ length: 30 }, (_, i) => ({
      steps: i + 1,
      "charts/episodic_return": i % 2,
      "charts/blinding": 0.1,
    }));
    // .1 is twice a floor of .05, and 1.25 times one of .08.
    expect(createWatch().lookBack(rows, 0.05)).toMatchObject([{ steps: 30 }]);
    expect(createWatch().lookBack(rows, 0.08)).toEqual([]);
    expect(createWatch().lookBack(rows, Number.NaN)).toEqual([]);
  });
});
