import { expect, it } from "@jest/globals";
import type { Interval } from "@magic-mask/metrics";
import type { Coordinates, Result } from "../../study.ts";
import type { ComponentFigures } from "../components/components.ts";
import { reportOnComponents } from "../components/report.ts";
import { reportOnSanity } from "../sanity/report.ts";
import type { SanityFigures } from "../sanity/sanity.ts";
import { reportOnThreshold } from "../threshold/report.ts";
import type { ThresholdFigures } from "../threshold/threshold.ts";

const agents = (auroc: number) => [
  {
    agent: "a",
    auroc,
    spearman: auroc,
    ndcg: auroc,
    calibration: null,
    initialisations: [],
    drops: [],
    statemask: null,
  },
];
const of = <F>(at: Coordinates, figures: F): Result<F> => ({
  at: { environment: "pong", budget: 100, ...at },
  steps: 9,
  figures,
  seconds: { shared: 0, learning: 0, judging: 0 },
});
const SEEDS = [1, 2, 3];

it("calls τ = .5 best only where it is above every other", () => {
  const axes = {
    environment: ["pong"],
    seed: SEEDS,
    budget: [100],
    objective: ["advantage", "paper"],
    threshold: [0.1, 0.5, 0.9],
  };
  const results = (auroc: Readonly<Record<number, number>>) =>
    [0.1, 0.5, 0.9].flatMap((threshold) =>
      SEEDS.map((seed) =>
        of<ThresholdFigures>(
          { seed, objective: "paper", threshold },
          {
            joint: null,
            posthoc: {
              agents: agents(auroc[threshold] + seed * threshold * 1e-3),
              gate: { drop: 0.1, blinded: threshold },
            },
          },
        ),
      ),
    );
  const verdictOf = (auroc: Readonly<Record<number, number>>) => {
    const { judgements, scores, pictures } = reportOnThreshold(axes, results(auroc));
    expect(judgements[0]).toMatchObject({ where: "pong, advantage", verdict: "not comparable" });
    expect(pictures.map(({ name }) => name)).toEqual(["pong-auroc.svg", "pong-gate.svg"]);
    // Two objectives, three τ, three seeds; nothing is known of the first objective.
    expect(scores?.runs).toHaveLength(18);
    expect(scores?.runs[0].values).toEqual({ return: null, kept: null, auroc: null, drop: null });
    expect(scores?.runs[13]).toEqual({
      environment: "pong",
      arm: "paper, τ = 0.5",
      seed: 2,
      steps: 100,
      values: { return: null, kept: 0.9, auroc: auroc[0.5] + 0.001, drop: null },
    });
    return judgements.find(({ figure }) => figure.startsWith("AUROC"));
  };
  expect(verdictOf({ 0.1: 0.6, 0.5: 0.8, 0.9: 0.7 })).toMatchObject({ verdict: "reproduced" });
  expect(verdictOf({ 0.1: 0.6, 0.5: 0.7, 0.9: 0.8 })).toMatchObject({
    verdict: "not reproduced",
    why: "better at τ = 0.9",
  });
  // Nothing between them but a wobble of a thousandth a seed.
  const open = verdictOf({ 0.1: 0.6, 0.5: 0.7, 0.9: 0.6992 });
  expect(open).toMatchObject({ verdict: "not reproduced", why: "not separated from τ = 0.9" });
  // 0.0008 − 2·0.4e-3
  expect(open?.measured?.estimate).toBeCloseTo(0, 10);
});

it("holds each variant against the one that has what it lacks", () => {
  const variant = ["default", "ppo_mask", "ppo_mask_no_kl", "constant_blinding"];
  const area = { default: 0.9, ppo_mask: 0.8, ppo_mask_no_kl: 0.85, constant_blinding: 0 };
  const results = variant.flatMap((name) =>
    SEEDS.map((seed) =>
      of<ComponentFigures>(
        { seed, variant: name },
        {
          joint: null,
          posthoc:
            name === "constant_blinding" ? null : { agents: agents(area[name as keyof typeof area] + seed / 100) },
        },
      ),
    ),
  );
  const { tables, sentences, scores } = reportOnComponents(
    { environment: ["pong"], seed: SEEDS, budget: [100], variant },
    results,
  );
  // AUROC .9 + .02; less the default −.1; less the mask with the KL term +.05.
  expect(tables[0].body.map(([name, against]) => `${name} ${against}`)).toEqual([
    "default ",
    "ppo_mask default",
    "ppo_mask_no_kl ppo_mask",
  ]);
  const differences = tables[0].body.slice(1).map((row) => (row[3] as Interval).estimate);
  expect(differences).toEqual([expect.closeTo(-0.1, 10), expect.closeTo(0.05, 10)]);
  expect(sentences[0]).toContain("AUROC@10 −0.10 [−0.10, −0.10] (lower)");
  expect(tables[1].body.map(([name]) => name)).toEqual(variant);
  // Those that exist post hoc.
  expect(scores?.runs).toHaveLength(9);
  expect(scores?.runs[4]).toEqual({
    environment: "pong",
    arm: "ppo_mask",
    seed: 2,
    steps: 100,
    values: { auroc: expect.closeTo(0.82, 12), spearman: expect.closeTo(0.82, 12), drop: null },
  });
});

it("counts checks that pass, and names those that do not", () => {
  const check = (agent: string, name: string, measured: number | null, passed: boolean) => ({
    agent,
    name,
    expected: "½",
    measured,
    interval: measured === null ? null : ([measured - 0.1, measured + 0.1] as const),
    passed,
    byChance: 0.01,
  });
  const results = [
    of<SanityFigures>(
      { seed: 1 },
      { checks: [check("a", "x", 0.4, true), check("b", "x", 0.6, true), check("a", "y", 0.9, false)] },
    ),
    of<SanityFigures>(
      { seed: 2 },
      { checks: [check("a", "x", 0.7, true), check("b", "x", 0.5, true), check("a", "y", null, true)] },
    ),
  ];
  const { tables, sentences } = reportOnSanity({ environment: ["pong"], seed: [1, 2, 3], budget: [100] }, results);
  const [[, , x, ...counts], [, , y, ...others]] = tables[0].body;
  // Seeds' means over agents are .5 and .6.
  expect((x as Interval).estimate).toBeCloseTo(0.55, 10);
  expect(counts).toEqual([4, 4, 0]);
  expect((y as Interval).estimate).toBeNaN();
  // Of y one is unknown, and the other fails.
  expect(others).toEqual([0, 1, 1]);
  // Five are known: 5 · .01.
  expect(sentences[0]).toContain("4 of 5 checks pass, by chance alone 0.05 at most would fail");
  expect(sentences[0]).toContain("failing: y (1 of 1)");
  expect(tables[0].note).toContain("Without seeds 3");
});
