import { describe, expect, it } from "@jest/globals";
import { ILLEGAL, isOver, type Policy, play, stream } from "@magic-mask/core";
import fc from "fast-check";
import { planted, plantedCriticality, plantedOptimal } from "./planted.ts";

const A = 4;
const random: Policy = {
  evaluate({ count }, parameters, values) {
    parameters.fill(-Math.log(A), 0, count * A);
    values.fill(0, 0, count);
  },
};
const returns = (policies: Policy[], episodes: number, agent = 0) =>
  play({ make: planted, policies, episodes, seed: 1 }).map(({ rewards }) =>
    rewards.reduce((sum, r, i) => (i % 2 === agent ? sum + r : sum), 0),
  );
const mean = (xs: readonly number[]) => xs.reduce((a, b) => a + b) / xs.length;

/** What agent 0 saw at each tick of one episode: whether there was a dial, and whether the wires differed. */
function scenes(seed: number, options = {}) {
  const world = planted(options);
  const out = new Float32Array(7);
  const seen: { dial: boolean; differ: boolean; first: number }[] = [];
  for (world.reset(seed); !isOver(world); world.step(new Float32Array(2))) {
    world.observe(0, out, 0);
    seen.push({ dial: out.subarray(2, 6).includes(1), differ: out[0] !== out[1], first: out[0] });
  }
  return seen;
}

describe("planted", () => {
  it("plants the promised number of locks and decoys in every episode, anywhere", () => {
    const placed = new Float64Array(24);
    for (let seed = 0; seed < 800; seed++) {
      const seen = scenes(seed);
      const [locks, decoys] = [true, false].map((wires) => seen.filter(({ dial, differ }) => dial && differ === wires));
      if (locks.length !== 3 || decoys.length !== 3)
        throw new Error(`seed ${seed}: ${locks.length} and ${decoys.length}`);
      seen.forEach(({ dial, differ }, tick) => {
        if (dial && differ) placed[tick]++;
      });
    }
    // Each tick has a lock with probability 3/24: 100 of 800, standard deviation √(800 · 1/8 · 7/8) = 9.4; 4 of them = 38.
    for (const count of placed) expect(Math.abs(count - 100)).toBeLessThan(38);
  });

  it("shows nothing by the wires alone: they differ half of the time where there is no dial", () => {
    const empty = Array.from({ length: 200 }, (_, seed) => scenes(seed))
      .flat()
      .filter(({ dial }) => !dial);
    // 200 × 18 = 3600 ticks; standard deviation of the share √(¼ / 3600) = .0083; 4 of them = .033.
    expect(Math.abs(mean(empty.map(({ differ }) => Number(differ))) - 0.5)).toBeLessThan(0.033);
    expect(Math.abs(mean(empty.map(({ first }) => first)) - 0.5)).toBeLessThan(0.033);
  });

  it("pays what the arithmetic says", () => {
    // Both know the keys: 2 agents × 3 locks = 6. Both guess: 6 / 4 = 1.5. One of each: 3 + 3/4 = 3.75, to both alike.
    // Luck: 24 coins of ±¼, standard deviation √24 / 4 = 1.22; guessing adds √(6 · ¼ · ¾) = 1.06. Of a mean over
    // 400 episodes: at most √(1.22² + 1.06²) / √400 = .081; 4 of them = .32.
    expect(Math.abs(mean(returns([plantedOptimal(), plantedOptimal()], 400)) - 6)).toBeLessThan(0.32);
    expect(Math.abs(mean(returns([random, random], 400)) - 1.5)).toBeLessThan(0.32);
    expect(Math.abs(mean(returns([plantedOptimal(), random], 400, 1)) - 3.75)).toBeLessThan(0.32);
  });

  it("declares the range that the luckiest and the unluckiest episode reach", () => {
    expect(planted().returnRange).toEqual([-6, 12]); // 24 × ¼ = 6 of luck, 6 locks
    expect(planted({ agents: 3, ticks: 10, locks: 2, luck: 0 }).returnRange).toEqual([0, 6]);
    // One tick, one lock each, luck ½: 2 ± ½ with the keys, 0 ± ½ without.
    const world = planted({ ticks: 1, locks: 1, decoys: 0, luck: 0.5 });
    const totals = new Set<number>();
    for (let seed = 0; seed < 400; seed++) {
      world.reset(seed);
      world.step(Float32Array.of(seed % 4, (seed >> 2) % 4));
      totals.add(world.rewards[0]);
    }
    expect([...totals].sort((a, b) => a - b)).toEqual([-0.5, 0.5, 1.5, 2.5]);
    expect(world.returnRange).toEqual([-0.5, 2.5]);
  });

  it("lets actions change nothing but the pay of open locks", () => {
    // Two players of one episode see the same scenes and differ in pay exactly by the locks that one of them opened.
    const [idle, knowing] = [planted(), planted()];
    const out = new Float32Array(7);
    const other = new Float32Array(7);
    idle.reset(9);
    knowing.reset(9);
    while (!isOver(idle)) {
      let opened = 0;
      const keys = [0, 1].map((agent) => {
        knowing.observe(agent, out, 0);
        idle.observe(agent, other, 0);
        expect(Array.from(other)).toEqual(Array.from(out));
        const key = Math.max(0, out.subarray(2, 6).indexOf(1));
        if (out.subarray(2, 6).includes(1) && out[0] !== out[1]) opened++;
        return { key, wrong: (key + 1) % A };
      });
      knowing.step(Float32Array.from(keys, ({ key }) => key));
      idle.step(Float32Array.from(keys, ({ wrong }) => wrong));
      for (const agent of [0, 1]) expect(knowing.rewards[agent] - idle.rewards[agent]).toBe(opened);
    }
  });
});

describe("plantedCriticality", () => {
  const score = (observation: number[], policy: number[], perturbation: number[]) => {
    const criticality = new Float32Array(1);
    const spread = new Float32Array(1).fill(9);
    plantedCriticality().score(
      {
        agent: 0,
        count: 1,
        observations: Float32Array.from(observation),
        legal: new Uint8Array(4).fill(1),
        policy: Float32Array.from(policy, (p) => (p === 0 ? ILLEGAL : Math.log(p))),
        perturbation: Float32Array.from(perturbation, (p) => (p === 0 ? ILLEGAL : Math.log(p))),
      },
      criticality,
      spread,
    );
    expect(spread[0]).toBe(0);
    return criticality[0];
  };
  const uniform = [0.25, 0.25, 0.25, 0.25];

  it("is π − ν of the dial's key at a lock, and 0 elsewhere", () => {
    expect(score([1, 0, 0, 0, 1, 0, 0.5], [0.1, 0.1, 0.7, 0.1], uniform)).toBeCloseTo(0.45, 6); // .7 − .25
    expect(score([0, 1, 0, 0, 1, 0, 0.5], [0.5, 0.5, 0, 0], uniform)).toBeCloseTo(-0.25, 6); // 0 − .25: worse than chance
    expect(score([1, 0, 0, 0, 1, 0, 0.5], [0, 0, 1, 0], [0, 0.4, 0.6, 0])).toBeCloseTo(0.4, 6); // 1 − .6
    expect(score([1, 1, 0, 0, 1, 0, 0.5], [0, 0, 1, 0], uniform)).toBe(0); // a decoy
    expect(score([1, 0, 0, 0, 0, 0, 0.5], [0, 0, 1, 0], uniform)).toBe(0); // no dial
  });

  it("is what branching finds with common random numbers, exactly, at every decision of random episodes", () => {
    // From one moment the same future is played under every action of agent 0; with equal streams luck and scenes cancel,
    // so that G(a) − G(0) is exact, and Σ_a (π − ν)(a)·G(a) = Σ_a (π − ν)(a)·(G(a) − G(0)) is the criticality.
    fc.assert(
      fc.property(fc.nat(10_000), fc.nat(23), (seed, tick) => {
        const world = planted();
        const choose = stream(seed, "prefix");
        world.reset(seed);
        for (let t = 0; t < tick; t++) world.step(Float32Array.of(choose.below(A), choose.below(A)));
        const here = new Uint8Array(world.snapshotBytes);
        world.snapshot(here, 0);
        const observation = new Float32Array(7);
        world.observe(0, observation, 0);
        const policy = [0.55, 0.05, 0.3, 0.1];

        const outcome = (action: number) => {
          world.restore(here, 0, stream(seed, "future"));
          const others = stream(seed, "others");
          let total = 0;
          for (let first = true; !isOver(world); first = false) {
            world.step(Float32Array.of(first ? action : others.below(A), others.below(A)));
            total += world.rewards[0];
          }
          return total;
        };
        const outcomes = [0, 1, 2, 3].map(outcome);
        const gap = policy.reduce((sum, p, a) => sum + (p - 0.25) * (outcomes[a] - outcomes[0]), 0);
        expect(score(Array.from(observation), policy, uniform)).toBeCloseTo(gap, 6);
      }),
      { numRuns: 150 },
    );
  });
});
