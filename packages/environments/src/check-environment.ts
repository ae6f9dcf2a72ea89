import type { MakeEnvironment } from "@magic-mask/core";
import { environmentLaws } from "@magic-mask/core/testing";

/**
 * Plays fresh instances of a world to see whether it obeys every law of the `Environment` contract. Needs no test runner.
 *
 * @throws law-broken, naming the first law that it breaks
 */
export function checkEnvironment(make: MakeEnvironment): void {
  for (const { run } of environmentLaws) run(make);
}
