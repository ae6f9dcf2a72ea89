import { describe, expect, it } from "@jest/globals";
import { type CreateLearner, LAST_LOOK, OPEN, type Rollout } from "@magic-mask/core";
import { referenceLearner } from "@magic-mask/core/testing";
import { type CriticOptions, createCritic } from "./critic.ts";
import { allDecisions, leverWorld, PAY, playLevers, SURE, TICKS, WIDTH } from "./test-worlds.ts";

const GAMMA = 0.9;
const PLAN = { epochs: 8, learningRate: { start: 0.01, end: 0.001 } };

const makeCritic = (options: Partial<CriticOptions> = {}) =>
  createCritic({
    spec: leverWorld(),
    agent: 0,
    createLearner: referenceLearner,
    seed: 1,
    discount: GAMMA,
    hidden: [8],
    minibatch: 32,
    ...options,
  });

/**
 * V of a tick: what both levers pay there if pulled with probability .8, and γ times V of the next tick. For the agents' PAY of
 * 0, 1, 0, ½ and 0, 0, 1, 0 the sums are 0, 1, 1, ½, so with γ = .9:
 *   V₃ = .8·½ = .4,  V₂ = .8 + .9·.4 = 1.16,  V₁ = .8 + .9·1.16 = 1.844,  V₀ = .9·1.844 = 1.6596
 */
const V = [1.6596, 1.844, 1.16, 0.4];

/** The critic's V at each tick, the mean over keys. */
function learned(critic: ReturnType<typeof makeCritic>, agent: number) {
  const { observations, count, ticks } = allDecisions(agent);
  const values = new Float32Array(count);
  critic.values(observations, count, values);
  return [0, 1, 2, 3].slice(agent).map((tick) => {
    const of = values.filter((_, row) => ticks[row] === tick);
    return of.reduce((a, b) => a + b, 0) / of.length;
  });
}

/** At every other tick somebody is blinded. */
const rollout = playLevers(1500, 0.5, 1);

/** Rows by what a test says of them. */
const rowsWhere = ({ length }: Rollout, holds: (row: number) => boolean) =>
  Array.from({ length }, (_, row) => row).filter(holds);

describe("the critic", () => {
  it.each([0, 1])("finds V of agent %p, as if nobody were ever blinded", async (agent) => {
    const critic = makeCritic({ agent });
    await critic.fit(rollout, PLAN);
    learned(critic, agent).forEach((value, i) => {
      // Returns deviate by √(2·.16 + .04 + 4·.0625) = .78 at most, in 750 rows a tick: .028 is one deviation of their mean.
      expect(Math.abs(value - V[i + agent])).toBeLessThan(0.12);
    });
  });

  it("would find less had it followed those who were blinded", async () => {
    const naive = structuredClone(rollout);
    for (const column of [naive.blinded, naive.disturbed]) column.fill(0);
    const critic = makeCritic();
    await critic.fit(naive, PLAN);
    // Blinded a quarter of the time, each agent pulls its lever with ¾·.8 + ¼·⅓ = .683 instead of .8: V₀ is short of
    // .117·(.9·1 + .9²·1 + .9³·½) = .24.
    expect(Math.abs(learned(critic, 0)[0] - (V[0] - 0.24))).toBeLessThan(0.1);
  });

  it("does not look at what was earned by others' choices: blinded and disturbed rows, and open ones", async () => {
    const [clean, poisoned] = [makeCritic(), makeCritic()];
    const spoilt = playLevers(200, 0.3, 2);
    const honest = playLevers(200, 0.3, 2);
    const open = rowsWhere(honest, (row) => honest.agents[row] === 0 && honest.ticks[row] === TICKS - 1).slice(0, 3);
    for (const row of open) for (const one of [honest, spoilt]) one.ended[row] = OPEN;
    const bad = rowsWhere(
      spoilt,
      (row) => spoilt.blinded[row] === 1 || spoilt.disturbed[row] === 1 || spoilt.ended[row] === OPEN,
    );
    expect(bad.length).toBeGreaterThan(100);
    for (const row of bad) spoilt.rewards[row] = 1000;
    await clean.fit(honest, { ...PLAN, epochs: 3 });
    await poisoned.fit(spoilt, { ...PLAN, epochs: 3 });
    expect(poisoned.exportState()).toEqual(clean.exportState());
    // A row of its own choice does count.
    const own = rowsWhere(spoilt, (row) => spoilt.agents[row] === 0 && !bad.includes(row));
    spoilt.rewards[own[5]] = 1000;
    await poisoned.fit(spoilt, { ...PLAN, epochs: 1 });
    await clean.fit(honest, { ...PLAN, epochs: 1 });
    expect(poisoned.exportState()).not.toEqual(clean.exportState());
  });

  it("learns from complete decisions alone, in another order every time", async () => {
    const plans: Int32Array[] = [];
    const createLearner: CreateLearner = (spec, random) => ({
      ...referenceLearner(spec, random),
      async update(_objective, { rows }) {
        plans.push(rows.slice());
        return { loss: plans.length };
      },
    });
    const played = playLevers(30, 0, 2);
    const own = rowsWhere(played, (row) => played.agents[row] === 0);
    // Of agent 0's decisions the third and the tenth are still open, and the last is a last look.
    for (const [i, ended] of [
      [2, OPEN],
      [9, OPEN],
      [own.length - 1, LAST_LOOK],
    ])
      played.ended[own[i]] = ended;
    const critic = makeCritic({ createLearner });
    expect(await critic.fit(played, { ...PLAN, epochs: 3 })).toBe(3);
    const wanted = own.map((_, i) => i).filter((i) => ![2, 9, own.length - 1].includes(i));
    for (const rows of plans) expect([...rows].sort((a, b) => a - b)).toEqual(wanted);
    expect(new Set(plans.map((rows) => rows.join())).size).toBe(3);
    expect([...critic.judge(played).rows]).toEqual(wanted.map((i) => own[i]));
  });

  it("judges every complete, undisturbed decision, blinded ones too, by its gain over V", async () => {
    const critic = makeCritic();
    await critic.fit(rollout, PLAN);
    const { rows, values, advantages } = critic.judge(rollout);
    expect([...rows]).toEqual(rowsWhere(rollout, (row) => rollout.agents[row] === 0 && !rollout.disturbed[row]));
    expect(rows.some((row) => rollout.blinded[row] === 1)).toBe(true);
    const [firstValue] = learned(critic, 0);
    const atStart = [...rows].filter((row) => rollout.ticks[row] === 0);
    expect(atStart.reduce((sum, row) => sum + values[row], 0) / atStart.length).toBeCloseTo(firstValue, 1);
    for (const tick of [0, 1, 2, 3]) {
      for (const isKey of [true, false]) {
        const chosen = [...rows].filter(
          (row) =>
            rollout.ticks[row] === tick &&
            (rollout.observations[row * WIDTH + TICKS + rollout.actions[row]] === 1) === isKey,
        );
        const mean = chosen.reduce((sum, row) => sum + advantages[row], 0) / chosen.length;
        // A = PAY·(1 − .8) for the key and −PAY·.8 for others, in 60 rows or more of deviation ½.
        expect(Math.abs(mean - PAY[0][tick] * ((isKey ? 1 : 0) - SURE))).toBeLessThan(0.2);
      }
    }
  });

  it("has nothing to learn from without unblinded decisions, and says so", async () => {
    const critic = makeCritic();
    const before = critic.exportState();
    const blind = playLevers(20, 1, 3);
    // With p = 1 agent 0 is blinded or disturbed at every tick.
    expect(await critic.fit(blind, PLAN)).toBeNaN();
    expect(critic.exportState()).toEqual(before);
  });

  it("continues from a saved state as if it had not stopped, the order of rows included", async () => {
    const [whole, stopped, resumed] = [makeCritic(), makeCritic(), makeCritic({ seed: 1 })];
    const plan = { ...PLAN, epochs: 2 };
    const [first, second] = [playLevers(60, 0.2, 4), playLevers(60, 0.2, 5)];
    await whole.fit(first, plan);
    await stopped.fit(first, plan);
    resumed.restoreState(structuredClone(stopped.exportState()));
    const losses = [await whole.fit(second, plan), await resumed.fit(second, plan)];
    expect(losses[1]).toBe(losses[0]);
    expect(resumed.exportState()).toEqual(whole.exportState());
    const another = makeCritic({ seed: 2 });
    another.restoreState({ ...stopped.exportState(), epochs: 0 });
    await another.fit(second, plan);
    expect(another.exportState().learner).not.toEqual(whole.exportState().learner);
  });

  it.each([{ discount: 1.1 }, { discount: Number.NaN }, { trace: -1 }, { minibatch: 0 }])("refuses %j", (options) => {
    expect(() => makeCritic(options)).toThrow(expect.objectContaining({ code: "invalid-option" }));
  });
});
