/** What `startNode` runs: answers each line of standard input with one of standard output, all JSON. The first holds the options. */
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const { start } = await import(pathToFileURL(process.argv[2]).href);
let answer: ((request: unknown) => Promise<unknown>) | undefined;
for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line);
  let reply: unknown = {};
  if (answer) reply = await answer(message);
  else answer = await start(message);
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
