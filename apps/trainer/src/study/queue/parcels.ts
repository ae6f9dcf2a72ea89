/** Files of a study's cache on their way through Redis. */
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { MagicMaskError } from "@magic-mask/core";
import type { Redis } from "ioredis";
import { refused, writeFileAtomic } from "../../run/atomic.ts";
import { sha256 } from "../../run/sealed-json.ts";

/** What is under one path of a cache: a file, named "", or a folder's files. */
interface Manifest {
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly sha256: string }[];
}

export interface Parcels {
  /**
   * Puts into Redis what lies under a path of the cache, in place of what was there; nothing where it is there already.
   *
   * @returns false if there is nothing under that path
   */
  send(path: string, cache: string): Promise<boolean>;
  has(path: string): Promise<boolean>;
  /**
   * Puts into the cache what Redis holds for a path, every byte checked, in place of what was there.
   *
   * @returns false if Redis holds nothing
   * @throws corrupt-message; io
   */
  fetch(path: string, cache: string): Promise<boolean>;
  remove(path: string): Promise<void>;
  removeAll(): Promise<void>;
}

const SOURCE = "trainer/parcels";
/** Bytes that go into one value. */
const CHUNK = 2 ** 20;
/** Seconds after which Redis forgets what nobody came for. */
const LIFETIME = 7 * 86_400;
/** How often something is read that changes meanwhile. */
const TRIES = 5;

/** @param prefix of the keys */
export function createParcels(redis: Redis, prefix: string): Parcels {
  const manifests = `${prefix}:parcels`;
  const keyOf = (path: string, digest: string, k: number) => `${prefix}:file:${path}:${digest}:${k}`;
  const keysOf = (path: string, { files }: Manifest) =>
    files.flatMap(({ sha256: digest, bytes }) =>
      Array.from({ length: Math.ceil(bytes / CHUNK) }, (_, k) => keyOf(path, digest, k)),
    );
  const read = async (path: string): Promise<Manifest | undefined> => {
    const text = await redis.hget(manifests, path);
    return text === null ? undefined : (JSON.parse(text) as Manifest);
  };
  const forget = async (keys: readonly string[]) => {
    if (keys.length > 0) await redis.unlink(...keys);
  };
  const has = async (path: string) => (await redis.hexists(manifests, path)) === 1;
  /** As they were when they were last sent or fetched: nothing is read to find out that nothing changed. */
  const seen = new Map<string, string>();

  const bring = async (path: string, manifest: Manifest) => {
    const contents: [string, Buffer][] = [];
    for (const { name, bytes, sha256: digest } of manifest.files) {
      const chunks: Buffer[] = [];
      for (let k = 0; k * CHUNK < bytes; k++) {
        const chunk = await redis.getBuffer(keyOf(path, digest, k));
        if (!chunk) return undefined;
        chunks.push(chunk);
      }
      const content = Buffer.concat(chunks);
      if (content.length !== bytes || sha256(content) !== digest) {
        const came = `${content.length} bytes of SHA-256 ${sha256(content)}`;
        throw new MagicMaskError("corrupt-message", SOURCE, `${path}/${name} should be ${digest} and came as ${came}`);
      }
      contents.push([name, content]);
    }
    return contents;
  };

  return {
    async send(path, cache) {
      const before = seen.get(path);
      const isThere = before !== undefined && before === (await stampOf(join(cache, path))) && (await has(path));
      if (isThere) return true;
      const found = await readAll(join(cache, path));
      if (!found) return false;
      const files = found.contents.map(([name, content]) => ({
        name,
        bytes: content.length,
        sha256: sha256(content),
      }));
      const manifest: Manifest = { files };
      const old = await read(path);
      if (JSON.stringify(old) !== JSON.stringify(manifest)) {
        const known = new Set(old ? keysOf(path, old) : []);
        for (const [i, [, content]] of found.contents.entries()) {
          for (let k = 0; k * CHUNK < content.length; k++) {
            const key = keyOf(path, files[i].sha256, k);
            if (known.has(key)) continue;
            await redis.set(key, content.subarray(k * CHUNK, (k + 1) * CHUNK), "EX", LIFETIME);
          }
        }
        // Whoever reads finds the old or the new, and tries again where the old goes meanwhile.
        await redis.multi().hset(manifests, path, JSON.stringify(manifest)).expire(manifests, LIFETIME).exec();
        const kept = new Set(keysOf(path, manifest));
        await forget([...known].filter((key) => !kept.has(key)));
      }
      seen.set(path, found.stamp);
      return true;
    },

    has,

    async fetch(path, cache) {
      for (let trial = 0; trial < TRIES; trial++) {
        const manifest = await read(path);
        if (!manifest) return false;
        for (const { name } of manifest.files) requireInside(path, name);
        const contents = await bring(path, manifest);
        if (!contents) continue;
        await place(join(cache, path), contents);
        const stamp = await stampOf(join(cache, path));
        if (stamp !== undefined) seen.set(path, stamp);
        return true;
      }
      throw new MagicMaskError("corrupt-message", SOURCE, `Redis has lost parts of ${path}; try again`);
    },

    async remove(path) {
      const manifest = await read(path);
      if (!manifest) return;
      await redis.hdel(manifests, path);
      await forget(keysOf(path, manifest));
      seen.delete(path);
    },

    async removeAll() {
      for (const [path, text] of Object.entries(await redis.hgetall(manifests))) {
        await forget(keysOf(path, JSON.parse(text) as Manifest));
      }
      await redis.unlink(manifests);
    },
  };
}

/** Whoever writes to Redis is not to write elsewhere. @throws corrupt-message */
function requireInside(path: string, name: string): void {
  const parts = `${path}/${name}`.split(/[\\/]/);
  if (!parts.includes("..") && !posix.isAbsolute(name)) return;
  throw new MagicMaskError("corrupt-message", SOURCE, `"${name}" is not the name of a file under ${path}`);
}

/** Names, sizes and times of all files under a path; undefined where there is none. */
async function stampOf(path: string): Promise<string | undefined> {
  const names = await namesIn(path);
  if (names.length === 0) return undefined;
  const told = await Promise.all(
    names.map(async (name) => {
      const found = await stat(join(path, name)).catch(() => undefined);
      return `${name} ${found?.size} ${found?.mtimeMs} ${found?.ino}`;
    }),
  );
  return told.join("\n");
}

/** Relative to the path, with "/" between them; "" for a file. What is being written is none yet. */
async function namesIn(path: string): Promise<string[]> {
  let names: string[];
  try {
    if ((await stat(path)).isFile()) return [""];
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    names = entries
      .filter((entry) => entry.isFile())
      .map((entry) =>
        posix.join(
          ...join(entry.parentPath, entry.name)
            .slice(path.length + 1)
            .split(/[\\/]/),
        ),
      );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw refused(SOURCE, `read ${path}`, error);
  }
  return names.filter((name) => !name.split("/").some((part) => part.endsWith(".tmp"))).sort();
}

/** All files under a path as they stood at one moment: nothing changed while they were read. */
async function readAll(path: string): Promise<{ contents: [string, Buffer][]; stamp: string } | undefined> {
  for (let trial = 0; ; trial++) {
    const stamp = await stampOf(path);
    if (stamp === undefined) return undefined;
    try {
      const contents: [string, Buffer][] = [];
      for (const name of await namesIn(path)) contents.push([name, await readFile(join(path, name))]);
      if (stamp === (await stampOf(path))) return { contents, stamp };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw refused(SOURCE, `read ${path}`, error);
    }
    if (trial === TRIES) throw new MagicMaskError("io", SOURCE, `${path} changes all the time`);
  }
}

async function place(path: string, contents: readonly (readonly [string, Buffer])[]): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    if (contents.length === 1 && contents[0][0] === "") return await writeFileAtomic(path, contents[0][1]);
    const aside = `${path}.incoming`;
    await rm(aside, { recursive: true, force: true });
    for (const [name, content] of contents) {
      const file = join(aside, name);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
    }
    // Redis still has it, should this be where the power goes.
    await rm(path, { recursive: true, force: true });
    await rename(aside, path);
  } catch (error) {
    throw refused(SOURCE, `write ${path}`, error);
  }
}
