import type { MakeEnvironment } from "@magic-mask/core";
import { environmentLaws } from "@magic-mask/core/testing";

/**
 * Plays fresh instances of a world to see whether it obeys every law of the `Environment` contract. Needs no test runner.
 *
 * @returns what could not be checked, one sentence each: what depends on something that the world does not declare
 * @throws law-broken, naming the first law that it breaks
 */
export function checkEnvironment(make: MakeEnvironment): string[] {
  for (const { run } of environmentLaws) run(make);
  const { chance, snapshotBytes } = make();
  const unchecked: string[] = [];
  if (chance === undefined) {
    unchecked.push(
      'whether every seed starts an episode of its own, and restore heeds its stream: declare chance as "none", "reset" or "steps"',
    );
  }
  if (snapshotBytes === 0) unchecked.push("whether it continues from snapshots: it has none (snapshotBytes is 0)");
  return unchecked;
}
