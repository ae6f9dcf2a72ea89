import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A Redis server of one's own, on a free port of this machine, with its files in a temporary folder. */
export interface TestRedis {
  readonly url: string;
  readonly port: number;
  /** Starts it again, unless it runs, with what its append-only file holds. */
  start(): Promise<void>;
  /** SIGKILL: what it has not written yet is gone. */
  kill(): Promise<void>;
  /** Ends it and removes its folder. */
  close(): Promise<void>;
}

/** Why no server can be started here that is new enough; undefined where one can. @param least major and minor version */
export function missingRedis(least: readonly [number, number] = [6, 2]): string | undefined {
  const { status, stdout } = spawnSync("redis-server", ["--version"], { encoding: "utf8" });
  if (status !== 0) return "there is no redis-server on the PATH; Debian's package is redis-server";
  const [, major, minor] = /v=(\d+)\.(\d+)/.exec(stdout) ?? ["", "0", "0"];
  const isOld = Number(major) < least[0] || (Number(major) === least[0] && Number(minor) < least[1]);
  return isOld ? `redis-server is ${major}.${minor}; it takes ${least.join(".")}` : undefined;
}

/** Starts one. @param settings further command-line arguments of redis-server; PORT in them is its port */
export async function startTestRedis(...settings: string[]): Promise<TestRedis> {
  const folder = mkdtempSync(join(tmpdir(), "magic-mask-redis-"));
  const port = await freePort();
  let server: ChildProcess | undefined;
  const runs = () => server && server.exitCode === null && server.signalCode === null;
  const kill = async () => {
    if (!server || !runs()) return;
    const gone = once(server, "exit");
    server.kill("SIGKILL");
    await gone;
  };
  const redis: TestRedis = {
    url: `redis://127.0.0.1:${port}`,
    port,
    async start() {
      if (runs()) return;
      const own = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "yes"];
      server = spawn("redis-server", [...own, ...settings.map((word) => word.replace("PORT", `${port}`))], {
        stdio: "ignore",
      });
      // A folder that is gone or a bad setting ends it at once.
      const ended = once(server, "exit").then(([code]) => {
        throw new Error(`redis-server ended with ${code}`);
      });
      ended.catch(() => {});
      await Promise.race([answers(port), ended]);
    },
    kill,
    async close() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await redis.start();
  return redis;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

/** Waits until somebody listens. */
async function answers(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    const isThere = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    });
    socket.destroy();
    if (isThere) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
