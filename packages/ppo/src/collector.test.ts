import { describe, expect, it } from "@jest/globals";
import {
  CONTINUES,
  type Decisions,
  isMagicMaskError,
  LAST_LOOK,
  type MakeEnvironment,
  OPEN,
  stream,
  TERMINATED,
  TRUNCATED,
  vectorize,
} from "@magic-mask/core";
import { environmentLaws } from "@magic-mask/core/testing";
import fc from "fast-check";
import { type Blinding, type CollectorOptions, type CollectorState, createCollector } from "./collector.ts";
import { scripted } from "./opponents.ts";
import { everythingOf, rowOf, rowsOf } from "./test-rows.ts";
import { LONG } from "./test-shards.ts";
import {
  ACTIONS,
  formulaPolicy,
  lockWorld,
  type ScriptOptions,
  scriptWorld,
  type Tick,
  uniform,
  watchful,
  weightedPerturbation,
} from "./test-worlds.ts";

const NEVER: Blinding = { kind: "coin", probability: 0 };
const coin = (probability: number): Blinding => ({ kind: "coin", probability });

type Options = Partial<CollectorOptions> & { readonly copies?: number };

/** A collector in which every agent is played by one `watchful` policy unless told otherwise. */
function collector(make: MakeEnvironment, { copies = 1, ...options }: Options = {}) {
  const vector = vectorize(make, copies);
  const agents = vector.spec.agents;
  return createCollector({
    vector,
    policies: [watchful()],
    players: agents.map(() => 0),
    perturbations: agents.map(uniform),
    seed: 1,
    ...options,
  });
}

const decision = { copy: 0, blinded: 0, disturbed: 0 };

describe("the worlds these tests are made of", () => {
  const script: Tick[] = [
    { choices: [2, 1], rewards: [1, 2] },
    { choices: [3, 3], rewards: [0, 1], terminates: [0] },
    { choices: [0, 2], rewards: [0, 1], truncates: [1] },
  ];
  const worlds = { script: scriptWorld(script, { luck: true }), lock: lockWorld };
  for (const [name, make] of Object.entries(worlds)) {
    it.each(environmentLaws.map((law) => [law.name, law] as const))(`${name}: %s`, (_, law) => law.run(make));
  }
});

describe("what a decision earns", () => {
  it("includes what arrives at the other's moves, up to one's own next decision", () => {
    // 0 moves, 1 moves, 0 moves, 1 moves; each column of rewards sums to what its agent is due.
    const make = scriptWorld(
      [
        { choices: [2, 0], rewards: [1, 100] },
        { choices: [0, 2], rewards: [2, 10] },
        { choices: [2, 0], rewards: [4, 20] },
        { choices: [0, 2], rewards: [8, 40], terminates: [0, 1] },
      ],
      { turnBased: true },
    );
    const { rollouts, episodes } = collector(make).collect(4, NEVER);
    expect(rowsOf(rollouts[0], rowOf)).toEqual([
      // 1 + 2: its own step and the other's reply. The other's 100 came before its first decision: nobody's doing.
      { ...decision, agent: 0, episode: 0, tick: 0, reward: 3, ended: CONTINUES, next: 2 },
      { ...decision, agent: 1, episode: 0, tick: 1, reward: 30, ended: CONTINUES, next: 3 },
      { ...decision, agent: 0, episode: 0, tick: 2, reward: 12, ended: TERMINATED, next: null },
      { ...decision, agent: 1, episode: 0, tick: 3, reward: 40, ended: TERMINATED, next: null },
    ]);
    expect(episodes).toEqual([{ copy: 0, episode: 0, returns: [15, 170], length: 4, learning: [true, true] }]);
  });

  it("includes what a forced move earns, which is played but not recorded", () => {
    const make = scriptWorld([
      { choices: [1], rewards: [1] },
      { choices: [2], rewards: [2] },
      { choices: [1], rewards: [4] },
      { choices: [3], rewards: [8] },
      { choices: [1], rewards: [16], terminates: [0] },
    ]);
    const { rollouts, episodes } = collector(make).collect(5, coin(1));
    expect(rowsOf(rollouts[0], rowOf)).toMatchObject([
      { tick: 1, reward: 2 + 4, ended: CONTINUES, next: 3, blinded: 1 },
      { tick: 3, reward: 8 + 16, ended: TERMINATED, blinded: 1 },
    ]);
    expect(episodes[0].returns).toEqual([31]);
  });

  it("ends with a last look where the clock ran out, and with nothing where the task was over", () => {
    const make = scriptWorld([
      { choices: [2, 2], rewards: [1, 1], terminates: [0] },
      { choices: [0, 2], rewards: [0, 3], truncates: [1] },
    ]);
    const { rollouts } = collector(make).collect(2, NEVER);
    expect(rowsOf(rollouts[0], rowOf)).toMatchObject([
      { agent: 0, tick: 0, reward: 1, ended: TERMINATED, next: null },
      { agent: 1, tick: 0, reward: 1, ended: CONTINUES, next: 1 },
      { agent: 1, tick: 1, reward: 3, ended: TRUNCATED, next: 1 },
      { agent: 1, tick: 1, reward: 0, ended: LAST_LOOK, next: null },
    ]);
    const [, , truncated, look] = rowsOf(rollouts[0], everythingOf);
    expect(rollouts[0].next[2]).toBe(3);
    // It saw tick 2, agent 1, and the policy's own V of that: ½·2 − 1 + ¼·sum.
    const sum = look.observation[2];
    expect(look.observation).toEqual([2, 1, sum, 0]);
    expect(look.value).toBe(0.5 * 2 - 1 + 0.25 * sum);
    expect(truncated.observation[0]).toBe(1);
  });

  it("has room for every last look, even of decisions that were carried over", () => {
    const make = scriptWorld(
      [
        { choices: [2, 0], rewards: [0, 0] },
        { choices: [0, 2], rewards: [0, 0] },
        { choices: [2, 0], rewards: [5, 7], truncates: [0, 1] },
      ],
      { turnBased: true },
    );
    const playing = collector(make);
    playing.collect(2, NEVER);
    const [rollout] = playing.collect(1, NEVER).rollouts;
    // Two carried over, one new, two last looks.
    expect(rollout.length).toBe(5);
    expect(rowsOf(rollout, rowOf).map(({ ended }) => ended)).toEqual([
      CONTINUES,
      TRUNCATED,
      TRUNCATED,
      LAST_LOOK,
      LAST_LOOK,
    ]);
    expect(rowsOf(rollout, rowOf)[1]).toMatchObject({ agent: 1, tick: 1, reward: 7, next: 2 });
  });
});

describe("the rows of any script", () => {
  it("are those that its bookkeeping by hand gives, whoever shares a policy and wherever rollouts are cut", () => {
    fc.assert(
      fc.property(
        scripts,
        fc.boolean(),
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 }),
        (world, shared, cuts) => {
          const { script, turnBased } = world;
          const N = script[0].choices.length;
          const players = script[0].choices.map((_, agent) => (shared ? 0 : agent));
          const policies = Array.from({ length: shared ? 1 : N }, watchful);
          const playing = collector(scriptWorld(script, { turnBased }), { copies: 2, players, policies });
          const total = cuts.reduce((a, b) => a + b);
          const complete: ReturnType<typeof rowOf>[] = [];
          let open: ReturnType<typeof rowOf>[] = [];
          for (const ticks of cuts) {
            open = [];
            playing.collect(ticks, coin(0.5)).rollouts.forEach((rollout, k) => {
              for (const row of rowsOf(rollout, rowOf)) {
                expect(players[row.agent]).toBe(k);
                if (row.ended <= TRUNCATED) complete.push(row);
                if (row.ended === OPEN) open.push(row);
              }
            });
          }
          const place = (row: { copy: number; tick: number; agent: number }) =>
            (row.copy * 1000 + row.tick) * 10 + row.agent;
          const got = [...complete, ...open].sort((a, b) => place(a) - place(b));
          const blinded = new Set(got.filter((row) => row.blinded).map(place));
          expect(got).toEqual(
            byHand(script, 2, total, (copy, tick, agent) => blinded.has(place({ copy, tick, agent }))),
          );
        },
      ),
      { numRuns: 150 },
    );
  });

  it("are the same in two rollouts of 32 ticks as in one of 64", () => {
    const make = scriptWorld(LONG, { luck: true });
    const whole = collector(make, { copies: 3 }).collect(64, coin(0.3)).rollouts[0];
    const halves = collector(make, { copies: 3 });
    const first = rowsOf(halves.collect(32, coin(0.3)).rollouts[0], everythingOf);
    const second = rowsOf(halves.collect(32, coin(0.3)).rollouts[0], everythingOf);
    const carried = first.filter(({ ended }) => ended === OPEN).length;
    expect(carried).toBeGreaterThan(2);
    const place = (row: ReturnType<typeof everythingOf>) => [row.tick, row.copy, row.agent, row.ended].join();
    const put = (rows: ReturnType<typeof everythingOf>[]) => rows.sort((a, b) => place(a).localeCompare(place(b)));
    expect(put([...first.filter(({ ended }) => ended !== OPEN), ...second])).toEqual(put(rowsOf(whole, everythingOf)));
  });
});

describe("the coin", () => {
  // Agents 0 and 1 decide at every tick, agent 2 at every other and is forced in between.
  const make = scriptWorld([
    { choices: [3, 3, 3], rewards: [0, 0, 0] },
    { choices: [3, 3, 1], rewards: [0, 0, 0], terminates: [0, 1, 2] },
  ]);
  const pi = [0.7, 0.2, 0.1];
  const nu = [0.1, 0.3, 0.6];
  const TICKS = 1000;
  const COPIES = 8;
  const p = 0.2;
  const [rollout] = collector(make, {
    copies: COPIES,
    policies: [formulaPolicy(() => pi.map(Math.log))],
    perturbations: [nu, nu, nu].map((weights) => weightedPerturbation(...weights)),
  }).collect(TICKS, coin(p)).rollouts;
  const rows = rowsOf(rollout, everythingOf).filter(({ ended }) => ended !== OPEN);

  /** Whether a count is within four standard deviations of a binomial's mean. */
  const plausible = (count: number, n: number, q: number) => Math.abs(count - n * q) < 4 * Math.sqrt(n * q * (1 - q));

  it("blinds at most one agent at a time", () => {
    const places = rows.filter(({ blinded }) => blinded).map(({ copy, tick }) => `${copy} ${tick}`);
    expect(places.length).toBeGreaterThan(1000);
    expect(new Set(places).size).toBe(places.length);
  });

  it("blinds somebody in a share p of the ticks, each of the deciding agents as often", () => {
    const n = TICKS * COPIES;
    expect(plausible(rows.filter(({ blinded }) => blinded).length, n, p)).toBe(true);
    for (const agent of [0, 1, 2]) {
      const three = rows.filter((row) => row.agent === agent && row.tick % 2 === 0);
      expect(plausible(three.filter(({ blinded }) => blinded).length, n / 2, p / 3)).toBe(true);
      const two = rows.filter((row) => row.agent === agent && row.tick % 2 === 1);
      expect(two.length).toBe(agent === 2 ? 0 : n / 2);
      if (agent < 2) expect(plausible(two.filter(({ blinded }) => blinded).length, n / 2, p / 2)).toBe(true);
    }
  });

  it("logs each agent's own rate, p by the number of agents that decide", () => {
    expect(
      rows.filter(({ tick, blindProbability }) => blindProbability !== Math.fround(p / (tick % 2 ? 2 : 3))),
    ).toEqual([]);
  });

  it("is for one agent alone where one is named, and then disturbs nobody else's decisions of it", () => {
    for (const only of [1, 2]) {
      const [alone] = collector(make, {
        copies: COPIES,
        perturbations: [nu, nu, nu].map((w) => weightedPerturbation(...w)),
      }).collect(TICKS, { kind: "coin", probability: p, agent: only }).rollouts;
      const all = rowsOf(alone, everythingOf).filter(({ ended }) => ended !== OPEN);
      expect(new Set(all.filter(({ blinded }) => blinded).map(({ agent }) => agent))).toEqual(new Set([only]));
      const own = all.filter(({ agent }) => agent === only);
      expect(plausible(own.filter(({ blinded }) => blinded).length, own.length, p)).toBe(true);
      expect(own.every(({ blindProbability, disturbed }) => blindProbability === Math.fround(p) && !disturbed)).toBe(
        true,
      );
      expect(all.every(({ agent, blindProbability }) => agent === only || blindProbability === 0)).toBe(true);
    }
  });

  it("marks as disturbed exactly the decisions in whose course somebody else was blinded", () => {
    const blind = new Set(
      rows.filter(({ blinded }) => blinded).map(({ copy, tick, agent }) => `${copy} ${tick} ${agent}`),
    );
    const wrong = rows.filter(({ copy, tick, agent, disturbed }) => {
      // Agent 2's decision lasts two ticks, the others' one.
      const course = agent === 2 ? [tick, tick + 1] : [tick];
      const others = [0, 1, 2].filter((other) => other !== agent);
      const crossed = course.some((t) => others.some((other) => blind.has(`${copy} ${t} ${other}`)));
      return disturbed !== (crossed ? 1 : 0);
    });
    expect(wrong).toEqual([]);
  });

  it("has the blinded act by ν and the others by π, and logs ln π of what they did", () => {
    for (const [blinded, probabilities] of [
      [0, pi],
      [1, nu],
    ] as const) {
      const acted = rows.filter((row) => row.blinded === blinded);
      probabilities.forEach((q, a) => {
        expect(plausible(acted.filter(({ action }) => action[0] === a).length, acted.length, q)).toBe(true);
      });
    }
    const wrong = rows.filter(({ logProb, action: [a], policy, perturbation }) => {
      const far = (x: number, q: number) => Math.abs(x - Math.log(q)) > 1e-6;
      return policy[a] !== logProb || far(logProb, pi[a]) || far(perturbation[a], nu[a]);
    });
    expect(wrong).toEqual([]);
  });

  it("asks each agent's own perturbation, though a policy be shared", () => {
    const perturbations = [weightedPerturbation(1, 0, 0), weightedPerturbation(0, 1, 0), weightedPerturbation(0, 0, 1)];
    const [shared] = collector(make, { copies: 2, perturbations }).collect(50, coin(1)).rollouts;
    const blinded = rowsOf(shared, everythingOf).filter((row) => row.blinded);
    expect(blinded.length).toBe(100);
    for (const { agent, action } of blinded) expect(action).toEqual([agent]);
  });
});

describe("masks that decide", () => {
  const make = scriptWorld([
    { choices: [2, 2, 2], rewards: [0, 0, 0] },
    { choices: [1, 2, 2], rewards: [0, 0, 0] },
    { choices: [2, 2, 2], rewards: [0, 0, 0], terminates: [0, 1, 2] },
  ]);
  /** Asks for certain blinding, and remembers about whom it was asked. */
  const always = () => {
    const asked: number[][] = [];
    const blind = ({ agent, count, observations }: Decisions, probability: Float32Array) => {
      for (let row = 0; row < count; row++) asked.push([agent, observations[row * 4 + 1], observations[row * 4]]);
      probability.fill(1, 0, count);
    };
    return { asked, blinding: { kind: "mask", blind } as const };
  };
  const perturbations = [0, 1, 2].map(() => weightedPerturbation(0, 1, 0));

  it.each([[[0, 0, 0]], [[0, 1, 1]]])(
    "may blind one agent an episode, in turns, of which every fourth is nobody's (players %p)",
    (players) => {
      const policies = players[1] === 0 ? [watchful()] : [watchful(), watchful()];
      const { asked, blinding } = always();
      const { rollouts } = collector(make, { players, policies, perturbations, copies: 2 }).collect(3 * 12, blinding);
      const rows = rollouts.flatMap((rollout) => rowsOf(rollout, everythingOf));
      expect(rows.length).toBe(2 * 12 * 8);
      for (const { agent, copy, episode, blinded, blindProbability, disturbed, action } of rows) {
        // Turn copy + episode: 0 1 2, 0 1 2, 0 1 2, then three that are nobody's.
        const turn = copy + episode;
        const subject = Math.floor(turn / 3) % 4 === 3 ? undefined : turn % 3;
        expect([blinded, blindProbability]).toEqual(agent === subject ? [1, 1] : [0, 0]);
        // Whose turn it is is never disturbed.
        if (agent === subject) expect([disturbed, action]).toEqual([0, [1]]);
        if (subject === undefined) expect(disturbed).toBe(0);
      }
      // Each mask is asked about its own agent alone, and not about the forced moves of agent 0 at tick 1.
      expect(asked.length).toBe(rows.filter(({ blinded }) => blinded).length);
      expect(asked.filter(([agent, seenBy, tick]) => agent !== seenBy || (agent === 0 && tick === 1))).toEqual([]);
    },
  );

  it("blind with the probability that they give, and it is recorded", () => {
    const blind = ({ count }: Decisions, probability: Float32Array) => void probability.fill(0.3, 0, count);
    const many = collector(make, { perturbations, copies: 40 });
    const rows = rowsOf(many.collect(300, { kind: "mask", blind }).rollouts[0], everythingOf);
    const asked = rows.filter(({ blindProbability }) => blindProbability > 0);
    expect(new Set(asked.map(({ blindProbability }) => blindProbability))).toEqual(new Set([Math.fround(0.3)]));
    // Three quarters of the turns are somebody's, who makes 8/3 decisions an episode: some 8000; 4·√(.21 / 8000) = .02.
    expect(asked.length).toBeGreaterThan(7500);
    expect(Math.abs(asked.filter(({ blinded }) => blinded).length / asked.length - 0.3)).toBeLessThan(0.02);
    expect(rows.filter(({ blinded, blindProbability }) => blinded && blindProbability === 0)).toEqual([]);
  });

  it("pass over those who are played by others", () => {
    const opponents = scripted({ policies: [watchful(), watchful(), watchful()], share: 1 });
    const { blinding } = always();
    const { rollouts, episodes } = collector(make, { perturbations, copies: 2, opponents }).collect(3 * 16, blinding);
    const rows = rowsOf(rollouts[0], everythingOf);
    const blinded = rows.filter((row) => row.blinded);
    // One seat an episode is the learner's: of its turns three in four are blinded throughout.
    expect(episodes.every(({ learning }) => learning.filter(Boolean).length === 1)).toBe(true);
    const episodesOf = (of: typeof rows) => new Set(of.map(({ copy, episode }) => `${copy} ${episode}`)).size;
    expect([episodesOf(rows), episodesOf(blinded)]).toEqual([32, 24]);
  });

  it.each([1.5, -0.1, Number.NaN])("are refused a probability of %p", (p) => {
    const blind = ({ count }: Decisions, probability: Float32Array) => void probability.fill(p, 0, count);
    expect(() => collector(make).collect(1, { kind: "mask", blind })).toThrow(
      `the mask of agent_0 must give probabilities in [0, 1], got ${Math.fround(p)}`,
    );
  });

  it("continue from a saved state as if they had not stopped", () => {
    const blind = ({ count }: Decisions, probability: Float32Array) => void probability.fill(0.5, 0, count);
    const [whole, stopped, resumed] = [0, 1, 2].map(() => collector(make, { perturbations, copies: 5 }));
    for (const each of [whole, stopped]) each.collect(7, { kind: "mask", blind });
    resumed.restoreState(stopped.exportState());
    const [one, two] = [whole, resumed].map((each) => each.collect(20, { kind: "mask", blind }));
    expect(resumed.hash).toBe(whole.hash);
    expect(rowsOf(two.rollouts[0], everythingOf)).toEqual(rowsOf(one.rollouts[0], everythingOf));
  });
});

describe("a steered coin", () => {
  const make = scriptWorld([
    { choices: [2, 2, 2], rewards: [0, 0, 0] },
    { choices: [2, 2, 2], rewards: [0, 0, 0], terminates: [0, 1, 2] },
  ]);
  /** Agent 0 keeps all of its blinding, agent 1 a quarter, agent 2 nothing. */
  const KEPT = [1, 0.25, 0];
  const steer = ({ agent, count }: Decisions, keep: Float32Array) => void keep.fill(KEPT[agent], 0, count);

  it("logs the probability that is left, and blinds as often", () => {
    const perturbations = [0, 1, 2].map(() => weightedPerturbation(0, 1, 0));
    const many = collector(make, { perturbations, copies: 40 });
    const rows = rowsOf(many.collect(600, { kind: "coin", probability: 0.6, steer }).rollouts[0], everythingOf);
    for (const [agent, kept] of KEPT.entries()) {
      const own = rows.filter((row) => row.agent === agent);
      // A third of .6 each, times what is kept: 24,000 rows each; 5·√(.2·.8 / 24000) = .013.
      expect(new Set(own.map(({ blindProbability }) => blindProbability))).toEqual(new Set([Math.fround(0.2 * kept)]));
      expect(Math.abs(own.filter(({ blinded }) => blinded).length / own.length - 0.2 * kept)).toBeLessThan(0.013);
    }
  });

  it("is asked about no one but the agent that it is for", () => {
    const asked = new Set<number>();
    const half = ({ agent, count }: Decisions, keep: Float32Array) => {
      asked.add(agent);
      keep.fill(0.5, 0, count);
    };
    const [rollout] = collector(make).collect(60, { kind: "coin", probability: 0.6, agent: 1, steer: half }).rollouts;
    expect([...asked]).toEqual([1]);
    const logged = rowsOf(rollout, everythingOf).map(({ agent, blindProbability }) => [agent, blindProbability]);
    expect(new Set(logged.map(String))).toEqual(
      new Set(
        [
          [0, 0],
          [1, Math.fround(0.3)],
          [2, 0],
        ].map(String),
      ),
    );
  });

  it("refuses what is no probability", () => {
    const wild = ({ count }: Decisions, keep: Float32Array) => void keep.fill(2, 0, count);
    expect(() => collector(make).collect(1, { kind: "coin", probability: 0.5, steer: wild })).toThrow(
      "what steers the blinding of agent_0 must give probabilities in [0, 1], got 2",
    );
  });
});

describe("chance", () => {
  const make = scriptWorld(
    [
      ...Array<Tick>(6).fill({ choices: [3, 3], rewards: [0, 0] }),
      { choices: [2, 1], rewards: [1, 2], terminates: [0, 1] },
    ],
    {
      luck: true,
    },
  );

  it("is the seed's: the same seed gives the same run, another seed another", () => {
    const run = (seed: number) => {
      const playing = collector(make, { seed, copies: 3 });
      const { rollouts } = playing.collect(40, coin(0.2));
      return { hash: playing.hash, rows: rowsOf(rollouts[0], everythingOf) };
    };
    expect(run(1)).toEqual(run(1));
    expect(run(2).hash).not.toBe(run(1).hash);
  });

  it("shows in the hash, be it in actions, rewards or endings", () => {
    const script: Tick = { choices: [3], rewards: [1] };
    const over: Tick[] = [script, { ...script, terminates: [0] }];
    const hashOf = (ticks: readonly Tick[], action: number) => {
      const playing = collector(scriptWorld(ticks), {
        policies: [formulaPolicy(() => [0, 1, 2].map((a) => (a === action ? 0 : -1000)))],
      });
      playing.collect(2, NEVER);
      return playing.hash;
    };
    const hashes = [
      hashOf(over, 0),
      hashOf(over, 1),
      hashOf([{ ...script, rewards: [2] }, over[1]], 0),
      hashOf([script, { ...script, truncates: [0] }], 0),
      hashOf([script, script, script], 0),
    ];
    expect(new Set(hashes).size).toBe(5);
    expect(hashOf(over, 0)).toBe(hashes[0]);
  });

  it("of a copy does not depend on how many there are beside it", () => {
    const run = (copies: number) => {
      const { rollouts, episodes } = collector(make, { copies }).collect(40, coin(0.2));
      const first = <T extends { copy: number }>(all: readonly T[]) => all.filter(({ copy }) => copy < 4);
      return { rows: first(rowsOf(rollouts[0], everythingOf)), episodes: first(episodes) };
    };
    expect(run(4).episodes.length).toBe(4 * 5);
    expect(run(8)).toEqual(run(4));
  });

  it("differs between copies and between episodes, the world's as well as the agents'", () => {
    const [rollout] = collector(make, { copies: 2 }).collect(14, NEVER).rollouts;
    const rows = rowsOf(rollout, everythingOf);
    const games = [0, 1].flatMap((copy) =>
      [0, 1].map((episode) => rows.filter((row) => row.copy === copy && row.episode === episode)),
    );
    expect(new Set(games.map((game) => game.map(({ action }) => action[0]).join(""))).size).toBe(4);
    expect(new Set(games.map((game) => game.map(({ observation }) => observation[3]).join(""))).size).toBe(4);
  });

  it.each([
    ["action", 0],
    ["perturbation", 1],
  ] as const)("of each %s is the stream of that name for the seed, the copy and the episode", (name, probability) => {
    const alone = scriptWorld([
      { choices: [3], rewards: [0] },
      { choices: [3], rewards: [0], terminates: [0] },
    ]);
    const weights = [0.2, 0.3, 0.5];
    const options = {
      policies: [formulaPolicy(() => weights.map(Math.log))],
      perturbations: [weightedPerturbation(...weights)],
    };
    const [rollout] = collector(alone, { ...options, copies: 2, seed: 8 }).collect(40, coin(probability)).rollouts;
    for (const { copy, episode, tick, action } of rowsOf(rollout, everythingOf)) {
      const draws = stream(8, name, copy, episode);
      const u = [draws.uniform(), draws.uniform()][tick % 2];
      expect(action).toEqual([u < 0.2 ? 0 : u < 0.5 ? 1 : 2]);
    }
  });
});

describe("a saved collector", () => {
  const make = scriptWorld(LONG, { luck: true });
  const options = { copies: 3, players: [0, 1, 1], policies: [watchful(), watchful()] };
  const blinding = coin(0.3);

  it("continues exactly, in the middle of episodes and through a clone", () => {
    const uninterrupted = collector(make, options);
    uninterrupted.collect(17, blinding);
    const expected = uninterrupted.collect(30, blinding);

    const stopped = collector(make, options);
    stopped.collect(17, blinding);
    const state: CollectorState = structuredClone(stopped.exportState());
    expect(state.pending.some(({ length }) => length > 0)).toBe(true);
    // Twice from one state: restoring must not use it up.
    for (let time = 0; time < 2; time++) {
      const resumed = collector(make, { ...options, seed: 1 });
      resumed.collect(5 * time, blinding);
      resumed.restoreState(state);
      expect([resumed.ticks, resumed.hash]).toEqual([17, stopped.hash]);
      const got = resumed.collect(30, blinding);
      expect(resumed.hash).toBe(uninterrupted.hash);
      expect(got.episodes).toEqual(expected.episodes);
      got.rollouts.forEach((rollout, k) => {
        expect(rowsOf(rollout, everythingOf)).toEqual(rowsOf(expected.rollouts[k], everythingOf));
      });
    }
  });

  it("is a copy: neither side changes the other, nor the rollouts that were handed out", () => {
    const playing = collector(make, options);
    const saved: [state: CollectorState, clone: CollectorState][] = [];
    for (let i = 0; i < 5; i++) {
      const { rollouts } = playing.collect(9, blinding);
      const before = rollouts.map((rollout) => rowsOf(rollout, everythingOf));
      for (let time = 0; time < 2; time++) {
        const state = playing.exportState();
        saved.push([state, structuredClone(state)]);
      }
      expect(rollouts.map((rollout) => rowsOf(rollout, everythingOf))).toEqual(before);
    }
    for (const [state, clone] of saved) expect(structuredClone(state)).toEqual(clone);
  });

  it("goes on with new episodes where the world cannot be copied, and what was open is left out", () => {
    const make = scriptWorld(LONG, { snapshots: false, luck: true });
    const stopped = collector(make, options);
    stopped.collect(17, blinding);
    const state = structuredClone(stopped.exportState());
    expect(state.worlds.length).toBe(0);
    expect(state.pending.map(({ length }) => length)).toEqual([0, 0]);
    const runs = [0, 1].map(() => {
      const resumed = collector(make, options);
      resumed.restoreState(state);
      expect([resumed.ticks, resumed.hash]).toEqual([17, stopped.hash]);
      const { rollouts } = resumed.collect(3, blinding);
      const rows = rollouts.flatMap((rollout) => rowsOf(rollout, everythingOf));
      for (const { copy, episode, tick } of rows) {
        expect(episode).toBe(state.episodes[copy] + 1);
        expect(tick).toBeGreaterThanOrEqual(17);
      }
      return [resumed.hash, rows];
    });
    expect(runs[0]).toEqual(runs[1]);
  });

  it("needs as many copies as there were", () => {
    const two = collector(make, { ...options, copies: 2 });
    const three = collector(make, options);
    expect(() => two.restoreState(three.exportState())).toThrow(expect.objectContaining({ code: "shape-mismatch" }));
  });
});

describe("what a collector refuses", () => {
  const endless = (options: ScriptOptions = {}) =>
    scriptWorld(Array<Tick>(50).fill({ choices: [2, 2], rewards: [0, 0] }), options);
  const code = (run: () => unknown) => {
    try {
      run();
      return "nothing";
    } catch (error) {
      return isMagicMaskError(error) ? error.code : error;
    }
  };

  it("a reward that is not a number", () => {
    const bad = scriptWorld([{ choices: [2, 2], rewards: [0, Number.NaN], terminates: [0, 1] }]);
    expect(code(() => collector(bad).collect(1, NEVER))).toBe("not-finite");
  });

  it("a policy that is not a number", () => {
    const broken = { evaluate: (_: unknown, parameters: Float32Array) => void parameters.fill(Number.NaN) };
    expect(code(() => collector(endless(), { policies: [broken] }).collect(1, NEVER))).toBe("not-finite");
    expect(
      code(() => collector(endless(), { policies: [formulaPolicy(() => [0, Number.NaN, 0])] }).collect(1, NEVER)),
    ).toBe("not-finite");
  });

  it("an agent that must act and cannot", () => {
    const stuck: MakeEnvironment = () => ({
      ...endless()(),
      legal(_agent, out, offset) {
        out.fill(0, offset, offset + ACTIONS);
        return 0;
      },
    });
    expect(code(() => collector(stuck).collect(1, NEVER))).toBe("no-legal-action");
  });

  it("players and perturbations that do not fit the agents", () => {
    expect(code(() => collector(endless(), { policies: [watchful(), watchful()] }))).toBe("invalid-option");
    expect(code(() => collector(endless(), { players: [0] }))).toBe("shape-mismatch");
    expect(code(() => collector(endless(), { perturbations: [uniform()] }))).toBe("shape-mismatch");
    const unlike: MakeEnvironment = () => {
      const world = endless()();
      return {
        ...world,
        observationSpaces: [world.observationSpaces[0], { ...world.observationSpaces[1], shape: [5] }],
      };
    };
    expect(code(() => collector(unlike))).toBe("unsupported");
    expect(code(() => collector(unlike, { players: [0, 1], policies: [watchful(), watchful()] }))).toBe("nothing");
  });
});

/** Scripts of 1 to 3 agents in which each ends at its own time, by the rules or by the clock. */
const scripts = fc
  .record({
    N: fc.integer({ min: 1, max: 3 }),
    turnBased: fc.boolean(),
    ends: fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 3, maxLength: 3 }),
    byClock: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
    choices: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 18, maxLength: 18 }),
    rewards: fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 18, maxLength: 18 }),
  })
  .map(({ N, turnBased, ends, byClock, choices, rewards }) => {
    const agents = [0, 1, 2].slice(0, N);
    const last = Math.max(...agents.map((i) => ends[i]));
    const survivor = agents.find((i) => ends[i] === last) as number;
    const script = Array.from({ length: last + 1 }, (_, t): Tick => {
      const alive = (i: number) => t <= ends[i];
      const wish = agents.map((i) => (alive(i) ? choices[t * 3 + i] : 0));
      const mover = agents.find((i) => wish[i] > 0) ?? survivor;
      const count = (i: number) => (i === mover ? Math.max(1, wish[i]) : turnBased ? 0 : wish[i]);
      const over = agents.filter((i) => ends[i] === t);
      return {
        choices: agents.map(count),
        rewards: agents.map((i) => rewards[t * 3 + i]),
        terminates: over.filter((i) => !byClock[i]),
        truncates: over.filter((i) => byClock[i]),
      };
    });
    return { script, turnBased };
  });

/** The rows of `ticks` ticks of a script that is played over and over, straight from what a row means. */
function byHand(
  script: readonly Tick[],
  copies: number,
  ticks: number,
  isBlinded: (copy: number, tick: number, agent: number) => boolean,
) {
  const T = script.length;
  const agents = script[0].choices.map((_, agent) => agent);
  const endOf = (agent: number) =>
    script.findIndex((tick) => [...(tick.terminates ?? []), ...(tick.truncates ?? [])].includes(agent));
  const rows: ReturnType<typeof rowOf>[] = [];
  for (let copy = 0; copy < copies; copy++) {
    for (let tick = 0; tick < ticks; tick++) {
      for (const agent of agents) {
        if (script[tick % T].choices[agent] < 2) continue;
        const start = tick - (tick % T);
        const end = start + endOf(agent);
        let until = tick;
        while (until < end && script[(until + 1) % T].choices[agent] < 2) until++;
        const goesOn = until < end;
        const seen = Math.min(until, ticks - 1);
        let [reward, disturbed] = [0, 0];
        for (let t = tick; t <= seen; t++) {
          reward += script[t % T].rewards[agent];
          if (agents.some((other) => other !== agent && isBlinded(copy, t, other))) disturbed = 1;
        }
        const complete = goesOn ? until + 1 < ticks : until < ticks;
        const truncated = script[endOf(agent)].truncates?.includes(agent);
        const ended = !complete ? OPEN : goesOn ? CONTINUES : truncated ? TRUNCATED : TERMINATED;
        const next = ended === CONTINUES ? until + 1 : ended === TRUNCATED ? until : null;
        const episode = Math.floor(tick / T);
        const blinded = isBlinded(copy, tick, agent) ? 1 : 0;
        rows.push({ copy, agent, episode, tick, reward, ended, next, blinded, disturbed });
      }
    }
  }
  return rows;
}
