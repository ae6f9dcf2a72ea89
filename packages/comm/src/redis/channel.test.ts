import { spawnSync } from "node:child_process";
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { Redis } from "ioredis";
import type { Delivery } from "../channel.ts";
import { sealLetter } from "./envelope.ts";
import { openRedisChannel, type RedisChannel, type RedisChannelOptions } from "./index.ts";
import { missingRedis, startTestRedis, type TestRedis } from "./testing.ts";

const missing = missingRedis();
const withRedis = missing
  ? (name: string, tests: () => void) => describe.skip(`${name} (${missing})`, tests)
  : (name: string, tests: () => void) => describe(name, tests);

/** As PEM. */
function keyPair(kind: "ed25519" | "rsa" = "ed25519"): { publicKey: string; privateKey: string } {
  const { publicKey, privateKey } =
    kind === "rsa" ? generateKeyPairSync("rsa", { modulusLength: 1024 }) : generateKeyPairSync(kind);
  const text = (pem: string | Buffer) => pem.toString();
  return {
    publicKey: text(publicKey.export({ type: "spki", format: "pem" })),
    privateKey: text(privateKey.export({ type: "pkcs8", format: "pem" })),
  };
}

/** A message that says whose it is and which. */
const message = (from: number, k: number, length = 8) =>
  Uint8Array.from({ length }, (_, i) => [from, k >> 8, k & 255][i] ?? 7 * i);
const numbersOf = (deliveries: readonly Delivery[]) => deliveries.map(({ bytes }) => 256 * bytes[1] + bytes[2]);
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of cleanUp.splice(0).reverse()) await close();
});

/** Seconds that are waited for what is to come, on however busy a machine. */
const WAIT = 60;

async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + WAIT * 1000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** What an agent hears, from now on until there are `count` of it. */
async function hear(channel: RedisChannel, agent: number, count: number): Promise<Delivery[]> {
  const heard: Delivery[] = [];
  await until(() => {
    heard.push(...channel.receive(agent, 0));
    return heard.length >= count;
  }, `${count} messages for agent ${agent}, ${heard.length} came`);
  return heard;
}

withRedis("a channel over Redis", () => {
  let redis: TestRedis;
  let run = 0;
  beforeAll(async () => {
    redis = await startTestRedis();
  });
  afterAll(() => redis.close());

  /** Opens the ends of some agents of one run; a new run for each test. */
  async function open(agents: readonly number[], options: Partial<RedisChannelOptions> = {}): Promise<RedisChannel[]> {
    const about = { url: redis.url, run: `run-${run}`, agents: 4, about: "test" };
    return Promise.all(
      agents.map(async (agent) => {
        const channel = await openRedisChannel({ ...about, agent, ...options });
        cleanUp.push(() => channel.close());
        return channel;
      }),
    );
  }
  const client = () => {
    const direct = new Redis(redis.url);
    cleanUp.push(async () => direct.disconnect());
    return direct;
  };
  const keyOf = (agent: number) => `magic-mask:run-${run}:agent:${agent}`;
  afterEach(async () => {
    run++;
    await redis.start();
  });

  it("brings everyone's messages to whom they are for, in order, with the true sender", async () => {
    const channels = await open([0, 1, 2]);
    for (const k of range(0, 50)) {
      for (const from of [0, 1, 2]) {
        const bytes = message(from, k);
        for (const to of [0, 1, 2]) if (to !== from) channels[from].send(from, to, bytes, k);
        bytes.fill(0);
      }
    }
    channels[0].send(0, 2, message(0, 999), 50);
    for (const [to, channel] of channels.entries()) {
      const heard = await hear(channel, to, to === 2 ? 101 : 100);
      for (const from of [0, 1, 2]) {
        const own = heard.filter((delivery) => delivery.from === from);
        const wanted = from === to ? [] : range(0, 50).concat(from === 0 && to === 2 ? [999] : []);
        expect(numbersOf(own)).toEqual(wanted);
        expect(channel.statistics.delivered[from]).toBe(wanted.length);
      }
      expect(channel.receive(to, 0)).toEqual([]);
    }
    // 50 messages of 8 bytes to two peers each, and one more to one. What goes to both is stored once.
    expect(channels[0].statistics.messages).toEqual(Float64Array.of(101, 0, 0, 0));
    expect(channels[0].statistics.bytes).toEqual(Float64Array.of(808, 0, 0, 0));
    expect(await channels[0].flush(WAIT)).toBe(true);
    expect(await client().xlen(keyOf(0))).toBe(51);
    expect(channels[0].counters).toEqual({ acknowledged: 51, dropped: 0, refused: 0, missed: 0, conflicts: 0 });
  });

  it("lets latecomers read what streams still hold, and nobody waits for who is not there", async () => {
    const [early] = await open([0]);
    for (const k of range(0, 5)) early.send(0, 1, message(0, k), k);
    expect(early.receive(0, 0)).toEqual([]);
    expect(await early.flush(WAIT)).toBe(true);
    const [late] = await open([1]);
    expect(numbersOf(await hear(late, 1, 5))).toEqual(range(0, 5));
  });

  it("catches up with all that peers had told, also after Redis was away, and does not wait for ever", async () => {
    const [sender, receiver] = await open([0, 1]);
    const tell = (from: number, to: number) => {
      for (const k of range(from, to)) sender.send(0, 1, message(0, k), k);
      return sender.flush(WAIT);
    };
    expect(await receiver.catchUp(WAIT)).toBe(true);
    // Several times what is read at once.
    expect(await tell(0, 100)).toBe(true);
    expect(await receiver.catchUp(WAIT)).toBe(true);
    expect(numbersOf(receiver.receive(1, 0))).toEqual(range(0, 100));
    await redis.kill();
    expect(await receiver.catchUp(0.1)).toBe(false);
    await redis.start();
    expect(await tell(100, 150)).toBe(true);
    expect(await receiver.catchUp(WAIT)).toBe(true);
    expect(numbersOf(receiver.receive(1, 0))).toEqual(range(100, 150));
  });

  it("loses nothing acknowledged and brings nothing twice while Redis is killed and started again", async () => {
    const [sender, receiver] = await open([0, 1]);
    const heard: number[] = [];
    const listen = () => heard.push(...numbersOf(receiver.receive(1, 0)));
    for (let k = 0; k < 600; k++) {
      sender.send(0, 1, message(0, k), k);
      if (k === 200 || k === 400) await redis.kill();
      if (k === 300 || k === 500) await redis.start();
      if (k % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      listen();
    }
    expect(await sender.flush(WAIT)).toBe(true);
    await until(() => {
      listen();
      return heard.length >= 600;
    }, "600 messages");
    expect(heard).toEqual(range(0, 600));
    expect(sender.counters).toMatchObject({ acknowledged: 600, dropped: 0 });
    expect(receiver.counters).toMatchObject({ refused: 0, missed: 0 });
    // Each end has two connections, and the one that listens may be the last to come back.
    await until(() => sender.trouble === undefined, "the trouble to be over");
  });

  it("goes on from a saved state: nothing twice for peers, and again for itself what came after", async () => {
    const [sender, receiver] = await open([0, 1]);
    for (const k of range(0, 10)) sender.send(0, 1, message(0, k), k);
    const before = await hear(receiver, 1, 10);
    const saved = [sender.exportState(), receiver.exportState()];
    for (const k of range(10, 20)) sender.send(0, 1, message(0, k), k);
    const lost = await hear(receiver, 1, 10);
    // Both are killed and start over from what they saved.
    await Promise.all([sender.close(), receiver.close()]);
    const again = await open([0, 1]);
    again.forEach((channel, i) => {
      channel.restoreState(saved[i]);
    });
    for (const k of range(10, 30)) again[0].send(0, 1, message(0, k), k);
    const after = await hear(again[1], 1, 20);
    expect(numbersOf(before)).toEqual(range(0, 10));
    expect(numbersOf(lost)).toEqual(range(10, 20));
    expect(numbersOf(after)).toEqual(range(10, 30));
    expect(await again[0].flush(WAIT)).toBe(true);
    expect(await client().xlen(keyOf(0))).toBe(30);
    expect(again[1].statistics.delivered[0]).toBe(30);
  });

  it("keeps in its state what Redis has not acknowledged", async () => {
    const [sender, receiver] = await open([0, 1]);
    await redis.kill();
    for (const k of range(0, 5)) for (const to of [1, 2]) sender.send(0, to, message(0, k), k);
    expect(await sender.flush(0.05)).toBe(false);
    await until(() => /ECONNREFUSED/.test(sender.trouble ?? ""), "the sender to notice");
    const saved = sender.exportState();
    await sender.close();
    await redis.start();
    const [again] = await open([0]);
    again.restoreState(saved);
    expect(again.exportState()).toEqual(saved);
    expect(numbersOf(await hear(receiver, 1, 5))).toEqual(range(0, 5));
    expect(() => again.restoreState({ ...saved, known: new Float64Array(3) })).toThrow("between 4 agents");
    expect(() => again.restoreState({ ...saved, contents: new Uint8Array(1) })).toThrow("between 4 agents");
  });

  it("continues after its own last message when it has lost its state", async () => {
    const [first, receiver] = await open([0, 1]);
    for (const k of range(0, 3)) first.send(0, 1, message(0, k), k);
    expect(await first.flush(WAIT)).toBe(true);
    await first.close();
    const [second] = await open([0]);
    for (const k of range(3, 6)) second.send(0, 1, message(0, k), k);
    expect(numbersOf(await hear(receiver, 1, 6))).toEqual(range(0, 6));
  });

  it("says other things than before under other numbers, where it is told that they will be others", async () => {
    const [first, receiver] = await open([0, 1]);
    first.send(0, 1, message(0, 0), 0);
    const saved = first.exportState();
    for (const k of range(1, 3)) first.send(0, 1, message(0, k), k);
    expect(await first.flush(WAIT)).toBe(true);
    await first.close();
    const [second] = await open([0], { repeats: false });
    second.restoreState(saved);
    for (const k of range(11, 13)) second.send(0, 1, message(0, k), k);
    expect(await second.flush(WAIT)).toBe(true);
    // What the state held was there already; what came after it stays, and is not said again.
    expect(numbersOf(await hear(receiver, 1, 5))).toEqual([0, 1, 2, 11, 12]);
    expect(second.counters).toMatchObject({ acknowledged: 3, conflicts: 0 });
    expect(receiver.counters).toMatchObject({ missed: 0, refused: 0 });
  });

  it("does not take for acknowledged what another's entry keeps out of its stream, and says so", async () => {
    const [sender, receiver] = await open([0, 1]);
    sender.send(0, 1, message(0, 0), 0);
    expect(await sender.flush(WAIT)).toBe(true);
    await client().call("XADD", keyOf(0), "900-0", "to", "0", "bytes", "zz");
    for (const k of range(1, 4)) sender.send(0, 1, message(0, k), k);
    expect(await sender.flush(WAIT)).toBe(true);
    expect(sender.counters).toMatchObject({ acknowledged: 1, conflicts: 3 });
    expect(sender.trouble).toBe("somebody else writes as agent 0: 3 messages lost");
    expect(numbersOf(await hear(receiver, 1, 1))).toEqual([0]);
  });

  it("takes for acknowledged what it sends again, in the stream still or past it", async () => {
    const [first] = await open([0]);
    const before = first.exportState();
    const state = () => {
      for (const k of range(0, 3)) first.send(0, 1, message(0, k), k);
      return first.exportState();
    };
    const saved = state();
    expect(await first.flush(WAIT)).toBe(true);
    await client().call("XTRIM", keyOf(0), "MAXLEN", 2);
    first.restoreState(saved);
    expect(await first.flush(WAIT)).toBe(true);
    expect(first.counters).toMatchObject({ acknowledged: before.counters[0] + 3, conflicts: 0 });
  });

  it("keeps streams and queues within their bounds, the oldest goes first, and peers know how much they missed", async () => {
    const [sender] = await open([0], { streamLength: 100, queueBytes: 80_000 });
    for (const k of range(0, 300)) {
      sender.send(0, 1, message(0, k, 200), k);
      if (k % 100 === 99) expect(await sender.flush(WAIT)).toBe(true);
    }
    const kept = await client().xlen(keyOf(0));
    expect(kept).toBeGreaterThanOrEqual(100);
    // Redis cuts whole nodes of 100 entries, or of 4 KiB.
    expect(kept).toBeLessThanOrEqual(200);
    const [receiver] = await open([1]);
    expect(numbersOf(await hear(receiver, 1, kept))).toEqual(range(300 - kept, 300));
    expect(receiver.counters.missed).toBe(300 - kept);

    await redis.kill();
    // 400 of 200 bytes fill the queue.
    for (const k of range(300, 1000)) sender.send(0, 1, message(0, k, 200), k);
    expect(sender.counters.dropped).toBeGreaterThanOrEqual(299);
    expect(sender.exportState().contents.length).toBeLessThanOrEqual(80_000 + 200);
    await redis.start();
    expect(await sender.flush(WAIT)).toBe(true);
    const heard = numbersOf(await hear(receiver, 1, 100));
    expect(heard[heard.length - 1]).toBe(999);
    await until(() => {
      receiver.receive(1, 0);
      return receiver.statistics.delivered[0] + receiver.counters.missed === 1000;
    }, "all to be heard or known to be missed");
  });

  it.each([1000, 8])("leaves in Redis what its own queue has no room for, in messages of %d bytes", async (length) => {
    const [sender] = await open([0]);
    for (const k of range(0, 200)) sender.send(0, 1, message(0, k, length), k);
    expect(await sender.flush(WAIT)).toBe(true);
    const [receiver] = await open([1], { queueBytes: 4000 });
    await new Promise((resolve) => setTimeout(resolve, 200));
    // A read brings up to 16 at once, and there is none once 4,000 bytes are there: 16 entries at 256 bytes beside their messages.
    let first = 0;
    await until(() => {
      first = receiver.receive(1, 0).length;
      return first > 0;
    }, "a first part");
    expect(first).toBeLessThanOrEqual(Math.ceil(4000 / (256 + length)) + 16);
    expect((await hear(receiver, 1, 200 - first)).length).toBe(200 - first);
    expect(receiver.counters.missed).toBe(0);
  });

  it("refuses and counts what is forged, replayed, damaged or foreign", async () => {
    const direct = client();
    const pairs = range(0, 4).map(() => keyPair());
    const keysOf = (agent: number) => ({ own: pairs[agent].privateKey, all: pairs.map(({ publicKey }) => publicKey) });
    const [honest] = await open([0], { keys: keysOf(0) });
    const [receiver] = await open([1], { keys: keysOf(1) });
    honest.send(0, 1, message(0, 1), 0);
    expect(numbersOf(await hear(receiver, 1, 1))).toEqual([1]);
    const [[, [, to, , bytes, , signature]]] = (await direct.xrangeBuffer(keyOf(0), "-", "+")) as [Buffer, Buffer[]][];
    // Behind itself, as if it were one number.
    await direct.call("XADD", keyOf(0), "1-1", "to", to, "bytes", bytes, "signature", signature);
    const forged: (string | Buffer)[][] = [
      // Replayed in the own name, and in another's; unsigned; damaged; foreign.
      ["to", to, "bytes", bytes, "signature", signature],
      ["to", to, "bytes", bytes],
      ["to", to, "bytes", Buffer.concat([bytes, Buffer.of(1)]), "signature", signature],
      ["hello", "world"],
    ];
    for (const fields of forged) {
      for (const agent of [0, 2]) await direct.call("XADD", keyOf(agent), "*", ...fields);
    }
    await until(() => {
      expect(receiver.receive(1, 0)).toEqual([]);
      return receiver.counters.refused === 9;
    }, "9 to be refused");
    // A member of the run that has its own key alone, in another's name: its channel will not, and Redis knows no better.
    const letter = { to: [1], bytes: message(0, 2) };
    const inAnothersName = sealLetter(
      letter,
      { run: `run-${run}`, from: 0, sequence: 4e12 },
      createPrivateKey(pairs[2].privateKey),
    );
    await direct.call("XADD", keyOf(0), "4000000000000-0", ...inAnothersName);
    await until(() => receiver.receive(1, 0).length === 0 && receiver.counters.refused === 10, "the tenth");
    // Whatever id a forger takes, a state can be saved and goes on.
    await direct.call("XADD", keyOf(2), "18446744073709551615-3", "to", to, "bytes", bytes);
    await until(() => receiver.receive(1, 0).length === 0 && receiver.counters.refused === 11, "the eleventh");
    receiver.restoreState(receiver.exportState());
    const [third] = await open([3], { keys: keysOf(3) });
    third.send(3, 1, message(3, 5), 0);
    expect(numbersOf(await hear(receiver, 1, 1))).toEqual([5]);
  });

  it("sends away who comes to the run with something else", async () => {
    await open([0]);
    await expect(open([1], { about: "another world" })).rejects.toMatchObject({
      code: "invalid-option",
      message: expect.stringContaining("is about something else (test, not another world)"),
    });
  });

  it("refuses options that cannot be", async () => {
    const pairs = range(0, 4).map(() => keyPair());
    const [first, second] = pairs;
    const all = pairs.map(({ publicKey }) => publicKey);
    const rsa = keyPair("rsa").publicKey;
    const wrong: [Partial<RedisChannelOptions>, string][] = [
      [{ agents: 257 }, "agents must be a whole number in [1, 256], got 257"],
      [{ agent: 4 }, "agent must be a whole number in [0, 3], got 4"],
      [{ streamLength: 0 }, "streamLength must be"],
      [{ queueBytes: 0 }, "queueBytes must be"],
      [{ patience: -1 }, "patience must be ≥ 0"],
      [{ run: "a:b" }, 'run must consist of letters, digits, dots, dashes and underscores, got "a:b"'],
      [{ keys: { own: first.publicKey, all } }, "agent 0's own key must be a private one of Ed25519"],
      [{ keys: { own: first.privateKey, all: all.slice(1) } }, "a public key of each of 4 agents, got 3"],
      [
        { keys: { own: first.privateKey, all: [...all.slice(1), rsa] } },
        "agent 3's key must be a public one of Ed25519",
      ],
      [
        { keys: { own: first.privateKey, all: [...all.slice(0, 3), pairs[3].privateKey] } },
        "agent 3's key must be a public one of Ed25519",
      ],
      [{ keys: { own: second.privateKey, all } }, "agent 0's own key does not belong to its public one"],
      [{ keys: { own: first.privateKey, all: [all[0], all[1], all[2], all[1]] } }, "agent 3 has the key of another"],
      [{ url: "http://:hidden@host" }, "the URL must look like redis://"],
      [{ url: `${redis.url}/x` }, 'a database is a number, got "x"'],
      [{ tls: {} }, "TLS options go with a URL that begins with rediss://"],
    ];
    for (const [options, why] of wrong) {
      const error = await open([0], options).catch((thrown) => thrown);
      expect(error).toMatchObject({ code: "invalid-option", message: expect.stringContaining(why) });
      expect(error.message).not.toContain("hidden");
    }
    const [channel] = await open([0]);
    expect(() => channel.send(1, 0, message(1, 0), 0)).toThrow("this end is agent 0's and cannot send as agent 1");
    expect(() => channel.receive(1, 0)).toThrow("this end is agent 0's and cannot receive as agent 1");
    expect(() => channel.send(0, 4, message(0, 0), 0)).toThrow("to must be a whole number in [0, 3], got 4");
  });

  it("says that nobody is there, and gives up when it was told to", async () => {
    const begun = performance.now();
    const gone = { url: "redis://user:hidden@127.0.0.1:1", patience: 0.2 };
    const error = await open([0], gone).catch((thrown) => thrown);
    expect(error).toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/user@127.0.0.1:1: .*ECONNREFUSED/),
    });
    expect(error.message).not.toContain("hidden");
    expect(performance.now() - begun).toBeLessThan(3000);
  });
});

withRedis("a channel over Redis with passwords", () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startTestRedis("--requirepass", "all of it");
  });
  afterAll(() => redis.close());
  const open = async (options: Partial<RedisChannelOptions>) => {
    const about = { url: redis.url, run: "demo", agents: 2, agent: 0, about: "test" };
    const channel = await openRedisChannel({ ...about, ...options });
    cleanUp.push(() => channel.close());
    return channel;
  };

  it("lets nobody in without the right one", async () => {
    await expect(open({})).rejects.toMatchObject({
      code: "invalid-option",
      message: expect.stringMatching(/wants a password/),
    });
    await expect(open({ password: "part of it" })).rejects.toMatchObject({
      code: "invalid-option",
      message: expect.stringContaining("refuses the username or password"),
    });
    const inUrl = redis.url.replace("//", "//:all%20of%20it@");
    const [first, second] = [await open({ password: "all of it" }), await open({ url: inUrl, agent: 1 })];
    first.send(0, 1, message(0, 3), 0);
    expect(numbersOf(await hear(second, 1, 1))).toEqual([3]);
  });

  // Keys that may only be read, %R~, are of Redis 7.
  const old = missingRedis([7, 0]);
  const itLists = old ? (name: string, test: () => Promise<void>) => it.skip(`${name} (${old})`, test) : it;
  itLists("works for a user who may write to the agent's own stream alone", async () => {
    const admin = new Redis(redis.url, { password: "all of it" });
    cleanUp.push(async () => admin.disconnect());
    for (const i of [0, 1]) {
      const keys = ["%R~magic-mask:demo:*", "~magic-mask:demo:about", `~magic-mask:demo:agent:${i}`];
      const commands = ["-@all", "+set", "+get", "+xadd", "+xread", "+xrevrange"];
      await admin.call("ACL", "SETUSER", `agent${i}`, "on", `>pass${i}`, ...keys, ...commands);
    }
    const users = [0, 1].map((agent) => open({ username: `agent${agent}`, password: `pass${agent}`, agent }));
    const [first, second] = await Promise.all(users);
    second.send(1, 0, message(1, 4), 0);
    expect(numbersOf(await hear(first, 0, 1))).toEqual([4]);
    // Agent 1's user as agent 0: Redis takes nothing from it.
    const forger = await open({ username: "agent1", password: "pass1", agent: 0 });
    forger.send(0, 1, message(0, 6), 0);
    await until(() => forger.trouble !== undefined, "Redis to refuse");
    expect(forger.trouble).toContain("NOPERM");
    expect(forger.counters.acknowledged).toBe(0);
  });
});

describe("a server that is too old", () => {
  it("is told from one that will do", async () => {
    for (const [answer, ok] of [
      ["-ERR unknown command `HELLO`\r\n", false],
      ["-ERR wrong number of arguments for 'hello' command\r\n", false],
      ["*2\r\n$7\r\nversion\r\n$6\r\n6.0.16\r\n", false],
    ] as const) {
      const server = createServer((socket) => {
        socket.on("data", () => socket.write(answer)).on("error", () => {});
      }).listen(0, "127.0.0.1");
      await new Promise((resolve) => server.once("listening", resolve));
      const { port } = server.address() as { port: number };
      const options = { url: `redis://127.0.0.1:${port}`, run: "old", agents: 2, agent: 0, about: "test" };
      const error = await openRedisChannel(options).catch((thrown) => thrown);
      expect([error.code, error.message.includes("Redis ≥ 6.2 is needed")]).toEqual(["unsupported", !ok]);
      server.close();
    }
  });
});

const noTls = missing ?? (spawnSync("openssl", ["version"]).status === 0 ? undefined : "there is no openssl");
(noTls ? describe.skip : describe)(`a channel over Redis with TLS${noTls ? ` (${noTls})` : ""}`, () => {
  let redis: TestRedis;
  let folder: string;
  const pem = (name: string) => readFileSync(join(folder, name), "utf8");
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "magic-mask-tls-"));
    const at = (name: string) => join(folder, name);
    const make = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    const about = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"];
    spawnSync("openssl", [...make, ...about, "-keyout", at("key.pem"), "-out", at("cert.pem")]);
    const files = ["--tls-cert-file", at("cert.pem"), "--tls-key-file", at("key.pem"), "--tls-ca-cert-file"];
    // The port speaks TLS and nothing else; whoever comes shows a certificate, too.
    redis = await startTestRedis(...files, at("cert.pem"), "--port", "0", "--tls-port", "PORT");
  });
  afterAll(async () => {
    await redis.close();
    rmSync(folder, { recursive: true });
  });

  it("checks certificates on both sides, unless it is told not to", async () => {
    const url = redis.url.replace("redis:", "rediss:");
    const open = async (tls: Required<RedisChannelOptions>["tls"], agent = 0) => {
      const channel = await openRedisChannel({
        url,
        run: "demo",
        agents: 2,
        agent,
        about: "test",
        patience: 0.5,
        tls,
      });
      cleanUp.push(() => channel.close());
      return channel;
    };
    const own = { cert: pem("cert.pem"), key: pem("key.pem") };
    await expect(open(own)).rejects.toMatchObject({
      code: "invalid-option",
      message: expect.stringMatching(/no TLS with .*tls\.ca/),
    });
    await expect(open({ ca: pem("cert.pem") })).rejects.toMatchObject({ code: "unavailable" });
    const first = await open({ ...own, ca: pem("cert.pem") });
    const second = await open({ ...own, rejectUnauthorized: false }, 1);
    first.send(0, 1, message(0, 2), 0);
    expect(numbersOf(await hear(second, 1, 1))).toEqual([2]);
  });
});
