import { describe, expect, it } from "@jest/globals";
import type { Result } from "../../study.ts";
import type { SharingFigures } from "../common/sharing-figures.ts";
import { reportOnChannel } from "./report.ts";

const CHANNELS = ["none", "ideal", "loss_0.5", "cut_whole"];
const axes = { environment: ["pong"], seed: [1, 2, 3], budget: [1000], channel: CHANNELS };
const result = (channel: string, seed: number, area: number, received: number): Result<SharingFigures> => ({
  at: { environment: "pong", seed, budget: 1000, channel },
  steps: 1000,
  figures: {
    agents: [{ agent: "a", own: 0.7, head: 0.6, stacked: area }],
    fidelity: { all: area - 0.1, sameRole: area - 0.1, crossRole: null },
    matrix: [],
    bytes: 500,
    delivery: channel === "none" ? null : received / 100,
    received,
    age: { onArrival: 5, atUse: 30 },
    redundancy: null,
  },
  seconds: { shared: 0, learning: 0, judging: 0 },
});
/** Gains over none of an ideal channel, at a loss of one half, and behind a cut, seed by seed. */
const reported = (gains: readonly (readonly [number, number, number])[]) =>
  reportOnChannel(
    axes,
    gains.flatMap(([ideal, lossy, cut], i) => [
      result("none", i + 1, 0.7, 0),
      result("ideal", i + 1, 0.7 + ideal, 100),
      result("loss_0.5", i + 1, 0.7 + lossy, 50),
      result("cut_whole", i + 1, 0.7 + cut, 30),
    ]),
  );

describe("the report on channels", () => {
  // Of .06 on average .045 is left at a loss of one half, always three quarters; behind the cut a tenth, of three tenths of the records.
  const { tables, judgements, sentences, scores } = reported([
    [0.06, 0.045, 0.006],
    [0.08, 0.06, 0.008],
    [0.04, 0.03, 0.004],
  ]);

  it("says what is kept of the ideal gain, beside what arrives", () => {
    const [none, ideal, lossy, cut] = tables[0].body;
    expect(none.slice(2, 5)).toEqual(["", "", ""]);
    expect((ideal[2] as { estimate: number }).estimate).toBeCloseTo(0.06, 12);
    expect((lossy[3] as { estimate: number }).estimate).toBeCloseTo(0.75, 10);
    expect([lossy[4], cut[4]]).toEqual(["graceful", "not graceful"]);
    // Delivered, records of an ideal channel's, ages, bytes.
    expect(lossy.slice(9)).toEqual([0.5, 0.5, 5, 30, 500]);
    expect(judgements.map(({ verdict }) => verdict)).toEqual(["not comparable", "not comparable"]);
    expect(judgements[1].why).toContain("with 30 % of the records, explaining oneself is not graceful");
    expect(sentences).toContain(
      "pong, 1.00k steps: in the stacked AUROC not graceful: cut_whole; graceful: loss_0.5; open: none.",
    );
    expect(sentences.filter((sentence) => sentence.includes("aim"))[0]).toContain("one half: met (kept +0.75");
  });

  it("hands on every run", () => {
    expect(scores?.runs).toHaveLength(4 * 3);
    // Of the third arm the second seed: .7 + .06, and a tenth less fidelity.
    expect(scores?.runs[7]).toEqual({
      environment: "pong",
      arm: "loss_0.5",
      seed: 2,
      steps: 1000,
      values: { auroc: expect.closeTo(0.76, 12), fidelity: expect.closeTo(0.66, 12) },
    });
  });

  it("leaves open what cannot be told", () => {
    // The ideal gain itself may be none.
    const open = reported([
      [0.06, 0.03, 0],
      [-0.05, 0, 0],
      [0.02, 0, 0],
    ]);
    expect(open.tables[0].body[2][4]).toBe("open");
    expect(open.judgements[0].measured).toBeNull();
    expect(open.sentences.filter((sentence) => sentence.includes("aim"))[0]).toContain("open, as the ideal gain");
    const partial = reportOnChannel(axes, [result("ideal", 1, 0.8, 100)]);
    expect(partial.tables[0].note).toContain("Unknown: none, loss_0.5, cut_whole for seeds 1, 2, 3");
  });
});
