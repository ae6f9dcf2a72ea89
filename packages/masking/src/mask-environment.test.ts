import { describe, expect, it } from "@jest/globals";
import {
  box,
  discrete,
  distributionOf,
  type Environment,
  ILLEGAL,
  isOver,
  type MakeEnvironment,
  type Perturbation,
  type Policy,
  play,
  stream,
} from "@magic-mask/core";
import { environmentLaws, market } from "@magic-mask/core/testing";
import fc from "fast-check";
import { BLIND, KEEP, maskEnvironment } from "./mask-environment.ts";
import { uniform } from "./perturbations/uniform.ts";
import { KEYS, leverWorld, steady, TICKS, WIDTH } from "./test-worlds.ts";

const nu = uniform(discrete(KEYS));
const policies = [steady, steady];
const perturbations = [nu, nu];

/** `make`, and what is done in the worlds it made. */
function watched(make: MakeEnvironment) {
  const log: { actions: number[]; rewards: number[] }[] = [];
  const made: MakeEnvironment = () => {
    const world = make();
    return {
      ...world,
      step(actions) {
        world.step(actions);
        log.push({ actions: [...actions], rewards: [...world.rewards] });
      },
    };
  };
  return { log, make: made };
}

type Wrap = (make: MakeEnvironment) => Environment;
const mask: Wrap = (make) => maskEnvironment(make, policies, perturbations);

/** What happens in the world below if the mask's bit is `bits(tick, agent)` wherever there is a choice. */
function playMasked(wrap: Wrap, seed: number, bits: (tick: number, agent: number) => number) {
  const { log, make } = watched(leverWorld);
  const world = wrap(make);
  const legal = new Uint8Array(2);
  world.reset(seed);
  for (let tick = 0; !isOver(world); tick++) {
    const chosen = world.agents.map((_, agent) =>
      world.legal(agent, legal, 0) > 1 ? bits(tick, agent) : legal.indexOf(1),
    );
    world.step(Float32Array.from(chosen));
  }
  return log;
}

/** The same from the definition, without the wrapper: kept moves are the policy's next draw, blind ones the perturbation's. */
function playByHand(seed: number, bits: (tick: number, agent: number) => number) {
  const { log, make } = watched(leverWorld);
  const world = make();
  const [acting, replacing] = [stream(seed, "action"), stream(seed, "perturbation")];
  const distribution = distributionOf(discrete(KEYS));
  const actions = new Float32Array(2);
  world.reset(seed);
  for (let tick = 0; !isOver(world); tick++) {
    for (let agent = 0; agent < 2; agent++) {
      const [observations, legal] = [new Float32Array(WIDTH), new Uint8Array(KEYS)];
      const row = new Float32Array(KEYS);
      world.observe(agent, observations, 0);
      const count = world.legal(agent, legal, 0);
      steady.evaluate({ count: 1, observations, legal }, row, new Float32Array(1));
      const blind = count > 1 && bits(tick, agent) === BLIND;
      if (blind) nu.evaluate({ count: 1, observations, legal }, row.slice(), row);
      distribution.at(row, 0).sample(blind ? replacing : acting, actions, agent);
    }
    world.step(actions);
  }
  return log;
}

/** Whether keeping everywhere gives the policies' own episodes, to the last reward. */
function keepingReplays(wrap: Wrap): boolean {
  return play({ make: leverWorld, policies, episodes: 20, seed: 3 }).every(({ seed, actions, rewards }) => {
    const log = playMasked(wrap, seed, () => KEEP);
    return (
      log.flatMap((step) => step.actions).join() === actions.join() &&
      log.flatMap((step) => step.rewards).join() === rewards.join()
    );
  });
}

/** Whether blinding everywhere gives what the perturbations do, drawn from `stream(seed, "perturbation")`. */
function blindingPerturbs(wrap: Wrap): boolean {
  return [1, 2, 3, 4, 5].every(
    (seed) => JSON.stringify(playMasked(wrap, seed, () => BLIND)) === JSON.stringify(playByHand(seed, () => BLIND)),
  );
}

describe("the mask's world", () => {
  it.each(environmentLaws.map((law) => [law.name, law] as const))("%s", (_, law) => law.run(() => mask(leverWorld)));

  it.each(environmentLaws.map((law) => [law.name, law] as const))("over candidates: %s", (_, law) => {
    const even = uniform(market().actionSpaces[0]);
    const policy: Policy = { evaluate: (batch, parameters) => even.evaluate(batch, parameters, parameters) };
    return law.run(() => maskEnvironment(market, [policy, policy], [even, even]));
  });

  it("shows policies the candidates that there are", () => {
    const seen: string[] = [];
    const watching: Policy = {
      evaluate({ count, legal, candidates: lists }, parameters) {
        seen.push(
          [count, ...(lists?.counts ?? []), ...(lists?.features.subarray(0, 6 * lists.counts[0]) ?? [])].join(" "),
        );
        for (let a = 0; a < 6; a++) parameters[a] = legal[a] && a === 0 ? 0 : ILLEGAL;
      },
    };
    const [world, plain] = [maskEnvironment(market, [watching, watching], perturbations), market()];
    for (const each of [world, plain]) each.reset(4);
    for (let tick = 0; tick < 8; tick++) {
      const features = new Float32Array(36);
      const count = plain.candidates?.(tick % 2, features, 0) ?? 0;
      world.step(Float32Array.of(KEEP, KEEP));
      expect(seen.at(-1)).toBe([1, count, ...features.subarray(0, 6 * count)].join(" "));
      plain.step(Float32Array.of(0, 0));
    }
  });

  it("gives the policies' own episodes where every move is kept", () => {
    expect(keepingReplays(mask)).toBe(true);
  });

  it("gives the perturbations' where every move is blinded", () => {
    expect(blindingPerturbs(mask)).toBe(true);
  });

  it("would be told from one where the same bit means the opposite", () => {
    const flipped: Wrap = (make) => {
      const world = mask(make);
      return {
        ...world,
        legal(agent, out, offset) {
          const count = world.legal(agent, out, offset);
          out.subarray(offset, offset + 2).reverse();
          return count;
        },
        step: (bits) => world.step(bits.map((bit) => 1 - bit)),
      };
    };
    expect(keepingReplays(flipped)).toBe(false);
    expect(blindingPerturbs(flipped)).toBe(false);
  });

  it("follows any mask move by move", () => {
    const anyBits = fc.array(fc.constantFrom(BLIND, KEEP), { minLength: 2 * TICKS, maxLength: 2 * TICKS });
    fc.assert(
      fc.property(fc.integer(), anyBits, (seed, chosen) => {
        const bits = (tick: number, agent: number) => chosen[2 * tick + agent];
        expect(playMasked(mask, seed, bits)).toEqual(playByHand(seed, bits));
      }),
    );
  });

  it("asks each agent's own policy and perturbation", () => {
    const only = (key: number): Perturbation => ({
      name: `only ${key}`,
      evaluate({ count }, _policy, out) {
        for (let i = 0; i < count * KEYS; i++) out[i] = i % KEYS === key ? 0 : -1e9;
      },
    });
    const evaluateBy = (perturbation: Perturbation) => ({
      evaluate: (batch: Parameters<Perturbation["evaluate"]>[0], out: Float32Array) =>
        perturbation.evaluate(batch, out, out),
    });
    const wrap: Wrap = (make) => maskEnvironment(make, [evaluateBy(only(2)), evaluateBy(only(0))], [only(1), only(2)]);
    expect(playMasked(wrap, 1, () => KEEP).map(({ actions }) => actions)).toEqual(Array(TICKS).fill([2, 0]));
    // Agent 1 has no choice at tick 0.
    expect(playMasked(wrap, 1, () => BLIND).map(({ actions }) => actions)).toEqual([
      [1, 0],
      [1, 2],
      [1, 2],
      [1, 2],
    ]);
  });

  it.each([
    ["policies", KEEP],
    ["perturbations", BLIND],
  ])("has the %s draw from what is given at restore, too", (_, bit) => {
    // A policy that looks at nothing, so that what it does shows its draws alone.
    const flat = {
      evaluate: (batch: Parameters<Perturbation["evaluate"]>[0], out: Float32Array) => nu.evaluate(batch, out, out),
    };
    const { log, make } = watched(leverWorld);
    const world = maskEnvironment(make, [flat, flat], perturbations);
    const snapshot = new Uint8Array(world.snapshotBytes);
    world.reset(1);
    world.step(Float32Array.of(KEEP, KEEP));
    world.snapshot(snapshot, 0);
    const future = (random?: ReturnType<typeof stream>) => {
      world.restore(snapshot, 0, random);
      log.length = 0;
      while (!isOver(world)) world.step(Float32Array.of(bit, bit));
      return log.map(({ actions }) => actions.join("")).join(" ");
    };
    const own = future();
    expect(future()).toBe(own);
    expect(future(stream(5))).toBe(future(stream(5)));
    // Six choices of three keys: 729 futures.
    expect(new Set(Array.from({ length: 20 }, (_future, k) => future(stream(k)))).size).toBeGreaterThan(15);
  });

  it("offers blindness only where there is a choice", () => {
    const world = mask(leverWorld);
    world.reset(1);
    const legal = new Uint8Array(4);
    expect([world.legal(0, legal, 0), world.legal(1, legal, 2), ...legal]).toEqual([2, 1, 1, 1, 0, 1]);
    const illegal = expect.objectContaining({ code: "illegal-action" });
    for (const bits of [
      [KEEP, BLIND],
      [2, KEEP],
      [Number.NaN, KEEP],
      [0.5, KEEP],
    ]) {
      expect(() => world.step(Float32Array.from(bits))).toThrow(illegal);
    }
  });

  it("withholds continuous actions too, which are always a choice, and plays them within their bounds", () => {
    const space = box([1], -1, 1);
    const played: number[] = [];
    const steering = (): Environment => {
      const world = leverWorld();
      return {
        ...world,
        actionSpaces: world.agents.map(() => space),
        legal: (agent) => world.acting[agent],
        step(actions) {
          played.push(...actions);
          world.step(new Float32Array(2));
        },
      };
    };
    // N(9, e⁻⁵): beyond the bound, every time.
    const eager: Policy = {
      evaluate(_batch, parameters, values) {
        parameters.set([9, -5]);
        values[0] = 0;
      },
    };
    const world = maskEnvironment(steering, [eager, eager], [uniform(space), uniform(space)]);
    world.reset(1);
    const legal = new Uint8Array(2);
    expect([world.legal(0, legal, 0), ...legal]).toEqual([2, 1, 1]);
    for (; !isOver(world); ) world.step(Float32Array.of(KEEP, BLIND));
    const [kept, blinded] = [0, 1].map((agent) => played.filter((_, i) => i % 2 === agent));
    expect(new Set(kept)).toEqual(new Set([1]));
    expect(blinded.every((x) => x >= -1 && x <= 1)).toBe(true);
    expect(new Set(blinded).size).toBe(blinded.length);
  });

  it("names its choices and leaves the rest as it is", () => {
    const [world, below] = [mask(leverWorld), leverWorld()];
    expect(world.actionSpaces).toEqual([discrete(2, ["blind", "keep"]), discrete(2, ["blind", "keep"])]);
    expect([world.id, world.agents, world.observationSpaces]).toEqual([
      "mask_lever_v0",
      below.agents,
      below.observationSpaces,
    ]);
    expect(maskEnvironment(() => ({ ...leverWorld(), snapshotBytes: 0 }), policies, perturbations).snapshotBytes).toBe(
      0,
    );
  });

  it("needs a policy and a perturbation for each agent", () => {
    const mismatch = expect.objectContaining({ code: "shape-mismatch" });
    expect(() => maskEnvironment(leverWorld, [steady], perturbations)).toThrow(mismatch);
    expect(() => maskEnvironment(leverWorld, policies, [nu])).toThrow(mismatch);
  });
});
