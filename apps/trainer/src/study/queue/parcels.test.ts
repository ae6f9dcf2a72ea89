import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { missingRedis, startTestRedis, type TestRedis } from "@magic-mask/comm/redis/testing";
import { Redis } from "ioredis";
import { createParcels } from "./parcels.ts";

const missing = missingRedis();
(missing ? describe.skip : describe)(`parcels${missing ? ` (${missing})` : ""}`, () => {
  let redis: TestRedis;
  let client: Redis;
  const folder = mkdtempSync(join(tmpdir(), "magic-mask-parcels-"));
  const [here, there] = [join(folder, "here"), join(folder, "there")];
  const write = (name: string, content: string | Uint8Array) => {
    mkdirSync(join(here, name, ".."), { recursive: true });
    writeFileSync(join(here, name), content);
  };
  beforeAll(async () => {
    redis = await startTestRedis();
    client = new Redis(redis.url);
  });
  afterAll(async () => {
    client.disconnect();
    await redis.close();
    rmSync(folder, { recursive: true });
  });
  /** Each end has its own memory of what it has seen. */
  const ends = () => [createParcels(client, "test"), createParcels(client, "test")] as const;
  const chunks = async () => (await client.keys("test:file:*")).length;

  it("bring folders and files over as they are, in chunks, and put the new in place of the old", async () => {
    const [sender, receiver] = ends();
    // 2.5 MiB: three chunks. What is being written is left where it is.
    const large = Uint8Array.from({ length: 2.5 * 2 ** 20 }, (_, i) => (i * 31) >> 7);
    write("policies/a/checkpoints/step_1/state", large);
    write("policies/a/checkpoints/latest.json", "1");
    write("policies/a/checkpoints/step_2.tmp/state", "half");
    write("trials/b.json", "{}");
    expect(await sender.send("policies/none", here)).toBe(false);
    expect(await receiver.fetch("policies/a", there)).toBe(false);
    expect([await sender.send("policies/a", here), await sender.send("trials/b.json", here)]).toEqual([true, true]);
    expect(await chunks()).toBe(3 + 1 + 1);
    expect([await receiver.fetch("policies/a", there), await receiver.has("policies/a")]).toEqual([true, true]);
    expect(await receiver.fetch("trials/b.json", there)).toBe(true);
    expect(readFileSync(join(there, "policies/a/checkpoints/step_1/state")).equals(large)).toBe(true);
    expect(readdirSync(join(there, "policies/a/checkpoints")).sort()).toEqual(["latest.json", "step_1"]);
    expect(readFileSync(join(there, "trials/b.json"), "utf8")).toBe("{}");

    rmSync(join(here, "policies/a/checkpoints/step_1"), { recursive: true });
    write("policies/a/checkpoints/step_3/state", "three");
    await sender.send("policies/a", here);
    expect(await chunks()).toBe(1 + 1 + 1);
    await receiver.fetch("policies/a", there);
    expect(readdirSync(join(there, "policies/a/checkpoints")).sort()).toEqual(["latest.json", "step_3"]);

    await sender.remove("trials/b.json");
    expect([await receiver.fetch("trials/b.json", there), await chunks()]).toEqual([false, 2]);
    await sender.removeAll();
    expect(await client.keys("test:*")).toEqual([]);
  });

  it("refuse what is damaged, lost, or would lie elsewhere", async () => {
    const [sender, receiver] = ends();
    write("truth/c/state", "what is true");
    await sender.send("truth/c", here);
    const [key] = await client.keys("test:file:truth*");
    await client.set(key, "what is told");
    await expect(receiver.fetch("truth/c", there)).rejects.toMatchObject({ code: "corrupt-message" });
    await client.del(key);
    await expect(receiver.fetch("truth/c", there)).rejects.toThrow("Redis has lost parts of truth/c");
    expect(existsSync(join(there, "truth/c"))).toBe(false);
    const names = ["../../d", "/etc/d", "x/../../../d"];
    for (const name of names) {
      const files = [{ name, bytes: 0, sha256: "" }];
      await client.hset("test:parcels", "truth/c", JSON.stringify({ files }));
      await expect(receiver.fetch("truth/c", there)).rejects.toThrow("is not the name of a file under truth/c");
    }
  });
});
