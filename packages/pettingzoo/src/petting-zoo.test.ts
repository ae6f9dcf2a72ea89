import { spawnSync } from "node:child_process";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import type { Environment, MakeEnvironment } from "@magic-mask/core";
import { environmentLaws } from "@magic-mask/core/testing";
import { makePettingZoo, type PettingZooOptions, pettingZoo, pettingZooVector, type RemoteVector } from "./index.ts";
import { instancesOf } from "./test-instances.ts";

const python = process.env.MAGIC_MASK_PYTHON ?? "python3";
const finds = (code: string) => spawnSync(python, ["-c", code]).status === 0;
/** `describe`, or one that is skipped and says what is missing: MAGIC_MASK_PYTHON names an interpreter that has it. */
const withPython = (...modules: string[]) =>
  finds(`import ${modules.join(", ")}`)
    ? (name: string, tests: () => void) => describe(name, tests)
    : (name: string, tests: () => void) =>
        describe.skip(`${name} (${python} lacks one of: ${modules.join(", ")})`, tests);

const open: { close(): void }[] = [];
afterEach(() => {
  for (const world of open.splice(0)) world.close();
});
const make = (options: PettingZooOptions) => {
  const world = pettingZoo(options);
  open.push(world);
  return world;
};

const thrown = (run: () => unknown) => {
  try {
    run();
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error("nothing was thrown");
};

const seen = (world: Environment, agent: number, size: number) => {
  const out = new Float32Array(size);
  world.observe(agent, out, 0);
  return [...out];
};
const legal = (world: Environment, agent: number, size: number) => {
  const out = new Uint8Array(size);
  return [world.legal(agent, out, 0), ...out];
};

withPython("sys")("Python", () => {
  it("without the package names the command that installs it", () => {
    const { code, message } = thrown(() => make({ module: "pettingzoo.classic.no_such_v0" }));
    expect(code).toBe("unavailable");
    expect(message).toMatch(/cannot be imported .*; install it: .* -m pip install "pettingzoo\[classic\]"/);
  });
});

withPython("gymnasium, numpy")("odd worlds", () => {
  const odd = (kwargs: object = {}, options: object = {}) =>
    make({ module: "test_worlds", kind: "parallel", kwargs: { ...kwargs }, ...options });

  it("come with their spaces translated, whatever they print", () => {
    const world = odd();
    const { NEGATIVE_INFINITY } = Number;
    expect(world).toMatchObject({
      id: "odd_v3",
      agents: ["stays", "leaves", "comes"],
      roles: ["stays", "leaves", "comes"],
      turnBased: false,
      observationSpaces: [
        { kind: "box", shape: [1, 2], low: NEGATIVE_INFINITY, high: [0, 1] },
        { kind: "box", shape: [5], low: 0, high: 1 },
        { kind: "box", shape: [2, 1], low: 0, high: 255 },
      ],
      actionSpaces: [
        { kind: "discrete", n: 3 },
        { kind: "multi-discrete", nvec: [2, 2] },
        { kind: "box", shape: [2], low: -1, high: 4 },
      ],
    });
  });

  it("let agents leave and come", () => {
    const world = odd();
    world.reset(7);
    expect([...world.acting]).toEqual([1, 1, 0]);
    expect(seen(world, 0, 2)).toEqual([7, 0]);
    // One-hot of 1 among {1, 2}, of 0 among {0, 1, 2}.
    expect(seen(world, 1, 5)).toEqual([1, 0, 1, 0, 0]);
    expect(seen(world, 2, 2)).toEqual([0, 0]);
    expect([legal(world, 0, 3), legal(world, 1, 4), legal(world, 2, 0)]).toEqual([[2, 1, 0, 1], [4, 1, 1, 1, 1], [0]]);
    expect(thrown(() => world.step(Float32Array.of(1, 0, 0, 0, 0, 0))).code).toBe("illegal-action");

    // 2 is the action 7 of Discrete(3, start=5); 1 and 1 are [[1], [1]].
    world.step(Float32Array.of(2, 0, 1, 1, 9, 9));
    expect([...world.rewards]).toEqual([7, 2, 0]);
    expect([...world.acting]).toEqual([1, 1, 1]);
    expect(seen(world, 2, 2)).toEqual([1, 200]);
    expect(legal(world, 2, 0)).toEqual([1]);
    expect(world.render()).toBe("tick 1");

    // Whole numbers are rounded to: 2.6 and 1 make 4.
    world.step(Float32Array.of(0, 0, 0, 0, 2.6, 1));
    expect([...world.rewards]).toEqual([5, 0, 4]);
    expect([[...world.acting], [...world.terminated]]).toEqual([
      [1, 0, 1],
      [0, 1, 0],
    ]);
    expect(seen(world, 1, 5)).toEqual([1, 0, 0, 0, 1]);

    world.step(new Float32Array(6));
    world.step(new Float32Array(6));
    expect([[...world.acting], [...world.truncated]]).toEqual([
      [0, 0, 0],
      [1, 0, 1],
    ]);
    expect(seen(world, 1, 5)).toEqual([1, 0, 0, 0, 1]);
    expect(seen(world, 0, 2)).toEqual([7, 1]);
  });

  it("that fail say why and start afresh", () => {
    const failing = (fault: string, options = {}) => {
      const world = odd({ fault }, options);
      world.reset(1);
      const error = thrown(() => world.step(new Float32Array(6)));
      world.reset(1);
      expect([...world.acting]).toEqual([1, 1, 0]);
      return error;
    };
    expect(failing("raises")).toMatchObject({
      code: "worker-lost",
      message: expect.stringMatching(
        /test_worlds, in a step: it raised ValueError: no such luck \(in step, .*test_worlds\.py, line \d+\)/,
      ),
    });
    expect(failing("unpaid")).toMatchObject({
      code: "shape-mismatch",
      message: expect.stringContaining("there is no reward of leaves, only of stays"),
    });
    expect(failing("none").message).toContain("the reward of leaves must be a finite number, got None");
    expect(failing("nan")).toMatchObject({ code: "not-finite", message: expect.stringContaining("got nan") });
    expect(failing("dazed")).toMatchObject({
      code: "not-finite",
      message: expect.stringContaining("stays sees nan as number 1 of 2"),
    });
    expect(failing("unseen").message).toContain("there is no observation of stays");
    expect(failing("exits")).toMatchObject({ code: "worker-lost", message: expect.stringMatching(/exit code 7/) });
    expect(failing("hangs", { timeout: 5 })).toMatchObject({
      code: "worker-lost",
      message: expect.stringMatching(/5 s/),
    });
  });

  const onLinux = process.platform === "linux" ? it : it.skip;
  onLinux("go on where their group is told to stop: whoever plays them decides", async () => {
    const world = odd();
    world.reset(1);
    const { stdout } = spawnSync("pgrep", ["-P", String(process.pid), "-f", "magic_mask_env.py"], { encoding: "utf8" });
    const pids = stdout.trim().split("\n").map(Number);
    expect(pids).toHaveLength(1);
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.kill(pids[0], signal);
    world.step(new Float32Array(6));
    world.reset(2);
    expect([...world.acting]).toEqual([1, 1, 0]);
  });

  it("that cannot be shown are refused by name", () => {
    expect(thrown(() => odd({ fault: "space" }))).toMatchObject({
      code: "unsupported",
      message: expect.stringContaining("comes sees a Text space"),
    });
    expect(thrown(() => odd({ wrong: 1 }))).toMatchObject({ code: "invalid-option" });
    expect(thrown(() => make({ module: "test_worlds" }))).toMatchObject({ code: "unsupported" });
    expect(thrown(() => make({ module: "no_such_world" })).code).toBe("unavailable");
  });
});

const SUBJECTS: readonly [name: string, modules: string, options: PettingZooOptions][] = [
  [
    "connect_four_v3",
    "pettingzoo.classic.connect_four_v3",
    { module: "pettingzoo.classic.connect_four_v3", zeroSum: true },
  ],
  ["simple_spread_v3", "mpe2", { module: "mpe2.simple_spread_v3", kind: "parallel" }],
  ["CartPole-v1", "gymnasium", { module: "CartPole-v1", kind: "gymnasium" }],
  ["leduc-holdem", "rlcard, gymnasium", { module: "leduc-holdem", kind: "rlcard", zeroSum: true }],
];

for (const [name, modules, options] of SUBJECTS) {
  withPython(modules)(`${name} obeys the laws`, () => {
    let vector: RemoteVector;
    let instances: MakeEnvironment;
    beforeAll(() => {
      vector = pettingZooVector(options, 80);
      instances = instancesOf(vector);
    });
    afterAll(() => vector.close());
    it.each(environmentLaws)("$name", ({ run }) => run(instances));
  });
}

withPython("pettingzoo.classic.connect_four_v3")("many copies", () => {
  it("step together, and close", () => {
    const vector = makePettingZoo({ module: "pettingzoo.classic.connect_four_v3", processes: 2 }).vectorize?.(3);
    if (!vector) throw new Error("there is no vectorize");
    open.push({ close: () => vector.close?.() });
    for (let copy = 0; copy < 3; copy++) vector.reset(copy, copy);
    vector.step(Float32Array.of(3, 0, 4, 0, 5, 0));
    expect([...vector.acting]).toEqual([0, 1, 0, 1, 0, 1]);
    const columns = [0, 1, 2].map((copy) => {
      const planes = new Float32Array(84);
      vector.observe(copy, 1, planes, 0);
      // Bottom row is 5; the other's stones are the second plane.
      return [0, 1, 2, 3, 4, 5, 6].filter((column) => planes[2 * (7 * 5 + column) + 1] === 1);
    });
    expect(columns).toEqual([[3], [4], [5]]);
  });
});
