import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { createMessageDecoder, createSignature } from "@magic-mask/comm";
import { openRedisChannel, type RedisChannel } from "@magic-mask/comm/redis";
import { missingRedis, startTestRedis, type TestRedis } from "@magic-mask/comm/redis/testing";
import { type AgentResult, runAgent } from "../src/agent.ts";
import { readAgentKeys } from "../src/agent-keys.ts";
import { loadTeam } from "../src/load-run.ts";
import { magicMask, runFolderIn, SMALL, start, temporaryFolder, until } from "./command-line.ts";

const missing = missingRedis();
const withRedis = missing
  ? (name: string, tests: () => void) => describe.skip(`${name} (${missing})`, tests)
  : (name: string, tests: () => void) => describe(name, tests);

const AGENTS = 4;
/** 30 rounds of 16 ticks in 16 copies; each of them ends with a broadcast. */
const SIZE = ["posthoc.steps=7680", "posthoc.headSteps=30", "posthoc.epochs=1", "sharing.every=16"];
const OFTEN = "checkpointSeconds=0.1";
const ROUNDS = 30;

withRedis("magic-mask agent", () => {
  let redis: TestRedis;
  let out: string;
  let policy: string;
  beforeAll(async () => {
    redis = await startTestRedis();
    out = temporaryFolder();
    const world = ["--env-id=pong_walls_v0", `environment.options.agents=${AGENTS}`, "evaluation.probeEpisodes=0"];
    const { code, stderr } = await magicMask("train", ...SMALL, ...world, "--total-timesteps=512", `--out=${out}`);
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    policy = runFolderIn(out);
  });
  afterAll(() => redis.close());

  const command = (run: string, agent: number, ...more: string[]) => [
    "agent",
    ...[`--redis=${redis.url}`, `--run=${run}`, `--agent=${agent}`, `--policy=${policy}`],
    ...["--json", ...SIZE, OFTEN, ...more],
  ];
  const folderOf = (run: string, agent: number) => join(policy, "agents", run, `keeper_${agent}`);
  const resultOf = (run: string, agent: number): AgentResult =>
    JSON.parse(readFileSync(join(folderOf(run, agent), "result.json"), "utf8"));
  /** Rounds that the last checkpoint holds, −1 if there is none. */
  const saved = (run: string, agent: number): number => {
    const pointer = join(folderOf(run, agent), "checkpoints", "latest.json");
    return existsSync(pointer) ? JSON.parse(readFileSync(pointer, "utf8")).step : -1;
  };

  /** A folder with the keys of all agents. */
  const keysFor = (names: readonly string[]): string => {
    const folder = join(out, "keys");
    mkdirSync(folder);
    for (const name of names) {
      const { privateKey, publicKey } = generateKeyPairSync("ed25519");
      writeFileSync(join(folder, `${name}.key`), privateKey.export({ type: "pkcs8", format: "pem" }));
      writeFileSync(join(folder, `${name}.pem`), publicKey.export({ type: "spki", format: "pem" }));
    }
    return folder;
  };

  it("outlives Redis and any one agent, waits for nobody, and loses nothing that was acknowledged", async () => {
    const { config, world, record } = await loadTeam(policy);
    expect(config.sharing.mode).toBe("perturbed");
    const keys = keysFor(world.spec.agents);
    const first = [0, 1, 2].map((agent) => start(...command("war", agent, `--keys=${keys}`)));
    await until(() => [0, 1, 2].every((agent) => saved("war", agent) >= 0), "all to begin");
    // Agent 3 never plays; its end of the channel sees what peers told it.
    const observed = {
      url: redis.url,
      run: "war",
      agents: AGENTS,
      agent: 3,
      keys: readAgentKeys(keys, world.spec.agents, 3),
    };
    const about = /about something else \((\w+), not nothing\)/;
    const message = await openRedisChannel({ ...observed, about: "nothing" }).catch((error) => error.message);
    const observer: RedisChannel = await openRedisChannel({ ...observed, about: about.exec(message)?.[1] ?? "" });
    const decode = createMessageDecoder(world.spec, createSignature(world.spec, { seed: 0 }).length);
    const records = [0, 0, 0];
    const observe = () => {
      for (const { from, bytes } of observer.receive(3, 0)) records[from] += decode(bytes).length;
      return observer.statistics.delivered;
    };

    await until(() => observe()[1] >= 8, "agent 1 to tell something");
    first[1].child.kill("SIGKILL");
    expect((await first[1].ended).signal).toBe("SIGKILL");
    await redis.kill();
    // It waits for Redis as it starts.
    const again = start(...command("war", 1, `--keys=${keys}`));
    await new Promise((resolve) => setTimeout(resolve, 500));
    await redis.start();
    const ended = await Promise.all([first[0].ended, again.ended, first[2].ended]);
    expect(ended.map(({ code, stderr }) => (code === 0 ? "" : stderr))).toEqual(["", "", ""]);

    const results = ended.map(({ stdout }) => JSON.parse(stdout).result as AgentResult);
    await until(() => {
      const heard = observe();
      return results.every(({ comm }, from) => heard[from] >= comm.acknowledged);
    }, "the observer to hear all");
    results.forEach((result, agent) => {
      expect(result).toEqual(resultOf("war", agent));
      expect(result).toMatchObject({ agent: `keeper_${agent}`, policy: record.id, steps: 7680, ranking: [] });
      // One broadcast a round, each of which holds some perturbed decision, and perhaps one at tick 0; all have arrived, once.
      const { acknowledged } = result.comm;
      expect([ROUNDS, ROUNDS + 1]).toContain(acknowledged);
      expect(result.comm).toMatchObject({ dropped: 0, missed: 0, refused: 0, senseless: 0 });
      expect(observer.statistics.delivered[agent]).toBe(acknowledged);
      expect(records[agent]).toBe(result.comm.shared);
      // To three peers each: a header of 29 bytes a message, and 25 a record: σ has 4 entries of a byte, and of half a byte 8 features and 3 actions, in fours.
      expect(result.comm.bytes).toBe(3 * (29 * acknowledged + 25 * result.comm.shared));
      expect(result.comm.messages[agent]).toBe(0);
      expect(result.comm).toMatchObject({ conflicts: 0, refusals: { corrupt: 0, forged: 0, early: 0, flooded: 0 } });
      // All that it took in has a sender, and what its head learned from adds up.
      const { taken, used } = result.influence;
      expect(taken.reduce((sum, count) => sum + count)).toBe(result.comm.received);
      expect(used.reduce((sum, share) => sum + share)).toBeCloseTo(1, 9);
      expect(result.comm.messages[3]).toBe(0);
      expect(Object.keys(result.states?.scores ?? {})).toEqual([
        "advantage_entropy",
        "record_head",
        "advantage_entropy+shared",
      ]);
      expect(new Set(result.states?.scores.record_head).size).toBeGreaterThan(10);
    });
    // Who is done while Redis is away has heard nobody: nobody waits.
    expect(results.reduce((sum, { comm }) => sum + comm.received, 0)).toBeGreaterThan(0);
    expect(observer.counters).toMatchObject({ refused: 0, missed: 0 });
    await observer.close();
  });

  it("comes to the same when it is told to stop, or killed, and goes on", async () => {
    const quiet = "sharing.mode=none";
    const overrides = [...SIZE, OFTEN, quiet];
    const whole = await runAgent({
      policy,
      run: "whole",
      agent: "2",
      server: { url: redis.url },
      overrides,
      truth: true,
    });
    const parts = start(...command("parts", 2, quiet));
    await until(() => saved("parts", 2) >= 3, "a checkpoint");
    parts.child.kill("SIGTERM");
    const stopped = await parts.ended;
    expect(stopped.code).toBe(143);
    expect(JSON.parse(stopped.stdout)).toEqual({ folder: folderOf("parts", 2), exitCode: 143 });
    const more = start(...command("parts", 2, quiet));
    await until(() => saved("parts", 2) >= 15, "a later checkpoint");
    more.child.kill("SIGKILL");
    expect((await more.ended).signal).toBe("SIGKILL");
    expect(saved("parts", 2)).toBeLessThan(ROUNDS);
    const server = { url: redis.url };
    const last = await runAgent({ policy, run: "parts", agent: "keeper_2", server, overrides, truth: true });
    const [a, b] = [whole, last].map(({ result, exitCode }) => {
      expect(exitCode).toBe(0);
      const { seconds, commSeconds, run, ...same } = result as AgentResult;
      expect(commSeconds).toBeLessThan(seconds);
      return { run, same };
    });
    expect([a.run, b.run]).toEqual(["whole", "parts"]);
    expect(b.same).toEqual(a.same);
    expect(a.same.ranking.map(({ explainer }) => explainer)).toEqual([
      "advantage_entropy",
      "record_head",
      "advantage_entropy+shared",
    ]);
    expect(a.same.comm).toMatchObject({ shared: 0, received: 0, acknowledged: 0, bytes: 0 });
  });

  it("refuses what cannot be before it does anything", async () => {
    const server = { url: redis.url };
    const asked = { policy, run: "bad", agent: "0", server };
    await expect(runAgent({ ...asked, agent: "keeper_4" })).rejects.toMatchObject({ code: "unknown-name" });
    await expect(runAgent({ ...asked, overrides: ["training.hidden=[8]"] })).rejects.toThrow(
      'an agent keeps its team\'s configuration; of it posthoc, sharing, evaluation, training.copies, training.rolloutTicks, checkpointSeconds may be set, got "training.hidden=[8]"',
    );
    await expect(runAgent({ ...asked, overrides: ["posthoc.stepps=1"] })).rejects.toMatchObject({
      code: "unknown-key",
    });
    await expect(runAgent({ ...asked, overrides: ["sharing.channel.loss=.5"] })).rejects.toThrow(
      "set sharing.channel=ideal",
    );
    await expect(runAgent({ ...asked, run: "a/b" })).rejects.toThrow("run must consist of letters");
    const [steps] = SIZE;
    await expect(runAgent({ ...asked, run: "whole", agent: "2", overrides: [steps] })).rejects.toThrow(
      "begun with other settings",
    );
    await expect(runAgent({ ...asked, run: "whole", overrides: [steps, "training.copies=8"] })).rejects.toThrow(
      "is about something else",
    );
    // Who plays for longer tells of times that others hold for impossible.
    await expect(runAgent({ ...asked, run: "whole", overrides: ["posthoc.steps=76800"] })).rejects.toThrow(
      "is about something else",
    );
    // Who tells by features is not understood by those who tell by signatures.
    await expect(runAgent({ ...asked, run: "whole", overrides: [steps, "sharing.mode=features"] })).rejects.toThrow(
      "is about something else",
    );
    expect(existsSync(folderOf("bad", 0))).toBe(false);
  });
});
