import { describe, expect, it } from "@jest/globals";
import type { Explainer, Policy } from "@magic-mask/core";
import { connectFourOnePly, plantedCriticality, plantedOptimal } from "@magic-mask/environments";
import { assembleTeam, assembleWorld, policyWork } from "./assemble.ts";
import { loadBackend } from "./backend.ts";
import { type ConfigInput, parseConfig } from "./config.ts";
import { type EvaluateOptions, type Evaluation, evaluate } from "./evaluate.ts";
import { assemblePostHoc } from "./posthoc.ts";

/** Scores everything alike. */
const indifferent: Explainer = {
  name: "indifferent",
  score({ count }, criticality, spread) {
    criticality.fill(0, 0, count);
    spread.fill(Number.NaN, 0, count);
  },
};

interface Known {
  readonly config: ConfigInput;
  /** Plays all agents. */
  readonly policy: Policy;
  /** Stands for the masks, and for the heads that learned with sharing; those without are indifferent. */
  readonly explainer: Explainer;
}

/** The evaluation of a team whose policy and explanation are put in by hand. */
async function evaluationOf(
  { config: input, policy, explainer }: Known,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const evaluation = {
    episodes: 100,
    states: 300,
    rollouts: 4,
    pilotRollouts: 2,
    batches: 1,
    dropEpisodes: 200,
    bootstrap: 200,
    paperSeeds: 2,
    exactFrom: 24,
  };
  const config = parseConfig({
    ...input,
    sharing: { capacity: 64 },
    evaluation: { ...evaluation, ...input.evaluation },
  });
  const world = assembleWorld(config);
  const { create } = await loadBackend({ backend: "tfjs-wasm", workers: 0 }, policyWork(config, world));
  const team = assembleTeam(config, world, create);
  const postHoc = assemblePostHoc(config, world, create);
  const heads = (by: Explainer) => postHoc.explanation.memory.heads.map((head) => ({ ...head, ...by }));
  const explanation = {
    ...postHoc.explanation,
    masks: postHoc.explanation.masks.map((mask) => ({ ...mask, explainer })),
    memory: { ...postHoc.explanation.memory, heads: heads(explainer) },
  };
  const run = {
    config,
    world,
    team: { ...team, learners: team.learners.map((each) => ({ ...each, policy })) },
    postHoc: { ...postHoc, explanation, unshared: { ...postHoc.unshared, heads: heads(indifferent) } },
    record: { steps: 1000 },
    saved: {
      kl: { recent: [0.01, 0.03], largest: 0.2 },
      joint: { explanation: { memory: { channel: { bytes: Float64Array.of(300, 700) } } } },
    },
    create,
  };
  return evaluate(run as unknown as Parameters<typeof evaluate>[0], options);
}

describe("evaluate, on planted worlds with the true explanation", () => {
  const evaluated = evaluationOf(
    {
      config: { environment: { id: "planted_v0" } },
      policy: plantedOptimal(),
      explainer: { ...plantedCriticality(), name: "truth" },
    },
    { sanity: true },
  );
  const rowsOf = async (explainer: string) => (await evaluated).ranking.filter((row) => row.explainer === explainer);

  it("ranks the truth near 1 and the random control near ½, for every agent", async () => {
    const [truth, random] = [await rowsOf("truth"), await rowsOf("random")];
    expect([truth.length, random.length]).toEqual([2, 2]);
    // An eighth of the decisions are locks with one criticality: of those tied for the top tenth, chance decides.
    for (const { auroc, ndcg, spearman, calibration } of truth) {
      // It claims to be exact, and is.
      expect([ndcg.estimate, calibration.coverage]).toEqual([expect.closeTo(1, 6), 1]);
      expect(auroc.estimate).toBeGreaterThan(0.9);
      expect(auroc.low).toBeLessThanOrEqual(auroc.estimate);
      expect(spearman.estimate).toBeGreaterThan(0.4);
    }
    for (const { auroc } of random) expect(Math.abs(auroc.estimate - 0.5)).toBeLessThan(0.15);
  });

  it("finds that the top decisions cost most and the bottom ones nothing", async () => {
    const { drops } = await evaluated;
    for (const agent of ["agent_0", "agent_1"]) {
      const [top, random, bottom] = ["top", "random", "bottom"].map(
        (order) => drops.find((row) => row.agent === agent && row.order === order)?.drop.estimate as number,
      );
      expect(top).toBeGreaterThan(2 * random);
      expect(random).toBeGreaterThan(bottom);
      expect(bottom).toBeCloseTo(0, 6);
    }
  });

  it("has StateMask's fidelity beside its floor", async () => {
    // Of 24 decisions three are locks: a window of the top tenth, two, holds one or two of them. Luck pays ± .25 a tick, so that
    // replays differ without any blinding.
    const { statemask } = await evaluated;
    expect(statemask.map(({ agent, explainer }) => [agent, explainer])).toEqual([
      ["agent_0", "truth"],
      ["agent_1", "truth"],
    ]);
    for (const { window, floor, length } of statemask) {
      expect(length).toBeGreaterThanOrEqual(1 / 24);
      expect(length).toBeLessThanOrEqual(2 / 24);
      expect(floor.change.estimate).toBeGreaterThan(0);
      expect(window.score.estimate).toBeLessThan(floor.score.estimate);
    }
  });

  it("knows nonsense for what it is", async () => {
    const { sanity } = await evaluated;
    expect(sanity.map(({ agent }) => agent)).toEqual(["planted world", "agent_0", "agent_1"]);
    expect(sanity.flatMap(({ rows }) => rows).filter(({ passed }) => !passed)).toEqual([]);
  });

  it("credits the arm that shared", async () => {
    const { fidelity } = await evaluated;
    expect(fidelity.shared).toBeGreaterThan(0.9);
    expect(fidelity.unshared).toBe(0.5);
    expect(fidelity.gain.low).toBeGreaterThan(0.3);
  });

  it("reports strength as return where nobody wins, above random play's", async () => {
    const { opponents } = await evaluated;
    expect(opponents.map(({ opponent, metric }) => [opponent, metric])).toEqual([
      ["random", "return"],
      ["random", "return"],
    ]);
  });

  it("passes on what the run recorded", async () => {
    const { kl, bytes, truth, exact } = await evaluated;
    expect(exact).toEqual([]);
    expect(kl.update).toEqual({ last: 0.02, largest: 0.2 });
    // 1000 bytes by two agents in 1000 steps.
    expect([bytes.training, bytes.perAgentPer1000Steps]).toEqual([1000, 500]);
    expect(truth.map(({ states }) => states)).toEqual([300, 300]);
  });
});

it("takes other states to tune by than to report on", async () => {
  const known = {
    config: { environment: { id: "planted_v0", options: { agents: 1, ticks: 8 } } },
    policy: plantedOptimal(),
    explainer: { ...plantedCriticality(), name: "truth" },
  };
  const [dev, test, again] = await Promise.all(
    (["dev", "test", "test"] as const).map((states) => evaluationOf(known, { states })),
  );
  expect([dev.states, test.states]).toEqual(["dev", "test"]);
  expect(test).toEqual(again);
  expect(dev.opponents[0].value).not.toEqual(test.opponents[0].value);
  expect(dev.ranking[0].spearman).not.toEqual(test.ranking[0].spearman);
});

it("measures a player's wins from its own side, in both seats, and what matters under perfect play", async () => {
  const policy = connectFourOnePly();
  // What masking costs is not looked at here.
  const evaluation = { dropEpisodes: 20, states: 120 };
  const config = { environment: { options: { observation: "planes" } }, evaluation };
  const { opponents, exact } = await evaluationOf({ config, policy, explainer: indifferent });
  expect(exact.map(({ agent, states, early }) => [agent, states + early])).toEqual([
    ["player_0", 120],
    ["player_1", 120],
  ]);
  for (const { states, ranking } of exact) {
    expect(states).toBeGreaterThan(12);
    expect(ranking.map(({ explainer }) => explainer)).toEqual(expect.arrayContaining(["random", "entropy", "paper"]));
  }
  const rate = (opponent: string) =>
    opponents.find((row) => row.opponent === opponent && row.play === "sampled")?.value.estimate as number;
  expect(rate("random")).toBeGreaterThan(0.85);
  expect(Math.abs(rate("one-ply") - 0.5)).toBeLessThan(0.15);
});

it("judges an agent that is alone and of whose decisions none matters, and leaves open what cannot be known", async () => {
  const options = { agents: 1, locks: 0, decoys: 6 };
  const { opponents, ranking, fidelity } = await evaluationOf({
    config: { environment: { id: "planted_v0", options } },
    policy: plantedOptimal(),
    explainer: plantedCriticality(),
  });
  expect(opponents.map(({ opponent }) => opponent)).toEqual(["nobody", "nobody"]);
  expect(ranking.map(({ explainer }) => explainer)).toContain("paper");
  for (const { auroc, spearman } of ranking)
    expect([auroc.estimate, spearman.estimate]).toEqual([Number.NaN, Number.NaN]);
  for (const { ndcg } of ranking) expect(ndcg.estimate).toBeNaN();
  expect([fidelity.shared, fidelity.gain.estimate, fidelity.received]).toEqual([Number.NaN, Number.NaN, 0]);
});
