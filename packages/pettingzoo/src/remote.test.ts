import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "@jest/globals";
import { boxSize, type Environment, isCopyOver, stream } from "@magic-mask/core";
import { environmentLaws } from "@magic-mask/core/testing";
import { pettingZoo } from "./petting-zoo.ts";
import { createRemote, type RemoteOptions, type RemoteVector, single } from "./remote.ts";
import { instancesOf } from "./test-instances.ts";

const FAKE = fileURLToPath(new URL("./fake-child.mjs", import.meta.url));
const open: RemoteVector[] = [];
afterEach(() => {
  for (const vector of open.splice(0)) vector.close();
});

interface Fault {
  readonly fault?: string;
  readonly at?: number;
}

/** A world of two agents in a process that may misbehave. */
function fake(fault: Fault = {}, options: Partial<RemoteOptions> = {}): RemoteVector {
  const vector = createRemote({
    command: [process.execPath, FAKE, JSON.stringify(fault)],
    timeout: 20,
    remedy: "do something",
    name: "the fake world",
    open: {},
    copies: 1,
    processes: 1,
    ...options,
  });
  open.push(vector);
  return vector;
}

const thrown = (run: () => unknown) => {
  try {
    run();
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error("nothing was thrown");
};

/** ann picks 1; bob 1 and 1. */
const PLAY = Float32Array.of(1, 0, 1, 1);
const playOn = (copies: number) => Float32Array.from({ length: 4 * copies }, (_, i) => PLAY[i % 4]);

describe("a world in a process", () => {
  it.each(environmentLaws)("$name", ({ run }) => run(instancesOf(fake({}, { copies: 12 }))));

  it("refuses to step before reset and after the end, alone", () => {
    const refusing = environmentLaws.find(({ name }) => name.startsWith("refuses to step"));
    refusing?.run(() => single(fake()));
  });

  it("shows its spaces, whom it asks what, and what it sees in numbers of any type", () => {
    const world = single(fake());
    expect(world).toMatchObject({
      id: "picking_v0",
      agents: ["ann", "bob"],
      actionSpaces: [
        { kind: "discrete", n: 3 },
        { kind: "multi-discrete", nvec: [2, 3] },
      ],
      snapshotBytes: 0,
    });
    const { NEGATIVE_INFINITY, POSITIVE_INFINITY } = Number;
    expect(world.observationSpaces[0]).toMatchObject({ low: NEGATIVE_INFINITY, high: [1000, 1000, POSITIVE_INFINITY] });
    world.reset(5);
    world.step(PLAY);
    const [ann, bob] = [new Float32Array(3), new Float32Array(2)];
    world.observe(0, ann, 0);
    world.observe(1, bob, 0);
    // Seed, tick and the sum of what was picked: 1 + 1 + 1; and 5 + 7 · 1.
    expect([...ann, ...bob]).toEqual([5, 1, 3, 12, 3]);
    expect([...world.rewards]).toEqual([0, 1]);
    expect(world.render()).toBe("tick 1 of 7");
  });

  it("may say of itself what its library does not, and scales bytes", () => {
    const vector = fake({}, { scale: true, about: { zeroSum: true, roles: ["a", "a"] } });
    expect(vector.spec).toMatchObject({
      zeroSum: true,
      roles: ["a", "a"],
      observationSpaces: [{}, { low: 0, high: 1 }],
    });
    vector.reset(0, 51);
    const bob = new Float32Array(3);
    vector.observe(0, 1, bob, 1);
    expect([...bob]).toEqual([0, Math.fround(51 / 255), 0]);
  });
});

describe("many copies", () => {
  it.each([1, 2, 3])("in %i processes play as each would alone", (processes) => {
    const C = 5;
    const vector = fake({}, { copies: C, processes });
    const alone = Array.from({ length: C }, instancesOf(fake({}, { copies: C })));
    const random = stream(processes);
    alone.forEach((world, copy) => {
      vector.reset(copy, 10 + copy);
      world.reset(10 + copy);
    });
    for (let t = 0; t < 9; t++) {
      const actions = Float32Array.from({ length: 4 * C }, (_, i) =>
        i % 4 === 1 ? Number.NaN : i % 4 === 2 ? 1 : random.below(2),
      );
      alone.forEach((world, copy) => {
        if (world.acting.includes(1)) world.step(actions.subarray(4 * copy, 4 * copy + 4));
      });
      vector.step(actions);
      expect(alone.map((_, copy) => viewOf(vector, copy))).toEqual(alone.map((world) => viewOf(world)));
    }
    expect(alone.every((_, copy) => isCopyOver(vector, copy))).toBe(true);
  });
});

function viewOf(world: RemoteVector | Environment, copy = 0) {
  const spec = "spec" in world ? world.spec : world;
  const N = spec.agents.length;
  return spec.agents.map((_, agent) => {
    const at = copy * N + agent;
    const seen = new Float32Array(boxSize(spec.observationSpaces[agent]));
    const mask = new Uint8Array(5);
    const remote = "spec" in world;
    if (remote) world.observe(copy, agent, seen, 0);
    else world.observe(agent, seen, 0);
    const count = remote ? world.legal(copy, agent, mask, 0) : world.legal(agent, mask, 0);
    return [
      world.acting[at],
      world.rewards[at],
      world.terminated[at],
      world.truncated[at],
      [...seen],
      [...mask],
      count,
    ];
  });
}

describe("trouble", () => {
  it("with no such program says what to do", () => {
    const { code, message } = thrown(() => pettingZoo({ module: "x", python: "no-such-python" }));
    expect(code).toBe("unavailable");
    expect(message).toMatch(/cannot start no-such-python \(ENOENT\); install Python .* MAGIC_MASK_PYTHON/);
  });

  it.each([
    ["exits", "worker-lost", /ended \(exit code 3\); the last it said:\nit is all over/],
    ["dies", "worker-lost", /ended \(by SIGKILL\)/],
    ["raises", "worker-lost", /it raised ValueError: no/],
    ["chatters", "corrupt-message", /something else than frames: .*Hello from a library/],
    ["short", "corrupt-message", /a record ends/],
    ["long", "corrupt-message", /3000 bytes/],
    ["other", "corrupt-message", /wanted an answer D, got J/],
  ])("that %s is an error of the step, and the next reset starts afresh", (fault, code, message) => {
    const world = single(fake({ fault, at: 3 }));
    world.reset(4);
    expect(thrown(() => world.step(PLAY))).toMatchObject({ code, message: expect.stringMatching(message) });
    expect([...world.acting]).toEqual([0, 0]);
    expect(thrown(() => world.step(PLAY)).code).toBe("out-of-order");
    expect(world.render()).toContain("picking_v0");
    world.reset(4);
    expect([...world.acting]).toEqual([1, 1]);
    const seen = new Float32Array(3);
    world.observe(0, seen, 0);
    expect([...seen]).toEqual([4, 0, 0]);
  });

  it("that hangs is killed in time, and its last words are passed on", () => {
    const world = single(fake({ fault: "hangs", at: 3 }, { timeout: 2 }));
    world.reset(4);
    const begun = performance.now();
    const { code, message } = thrown(() => world.step(PLAY));
    expect(performance.now() - begun).toBeLessThan(5000);
    expect(code).toBe("worker-lost");
    expect(message).toMatch(/has not answered for 2 s and was killed.*\nthinking/s);
    world.reset(4);
    expect([...world.acting]).toEqual([1, 1]);
  });

  it("names what was played, and what was being done", () => {
    const failing = (at: number, run: (vector: RemoteVector) => void, fault = "exits") => {
      const vector = fake({ fault, at }, { copies: 2 });
      return thrown(() => run(vector)).message;
    };
    expect(failing(2, (vector) => vector.reset(1, 0))).toMatch(
      /^\[pettingzoo\/crew\] the fake world, in the reset of copy 1: .* ended/,
    );
    const step = (vector: RemoteVector) => {
      vector.reset(0, 0);
      vector.step(playOn(2));
    };
    expect(failing(3, step, "dies")).toContain("the fake world, in a step: ");
    expect(failing(3, step, "raises")).toContain("the fake world, in a step: it raised ValueError");
    expect(thrown(() => fake({ fault: "exits", at: 1 })).message).toContain("the fake world, at the start: ");
  });

  it("at the opening comes from the maker", () => {
    expect(thrown(() => fake({ fault: "exits", at: 1 })).message).toContain("it is all over");
    expect(thrown(() => fake({ fault: "hangs", at: 1 }, { timeout: 0.5 })).code).toBe("worker-lost");
    expect(thrown(() => fake({ fault: "version" })).message).toContain("protocol 1");
  });

  it("is not to take long for many copies: each has its time", () => {
    expect(fake({ fault: "dawdles" }, { copies: 5, timeout: 3 }).copies).toBe(5);
  });

  it("in one process of several leaves the others' copies playing", () => {
    // Copy 0 has a process of its own. That of copies 1 and 2 is opened, reset twice, and lost with its second step.
    const vector = fake({ fault: "exits", at: 5 }, { copies: 3, processes: 2 });
    for (let copy = 0; copy < 3; copy++) vector.reset(copy, copy);
    vector.step(playOn(3));
    expect(thrown(() => vector.step(playOn(3))).code).toBe("worker-lost");
    expect([...vector.acting]).toEqual([1, 1, 0, 0, 0, 0]);
    const ann = new Float32Array(3);
    vector.observe(0, 0, ann, 0);
    expect(ann[1]).toBe(2);
    vector.reset(2, 7);
    expect([...vector.acting]).toEqual([1, 1, 0, 0, 1, 1]);
    vector.reset(1, 7);
    expect([...vector.acting]).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it("with options is refused before anything starts", () => {
    const bad = (options: object) => thrown(() => pettingZoo({ module: "x", ...options })).code;
    expect(bad({ modul: "x" })).toBe("unknown-key");
    expect(bad({ module: "" })).toBe("invalid-option");
    expect(bad({ kind: "gym" })).toBe("invalid-option");
    expect(bad({ processes: 0 })).toBe("invalid-option");
    expect(bad({ timeout: 0 })).toBe("invalid-option");
  });
});

describe("processes", () => {
  it("are not started again by a world that is closed, and closing twice is closing", () => {
    const world = single(fake());
    world.reset(1);
    world.close();
    world.close();
    expect(thrown(() => world.reset(1)).code).toBe("out-of-order");
  });

  const gone = async (pid: number) => {
    for (let i = 0; i < 100 && existsSync(`/proc/${pid}`); i++) await setTimeout(50);
    return !existsSync(`/proc/${pid}`);
  };
  const onLinux = process.platform === "linux" ? it : it.skip;
  onLinux.each([{}, { fault: "stays" }])("end when the world is closed: %j", async (fault) => {
    const before = await childrenOf(process.pid);
    const vector = fake(fault);
    const [pid] = (await childrenOf(process.pid)).filter((child) => !before.includes(child));
    expect(pid).toBeGreaterThan(0);
    vector.close();
    expect(await gone(pid)).toBe(true);
  });
});

/** Processes that this one has started, by their parents' ids. */
async function childrenOf(parent: number): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, "utf8").catch(() => "")));
  return pids.flatMap((pid, i) => (Number(stats[i].split(") ")[1]?.split(" ")[1]) === parent ? [Number(pid)] : []));
}
