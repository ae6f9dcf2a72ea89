import { describe, it } from "@jest/globals";
import { sh } from "./workspace.ts";

/** Each tool is a test that fails with what the tool said. */
describe.each([
  ["types are right", "tsc --noEmit --pretty false"],
  ["types of the page's scripts are right", "tsc -p apps/trainer/page --pretty false"],
  ["style and lint are clean", "biome check --error-on-warnings --colors=off ."],
  ["nothing is unused or undeclared", "knip --no-progress --no-config-hints"],
])("%s", (_, command) => {
  it(command, () => void sh(command), 300_000);
});
