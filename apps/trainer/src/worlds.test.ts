import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { boxSize, type Environment, isOver, maskWidth, stream } from "@magic-mask/core";
import { environments } from "@magic-mask/environments";
import { parseConfig } from "./config.ts";
import { runTraining } from "./training-run.ts";
import { makerOf } from "./worlds.ts";

const python = process.env.MAGIC_MASK_PYTHON ?? "python3";
const run = (...args: string[]) =>
  spawnSync(python, args, { encoding: "utf8", cwd: fileURLToPath(new URL("..", import.meta.url)) });
/** Skipped where Python or the module is missing; MAGIC_MASK_PYTHON names an interpreter that has it. */
const withPython = (module: string) =>
  run("-c", `import ${module}`).status === 0
    ? (name: string, tests: () => void) => describe(name, tests)
    : (name: string, tests: () => void) => describe.skip(`${name} (${python} lacks ${module})`, tests);

const worldOf = (id: string, options: object = {}) =>
  makerOf(parseConfig({ environment: { id, options } }).environment)();

describe("makerOf", () => {
  it("builds every world of ours by its id", () => {
    for (const id of Object.keys(environments)) expect(worldOf(id).id).toBe(id);
  });

  it("leaves it to Python's adapter to check what is to be played", () => {
    const options = { module: "pettingzoo.classic.connect_four_v3", python: "no-such-python" };
    expect(() => worldOf("pettingzoo", options)).toThrow(expect.objectContaining({ code: "unavailable" }));
    expect(() => worldOf("pettingzoo")).toThrow(expect.objectContaining({ code: "invalid-option" }));
    expect(() => worldOf("pettingzoo", { modul: "x" })).toThrow(expect.objectContaining({ code: "unknown-key" }));
  });
});

(process.platform === "win32" ? describe.skip : describe)("a world that is lost while it is trained in", () => {
  it("ends the run with what was played, and how to go on", async () => {
    const out = mkdtempSync(join(tmpdir(), "magic-mask-lost-"));
    try {
      // Stands in for Python: one world that ends with its sixtieth request.
      const fake = fileURLToPath(new URL("../../../packages/pettingzoo/src/fake-child.mjs", import.meta.url));
      const python = join(out, "python");
      writeFileSync(python, `#!/bin/sh\nexec "${process.execPath}" "${fake}" '{"fault":"exits","at":60}'\n`, {
        mode: 0o755,
      });
      const config = parseConfig({
        environment: { id: "pettingzoo", options: { module: "lost_world", python } },
        training: {
          copies: 1,
          shards: 1,
          rolloutTicks: 8,
          totalSteps: 1000,
          minibatch: 8,
          sharedPolicy: false,
          hidden: [4],
        },
        mask: { enabled: false },
        blinding: { initial: 0, floor: 0 },
        evaluation: { probeEpisodes: 0 },
        workers: 0,
        checkpointSeconds: 0,
      });
      await expect(runTraining({ config, out })).rejects.toMatchObject({
        code: "worker-lost",
        message: expect.stringMatching(
          /lost_world, in .*ended \(exit code 3\).*saved up to \d+ steps; go on with: magic-mask train --resume .*magic-mask-lost/s,
        ),
      });
    } finally {
      rmSync(out, { recursive: true, force: true });
    }
  });
});

/** All that can be seen of now. */
const viewOf = (world: Environment) =>
  world.agents.map((_, agent) => {
    const seen = new Float32Array(boxSize(world.observationSpaces[agent]));
    const mask = new Uint8Array(maskWidth(world.actionSpaces[agent]));
    world.observe(agent, seen, 0);
    const count = world.legal(agent, mask, 0);
    const { acting, rewards, terminated, truncated } = world;
    return [acting[agent], rewards[agent], terminated[agent], truncated[agent], count, [...mask], [...seen]];
  });

withPython("pettingzoo.classic.connect_four_v3")("PettingZoo's games and ours", () => {
  it.each([
    ["connect_four_v0", "pettingzoo.classic.connect_four_v3"],
    ["tictactoe_v0", "pettingzoo.classic.tictactoe_v3"],
  ])("%s shows at every move what %s shows", (id, module) => {
    const ours = worldOf(id);
    const theirs = worldOf("pettingzoo", { module });
    const choose = stream(id);
    for (let game = 0; game < 30; game++) {
      ours.reset(game);
      theirs.reset(game);
      expect(viewOf(theirs)).toEqual(viewOf(ours));
      while (!isOver(ours)) {
        const actions = new Float32Array(ours.agents.length);
        const agent = ours.acting.indexOf(1);
        const mask = new Uint8Array(maskWidth(ours.actionSpaces[agent]));
        let left = choose.below(ours.legal(agent, mask, 0));
        while (mask[actions[agent]] === 0 || left-- > 0) actions[agent]++;
        ours.step(actions);
        theirs.step(actions);
        expect(viewOf(theirs)).toEqual(viewOf(ours));
      }
    }
    theirs.close?.();
  });
});

/** PettingZoo's own tests, of our worlds as it sees them. */
const API_TESTS = `
import json, sys
sys.path.insert(0, sys.argv[1])
import magic_mask_env as ours
from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test, seed_test

world, command = sys.argv[2], json.loads(sys.argv[3])
def closing(make, test, **options):
    env = make()
    test(env, **options)
    env.close()
turns = lambda: ours.env(world, command=command)
at_once = lambda: ours.parallel_env(world, command=command)
closing(turns, api_test, num_cycles=100)
seed_test(turns, num_cycles=50)
if turns().metadata["is_parallelizable"]:
    closing(at_once, parallel_api_test, num_cycles=100)
    parallel_seed_test(at_once, num_cycles=50)
else:
    try:
        at_once()
    except ValueError as error:
        assert "act in turns" in str(error)
print("passed")
`;

withPython("pettingzoo")("our worlds in Python", () => {
  const here = (path: string) => new URL(`../../../packages/pettingzoo/${path}`, import.meta.url);
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  const serve = `import(${JSON.stringify(here("src/serve.ts").href)}).then((m) => m.serveStandardStreams())`;
  const command = [process.execPath, "--import", tsx, "--conditions=@magic-mask/source", "-e", serve];

  it.each(Object.keys(environments))("%s passes PettingZoo's own tests", (id) => {
    const { status, stdout, stderr } = run("-c", API_TESTS, fileURLToPath(here("python")), id, JSON.stringify(command));
    expect({ status, passed: stdout.trim().endsWith("passed"), stderr: status === 0 ? "" : stderr }).toEqual({
      status: 0,
      passed: true,
      stderr: "",
    });
  });
});
