import { describe, expect, it } from "@jest/globals";
import { stream, vectorize } from "@magic-mask/core";
import { referenceLearner } from "@magic-mask/core/testing";
import { createCollector } from "./collector.ts";
import { type Opponents, pool, scripted, self } from "./opponents.ts";
import { formulaPolicy, learnedPolicy, scriptWorld, uniform } from "./test-worlds.ts";

const NEVER = { kind: "coin", probability: 0 } as const;
/** Three agents, two ticks. */
const make = scriptWorld([
  { choices: [3, 3, 3], rewards: [1, 2, 4] },
  { choices: [3, 3, 3], rewards: [1, 2, 4], terminates: [0, 1, 2] },
]);
/** Learners never take action 2, opponents always do. */
const learning = formulaPolicy(() => [0, 0, -1000]);
const opposing = formulaPolicy(() => [-1000, -1000, 0]);

function playAgainst(opponents: Opponents, ticks = 2000) {
  const vector = vectorize(make, 2);
  const collector = createCollector({
    vector,
    policies: [learning],
    players: [0, 0, 0],
    perturbations: [uniform(), uniform(), uniform()],
    seed: 3,
    opponents,
  });
  const { rollouts, episodes } = collector.collect(ticks, NEVER);
  return { rollout: rollouts[0], episodes };
}

const EVERYWHERE = [opposing, opposing, opposing];

const plausible = (count: number, n: number, q: number) => Math.abs(count - n * q) < 4 * Math.sqrt(n * q * (1 - q));

describe("self-play", () => {
  it("leaves every seat to its learner", () => {
    const { rollout, episodes } = playAgainst(self(), 100);
    expect(rollout.length).toBe(100 * 2 * 3);
    expect(episodes.every(({ learning: seats }) => seats.every(Boolean))).toBe(true);
  });
});

describe("a scripted opponent", () => {
  const { rollout, episodes } = playAgainst(scripted({ policies: EVERYWHERE, share: 0.3 }));
  const met = episodes.filter(({ learning: seats }) => !seats.every(Boolean));

  it("is met in the stated share of episodes, in all seats but one, which is each one as often", () => {
    expect(episodes.length).toBe(2000);
    expect(plausible(met.length, episodes.length, 0.3)).toBe(true);
    for (const { learning: seats } of met) expect(seats.filter(Boolean).length).toBe(1);
    for (const agent of [0, 1, 2]) {
      expect(plausible(met.filter(({ learning: seats }) => seats[agent]).length, met.length, 1 / 3)).toBe(true);
    }
  });

  it("leaves a side together, each agent's as often", () => {
    const sided = scripted({ policies: EVERYWHERE, sides: ["hunters", "prey", "hunters"], share: 1 });
    const { episodes } = playAgainst(sided);
    const hunting = episodes.filter(({ learning: [first, second, third] }) => first && third && !second);
    const fleeing = episodes.filter(({ learning: [first, second, third] }) => !first && !third && second);
    expect(hunting.length + fleeing.length).toBe(episodes.length);
    expect(plausible(hunting.length, episodes.length, 2 / 3)).toBe(true);
  });

  it("is never learned from", () => {
    const learners = new Set(
      episodes.flatMap(({ copy, episode, learning: seats }) =>
        seats.flatMap((own, agent) => (own ? [`${copy} ${episode} ${agent}`] : [])),
      ),
    );
    const rows = Array.from({ length: rollout.length }, (_, row) => row);
    const wrong = rows.filter(
      (row) =>
        rollout.actions[row] === 2 ||
        !learners.has(`${rollout.copies[row]} ${rollout.episodes[row]} ${rollout.agents[row]}`),
    );
    expect(wrong).toEqual([]);
    // Each learning seat decides twice.
    expect(rollout.length).toBe(2 * learners.size);
  });

  it("earns what its seat earns, which the episode reports", () => {
    for (const { returns } of met) expect(returns).toEqual([2, 4, 8]);
  });

  it("is not blinded: the coin falls among the learners", () => {
    const vector = vectorize(make, 2);
    const options = {
      vector,
      policies: [learning],
      players: [0, 0, 0],
      perturbations: [uniform(), uniform(), uniform()],
      seed: 3,
    };
    const collector = createCollector({ ...options, opponents: scripted({ policies: EVERYWHERE, share: 1 }) });
    const [blinded] = collector.collect(200, { kind: "coin", probability: 0.5 }).rollouts;
    // One learner a tick and copy: p is not shared with the opponents.
    expect(blinded.length).toBe(400);
    expect(new Set(blinded.blindProbability.subarray(0, 400))).toEqual(new Set([0.5]));
    expect(
      plausible(
        blinded.blinded.subarray(0, 400).reduce((a, b) => a + b, 0),
        400,
        0.5,
      ),
    ).toBe(true);
    expect(blinded.disturbed.subarray(0, 400).every((bit) => bit === 0)).toBe(true);
  });

  it("refuses a share that is not one, and seats that it could not read", () => {
    const invalid = expect.objectContaining({ code: "invalid-option" });
    expect(() => scripted({ policies: EVERYWHERE, share: 1.5 })).toThrow(invalid);
    const vector = vectorize(() => {
      const world = make();
      return {
        ...world,
        observationSpaces: [...world.observationSpaces.slice(0, 2), { ...world.observationSpaces[2], shape: [5] }],
      };
    }, 1);
    const own = {
      policies: [learning, learning, learning],
      players: [0, 1, 2],
      perturbations: [uniform(), uniform(), uniform()],
    };
    const against = (bySeat: boolean) => () =>
      createCollector({ vector, ...own, seed: 1, opponents: { ...self(), policies: EVERYWHERE, bySeat } });
    expect(against(false)).toThrow(expect.objectContaining({ code: "unsupported" }));
    expect(against(true)).not.toThrow();
  });
});

describe("a pool of past selves", () => {
  const spec = { kind: "mlp", inputs: 4, hidden: [3], activation: "tanh", outputs: [4] } as const;
  const makePool = (share = 1) => {
    const learner = referenceLearner(spec, stream("learner"));
    const members: ReturnType<typeof referenceLearner>[] = [];
    const createMember = () => {
      const member = referenceLearner(spec, stream("member", members.length));
      members.push(member);
      return { learner: member, policy: learnedPolicy(member) };
    };
    const opponents = pool({ learner, createMember, size: 2, every: 2, share });
    /** Lets the learner be somebody else. */
    const become = (who: string) => learner.restoreState(referenceLearner(spec, stream(who)).exportState());
    const isMember = (who: string) => (member: (typeof members)[number]) =>
      member.exportState().parameters.join() === referenceLearner(spec, stream(who)).exportState().parameters.join();
    return { opponents, become, members, isMember };
  };
  const seatsDrawn = (opponents: Opponents, games = 300) => {
    const random = stream("seats");
    return Array.from({ length: games }, () => {
      const seats = Uint8Array.of(0, 0, 0);
      opponents.seat(seats, 1, random);
      return [...seats];
    });
  };

  it("has nobody to offer before the first snapshot", () => {
    const { opponents } = makePool();
    opponents.update(1);
    expect(
      seatsDrawn(opponents)
        .flat()
        .every((seat) => seat === 0),
    ).toBe(true);
  });

  it("takes a snapshot at every second iteration, the newest in place of the oldest", () => {
    const { opponents, become, members, isMember } = makePool();
    for (let iteration = 1; iteration <= 6; iteration++) {
      become(`self ${iteration}`);
      opponents.update(iteration);
      if (iteration === 2) expect(new Set(seatsDrawn(opponents).flat())).toEqual(new Set([0, 1]));
      if (iteration === 4)
        expect(members.map((member, k) => isMember(`self ${[2, 4][k]}`)(member))).toEqual([true, true]);
    }
    // Snapshots of iterations 2, 4, 6 in a ring of two: the third replaced the first.
    expect(members.map((member, k) => isMember(`self ${[6, 4][k]}`)(member))).toEqual([true, true]);
    const drawn = seatsDrawn(opponents, 600);
    for (const seats of drawn) expect(seats.filter((seat) => seat === 0).length).toBe(1);
    const others = drawn.flat().filter((seat) => seat > 0);
    expect(plausible(others.filter((seat) => seat === 1).length, others.length, 1 / 2)).toBe(true);
  });

  it("is met in the stated share of episodes", () => {
    const { opponents } = makePool(0.25);
    opponents.update(2);
    const met = seatsDrawn(opponents, 2000).filter((seats) => seats.some((seat) => seat > 0));
    expect(plausible(met.length, 2000, 0.25)).toBe(true);
  });

  it("is restored as it was, ring and all", () => {
    const first = makePool();
    for (let iteration = 1; iteration <= 6; iteration++) {
      first.become(`self ${iteration}`);
      first.opponents.update(iteration);
    }
    const second = makePool();
    second.opponents.restoreState(structuredClone(first.opponents.exportState()));
    expect(second.members.map((member) => member.exportState())).toEqual(
      first.members.map((member) => member.exportState()),
    );
    for (const { opponents, become, members, isMember } of [first, second]) {
      become("self 8");
      opponents.update(8);
      expect(isMember("self 8")(members[1])).toBe(true);
      expect(isMember("self 6")(members[0])).toBe(true);
    }
  });

  it.each([{ size: 0 }, { every: 0 }, { share: -0.1 }])("refuses %j", (bad) => {
    const learner = referenceLearner(spec, stream(1));
    const createMember = () => ({ learner, policy: learnedPolicy(learner) });
    const make = () => pool({ learner, createMember, size: 2, every: 2, share: 0.5, ...bad });
    expect(make).toThrow(expect.objectContaining({ code: "invalid-option" }));
  });
});
