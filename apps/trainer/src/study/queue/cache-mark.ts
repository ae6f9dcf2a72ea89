import { randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { refused } from "../../run/atomic.ts";

const fileOf = (cache: string) => join(cache, "cache-id");

/** What tells this folder from every other, wherever it is seen from. @throws io */
export function markOf(cache: string): string {
  const known = readMark(cache);
  if (known !== undefined) return known;
  try {
    const mark = randomUUID();
    writeFileSync(fileOf(cache), mark);
    return mark;
  } catch (error) {
    throw refused("trainer/cache-mark", `write ${fileOf(cache)}`, error);
  }
}

/** Undefined where there is none, or none can be read: then the folder is not that of another. */
export function readMark(cache: string): string | undefined {
  try {
    return readFileSync(fileOf(cache), "utf8");
  } catch {
    return undefined;
  }
}
