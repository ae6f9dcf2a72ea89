import { expect, it } from "@jest/globals";
import { createSignals, partOf, shareDone, tellShare } from "./signals.ts";

it("lets parts of a task, and parts of these, speak of themselves alone", () => {
  const task = createSignals();
  tellShare(task, 0.25);
  expect(shareDone(task)).toBe(0.25);
  // Half of the second of four quarters, and of its second half the whole.
  const second = partOf(task, 1, 4);
  tellShare(second, 0.5);
  expect(shareDone(task)).toBe(0.375);
  tellShare(partOf(second, 1, 2), 1);
  expect(shareDone(task)).toBe(0.5);
});
