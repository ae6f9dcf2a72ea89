import { describe, expect, it } from "@jest/globals";
import { isMagicMaskError } from "@magic-mask/core";
import { controls, objectives } from "@magic-mask/masking";
import fc from "fast-check";
import { type ConfigInput, parseConfig } from "../config.ts";
import {
  BOTH,
  cellsOf,
  givenPolicy,
  LOOKAHEAD,
  mixedPolicy,
  type PlanOptions,
  planComparison,
  trainedPolicy,
  truthsOf,
} from "./plan.ts";
import { trainedParts } from "./policies.ts";

type Changes = Partial<Omit<PlanOptions, "config" | "policies">> & {
  readonly config?: ConfigInput;
  readonly seeds?: readonly number[];
};

function planOf({ config: input = {}, seeds = [1, 2, 3], ...changes }: Changes = {}) {
  const config = parseConfig({ environment: { id: "tictactoe_v0" }, backend: "fused", ...input });
  return planComparison({
    config,
    policies: seeds.map((seed) => trainedPolicy(parseConfig({ ...config, seed }), "fused")),
    budgets: [1000, 3000],
    states: "test",
    shares: [0.1],
    backend: "fused",
    ...changes,
  });
}

const addresses = (plan: ReturnType<typeof planOf>) => ({
  policies: plan.policies.map(({ address }) => address),
  truths: truthsOf(plan).map(({ address }) => address),
  cells: cellsOf(plan).map(({ address }) => address),
});

const codeOf = (act: () => unknown) => {
  try {
    act();
  } catch (error) {
    return isMagicMaskError(error) ? error.code : error;
  }
  return "nothing";
};

describe("a plan", () => {
  it("has every explainer that is offered, those that take steps once a budget and the others once, for every policy", () => {
    const plan = planOf();
    const [learning, fixed] = [Object.keys(objectives), Object.keys(controls)];
    expect(plan.explainers.map(({ name }) => name)).toEqual([...learning, LOOKAHEAD, BOTH, ...fixed]);
    const cells = cellsOf(plan);
    expect(cells.length).toBe(3 * (2 * (learning.length + 2) + fixed.length));
    for (const { explainer, budget } of cells) expect(budget > 0).toBe(!fixed.includes(explainer.name));
    expect(truthsOf(plan).map(({ policy, agent }) => [policy, agent])).toEqual(
      [0, 1, 2].flatMap((policy) => [0, 1].map((agent) => [policy, agent])),
    );
  });

  it("measures drop curves where the largest budget was spent, and of what needs none", () => {
    for (const { budget, played } of cellsOf(planOf({ budgets: [3000, 1000] }))) expect(played).toBe(budget !== 1000);
  });

  it("always has chance level", () => {
    expect(planOf({ explainers: ["advantage"] }).explainers.map(({ name }) => name)).toEqual(["advantage", "random"]);
  });

  it("fits the published loss from several initial weights", () => {
    const { explainers } = planOf({ config: { evaluation: { paperSeeds: 4 } } });
    const counts = Object.fromEntries(explainers.map(({ name, initialisations }) => [name, initialisations]));
    expect(counts).toMatchObject({ paper: 4, advantage: 1, random: 1 });
  });

  it("knows who plays steps of its own: StateMask, but not what learns from a coin, nor what is fitted several times", () => {
    const deciding = planOf().explainers.flatMap(({ name, decides }) => (decides ? [name] : []));
    expect(deciding).toContain("statemask");
    for (const name of ["advantage", "paper", "entropy"]) expect(deciding).not.toContain(name);
  });

  it("leaves out what cannot score a continuum of actions, and refuses it by name", () => {
    const environment = { id: "pendulum_v1" };
    const { explainers } = planOf({ config: { environment } });
    const names = explainers.map(({ name }) => name);
    for (const name of ["advantage_entropy", "advantage", "statemask", "random", "entropy"])
      expect(names).toContain(name);
    for (const name of ["value_gap", "log_prob_gap", "gradient_value"]) {
      expect(names).not.toContain(name);
      expect(codeOf(() => planOf({ config: { environment }, explainers: [name] }))).toBe("unknown-name");
    }
  });

  it.each([
    ["one policy only", { seeds: [1] }, "invalid-option"],
    ["a seed twice", { seeds: [1, 2, 1] }, "invalid-option"],
    ["a budget twice", { budgets: [10, 10] }, "invalid-option"],
    ["an explainer that there is not", { explainers: ["advantage", "advantages"] }, "unknown-name"],
    ["a perturbation that is learned", { config: { mask: { perturbation: "minimal" } } }, "unsupported"],
  ] as const)("refuses %s", (_, changes, code) => {
    expect(codeOf(() => planOf(changes as Changes))).toBe(code);
  });
});

describe("addresses", () => {
  it("are all different", () => {
    const { policies, truths, cells } = addresses(planOf());
    const all = [...policies, ...truths, ...cells];
    expect(new Set(all).size).toBe(all.length);
  });

  it("do not depend on what else is compared, nor on what cannot change a figure", () => {
    const known = new Set(Object.values(addresses(planOf())).flat());
    const names = [...Object.keys(objectives), ...Object.keys(controls)];
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.constantFrom(...names), { minLength: 1 }),
        fc.shuffledSubarray([1, 2, 3], { minLength: 2 }),
        fc.record({ workers: fc.nat(8), checkpointSeconds: fc.nat(50), name: fc.constantFrom("a", "b") }),
        (explainers, seeds, config) => {
          const part = addresses(planOf({ explainers, seeds, config }));
          for (const address of Object.values(part).flat()) expect(known.has(address)).toBe(true);
        },
      ),
      { numRuns: 10 },
    );
  });

  const changed = (changes: Changes) => {
    const [before, after] = [addresses(planOf()), addresses(planOf(changes))];
    const same = (kind: keyof typeof before) => after[kind].some((address) => before[kind].includes(address));
    return { policies: !same("policies"), truths: !same("truths"), cells: !same("cells") };
  };

  it.each([
    ["another rate of the policy", { config: { training: { clip: 0.1 } } }],
    ["another world", { config: { environment: { id: "planted_v0" } } }],
    ["other seeds", { seeds: [4, 5] }],
  ] as const)("change from the policy on with %s", (_, changes) => {
    expect(changed(changes as unknown as Changes)).toEqual({ policies: true, truths: true, cells: true });
  });

  it.each([
    ["the other set of states", { states: "dev" }],
    ["more states", { config: { evaluation: { states: 500 } } }],
    ["more rollouts", { config: { evaluation: { rollouts: 64 } } }],
  ] as const)("change from the truth on with %s", (_, changes) => {
    expect(changed(changes as Changes)).toEqual({ policies: false, truths: true, cells: true });
  });

  it("of learners change with how they learn, of drop curves with how these are measured, others with neither", () => {
    const before = cellsOf(planOf());
    const differing = (config: ConfigInput) => {
      const after = cellsOf(planOf({ config }));
      return before.flatMap(({ address, explainer, budget }, i) =>
        address === after[i].address ? [] : [`${explainer.name} ${budget}`],
      );
    };
    const learning = before
      .filter(({ explainer }) => explainer.learns || explainer.name === BOTH)
      .map(({ explainer, budget }) => `${explainer.name} ${budget}`);
    for (const posthoc of [{ epochs: 9 }, { trace: 0.5 }, { ensemble: 4 }, { hidden: [32] }])
      expect(differing({ posthoc })).toEqual(learning);
    expect(differing({ posthoc: { headSteps: 9 } })).toEqual([]);
    const curves = before.filter(({ played }) => played).map(({ explainer, budget }) => `${explainer.name} ${budget}`);
    expect(differing({ evaluation: { dropEpisodes: 7 } })).toEqual(curves);
  });

  it("of a policy that was there are those of its weights, wherever its run lies", () => {
    const config = parseConfig({ environment: { id: "tictactoe_v0" } });
    const [a, b, c] = [
      givenPolicy({ run: "runs/a", label: "a", config }, "1234"),
      givenPolicy({ run: "elsewhere/b", label: "b", config: parseConfig({ ...config, seed: 9 }) }, "1234"),
      givenPolicy({ run: "runs/c", label: "c", config }, "5678"),
    ];
    expect(a.address).toBe(b.address);
    expect(a.address).not.toBe(c.address);
  });
});

describe("what is trained of a source", () => {
  const config = (seed: number) => parseConfig({ environment: { id: "tictactoe_v0" }, backend: "fused", seed });
  const [one, two] = [1, 2].map((seed) => trainedPolicy(config(seed), "fused"));
  const given = givenPolicy({ run: "runs/a", label: "a", config: config(3) }, "digest");

  it("is itself, both of a team of unlike skill, and nothing of what was there beforehand", () => {
    expect(trainedParts(one)).toEqual([one]);
    expect(trainedParts(mixedPolicy(one, [1], two))).toEqual([one, two]);
    expect(trainedParts(given)).toEqual([]);
    expect(trainedParts(mixedPolicy(given, [1], two))).toEqual([two]);
  });
});
