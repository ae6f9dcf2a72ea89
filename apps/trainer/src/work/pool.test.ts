import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "@jest/globals";
import { type Hand, type Pending, type PoolOptions, runPool } from "./pool.ts";

/** Hands that write down what they do, and fail where `fails` says so. */
function bench(hands: number, fails: (task: string, trial: number) => boolean = () => false) {
  const log: string[] = [];
  const tries = new Map<string, number>();
  let most = 0;
  let busy = 0;
  const hand = (): Hand<string> => ({
    async run(task) {
      most = Math.max(most, ++busy);
      log.push(`+${task}`);
      for (let i = 0; i < 3; i++) await setImmediate();
      busy--;
      const trial = (tries.get(task) ?? 0) + 1;
      tries.set(task, trial);
      if (fails(task, trial)) throw new Error(`${task} fails`);
      log.push(`-${task}`);
      return true;
    },
    share: () => 0.5,
    stop: () => log.push("stop"),
  });
  return { log, hands: Array.from({ length: hands }, hand), mostBusy: () => most };
}
const pending = (task: string, about: string, rank: number): Pending<string> => ({ task, about, rank, weight: 1 });
const TASKS = [pending("p1", "1", 0), pending("p2", "2", 0), pending("t1", "1", 1), pending("c1", "1", 2)];
const run = (options: Partial<PoolOptions<string>>) =>
  runPool({ pending: TASKS, hands: [], tries: 1, strict: false, stopped: () => false, onChange: () => {}, ...options });
const names = (some: readonly { readonly task: string }[]) => some.map(({ task }) => task);

describe("a pool", () => {
  it("begins a task when what it needs is done, and others beside it", async () => {
    const { hands, log, mostBusy } = bench(2);
    const { done, failed, waiting } = await run({ hands });
    expect([names(done).sort(), failed, waiting]).toEqual([["c1", "p1", "p2", "t1"], [], []]);
    expect(log.slice(0, 2)).toEqual(["+p1", "+p2"]);
    for (const [first, then] of [
      ["p1", "t1"],
      ["t1", "c1"],
    ]) {
      expect(log.indexOf(`-${first}`)).toBeLessThan(log.indexOf(`+${then}`));
    }
    expect(mostBusy()).toBe(2);
  });

  it("makes nothing twice at once", async () => {
    const making = (task: string, about: string, ...makes: string[]) => ({ ...pending(task, about, 0), makes });
    const { hands, log } = bench(3);
    await run({ hands, pending: [making("a", "1", "x"), making("b", "2", "y", "x"), making("c", "3", "z")] });
    expect(log.slice(0, 2)).toEqual(["+a", "+c"]);
    expect(log.indexOf("-a")).toBeLessThan(log.indexOf("+b"));
  });

  it("tries again, then gives up, with all that waits for it and nothing else", async () => {
    const once = bench(1, (task, trial) => task === "p1" && trial === 1);
    expect((await run({ hands: once.hands, tries: 2 })).failed).toEqual([]);
    const always = bench(2, (task) => task === "p1");
    const { done, failed } = await run({ hands: always.hands, tries: 2 });
    expect(names(done)).toEqual(["p2"]);
    expect(failed.map(({ pending: { task }, tries, error }) => [task, tries, `${error}`]).sort()).toEqual([
      ["c1", 0, "Error: p1 fails"],
      ["p1", 2, "Error: p1 fails"],
      ["t1", 0, "Error: p1 fails"],
    ]);
  });

  it("ends with the first failure where it is strict", async () => {
    const { hands } = bench(1, (task) => task === "p1");
    const { done, waiting } = await run({ hands, strict: true });
    expect([names(done), names(waiting)]).toEqual([[], ["p2"]]);
  });

  it("begins nothing once it is stopped, and tells how things stand", async () => {
    const { hands, log } = bench(1);
    let begun = 0;
    const told: number[] = [];
    const { done, waiting } = await run({
      hands,
      stopped: () => begun++ > 1,
      onChange: ({ inHand, done: made }) => told.push(made.length + inHand.length),
    });
    expect([names(done), names(waiting)]).toEqual([["p1"], ["p2", "t1", "c1"]]);
    expect([log.at(-1), told[0], told.at(-1)]).toEqual(["-p1", 0, 1]);
  });
});
