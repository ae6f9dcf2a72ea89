import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { noteTestLook } from "../run/test-looks.ts";
import type { PolicySource } from "./plan.ts";

/** A look at the test states is noted before it is taken: in the records of runs that are there, and in the cache. @throws io */
export async function noteLooks(policies: readonly PolicySource[], cache: string, command: string): Promise<void> {
  for (const { run } of policies) if (run) await noteTestLook(run, command);
  const look = { at: new Date().toISOString(), command, policies: policies.map(({ address }) => address) };
  appendFileSync(join(cache, "test-looks.jsonl"), `${JSON.stringify(look)}\n`);
}
