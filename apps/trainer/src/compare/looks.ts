import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { noteTestLook } from "../run/test-looks.ts";
import type { PolicySource } from "./plan.ts";

interface Look {
  readonly at: string;
  readonly command: string;
  /** Addresses. */
  readonly policies: readonly string[];
}

/**
 * A look at the test states is noted before it is taken: in the records of runs that are there, and in the cache.
 *
 * @returns how many different commands have looked at those of any of these policies by way of this cache, this one included
 * @throws io
 */
export async function noteLooks(policies: readonly PolicySource[], cache: string, command: string): Promise<number> {
  for (const { run } of policies) if (run) await noteTestLook(run, command);
  const addresses = policies.map(({ address }) => address);
  const look: Look = { at: new Date().toISOString(), command, policies: addresses };
  const file = join(cache, "test-looks.jsonl");
  appendFileSync(file, `${JSON.stringify(look)}\n`);
  const looks = readFileSync(file, "utf8").trim().split("\n").map(parse);
  const ofThese = looks.filter(
    (each) => each === undefined || each.policies.some((address) => addresses.includes(address)),
  );
  return new Set(ofThese.map((each) => each?.command)).size;
}

/** undefined for a line that a crash has cut off: it may have been a look at anything. */
function parse(line: string): Look | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
