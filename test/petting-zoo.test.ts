import { spawn, spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { environments } from "@magic-mask/environments";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const python = process.env.MAGIC_MASK_PYTHON ?? "python3";
const found = spawnSync(python, ["-c", "import pettingzoo, gymnasium, numpy"]).status === 0;

/** Serves a world from source. */
const COMMAND = [
  process.execPath,
  "--import",
  pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href,
  "--conditions=@magic-mask/source",
  "--input-type=module",
  "--eval",
  `import { serveStandardStreams } from ${JSON.stringify(pathToFileURL(here("../packages/pettingzoo/src/serve.ts")).href)}; await serveStandardStreams();`,
];

/** PettingZoo's own tests. They warn of what they only find odd; what they hold to be wrong raises. */
const PROGRAM = `
import json, sys, warnings
sys.path.insert(0, ${JSON.stringify(here("../packages/pettingzoo/python"))})
warnings.simplefilter("ignore")
import magic_mask_env
from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test, seed_test
asked = json.loads(sys.argv[1])
where = dict(options=asked["options"], module=asked["module"], command=asked["command"])
make = lambda: magic_mask_env.env(asked["world"], **where)
env = make()
turns = not env.metadata["is_parallelizable"]
api_test(env, num_cycles=60)
env.close()
seed_test(make, num_cycles=20)
if not turns:
    make = lambda: magic_mask_env.parallel_env(asked["world"], **where)
    env = make()
    parallel_api_test(env, num_cycles=60)
    env.close()
    parallel_seed_test(make, num_cycles=20)
print("passed")
`;

/** Options with which a world is tested: smaller where it is large. */
const OPTIONS: Readonly<Record<string, object>> = {
  highway_v0: { agents: 3, others: 8 },
  pong_v0: { maxFrames: 200 },
};

/** @returns what Python said */
const tested = (world: string) =>
  new Promise<{ status: number | null; said: string }>((resolve) => {
    const asked = {
      world,
      options: OPTIONS[world] ?? {},
      module: here("../packages/environments/src/index.ts"),
      command: COMMAND,
    };
    const child = spawn(python, ["-c", PROGRAM, JSON.stringify(asked)]);
    let said = "";
    child.stdout.on("data", (data) => {
      said += data;
    });
    child.stderr.on("data", (data) => {
      said += data;
    });
    child.on("close", (status) => resolve({ status, said: said.slice(-2000) }));
  });

describe("magic-mask-serve in a checkout", () => {
  it("serves from source, whether or not there is a build", () => {
    const open = { module: "@magic-mask/environments", export: "environments.tictactoe_v0", options: {}, copies: 1 };
    const payload = Buffer.from(`O${JSON.stringify(open)}`);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(payload.length);
    const program = here("../packages/pettingzoo/bin/magic-mask-serve.mjs");
    const input = Buffer.concat([length, payload]);
    const { status, stdout, stderr } = spawnSync(process.execPath, [program], {
      input,
      cwd: here(".."),
      encoding: "utf8",
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toContain('"id":"tictactoe_v0"');
  });
});

(found ? describe : describe.skip)(
  found
    ? "PettingZoo's own tests"
    : `PettingZoo's own tests (${python} has no pettingzoo; MAGIC_MASK_PYTHON names one that has)`,
  () => {
    it.each(Object.keys(environments))(
      "pass on %s",
      async (world) => {
        expect(await tested(world)).toEqual({ status: 0, said: expect.stringMatching(/passed\n$/) });
      },
      120_000,
    );
  },
);
