import { afterEach, describe, expect, it } from "@jest/globals";
import { startThread, type Thread, type ThreadDescription } from "./threads.ts";

const open: Thread[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((thread) => thread.close()));
});

const start = (description: ThreadDescription) => {
  const thread = startThread(description);
  open.push(thread);
  return thread;
};

/** A thread over the methods that `source` lists. */
const plain = (source: string, options?: unknown) =>
  start({
    module: `data:text/javascript,${encodeURIComponent(`export const make = async (options) => ({ ${source} });`)}`,
    export: "make",
    options,
  });

describe("a thread", () => {
  it("makes an object from its description and answers calls, whichever is done first", async () => {
    const thread = plain(
      "add: (n) => n + options.start, later: (n) => new Promise((resolve) => setTimeout(resolve, 30, n))",
      { start: 40 },
    );
    const order: number[] = [];
    const calls = [thread.call<number>("later", 1), thread.call<number>("add", 2)];
    for (const call of calls) call.then((answer) => order.push(answer));
    expect(await Promise.all(calls)).toEqual([1, 42]);
    expect(order).toEqual([42, 1]);
  });

  it("runs this workspace's TypeScript source", async () => {
    const module = new URL("./random.ts", import.meta.url).href;
    const thread = start({ module, export: "stream", options: "name" });
    const { stream } = await import("./random.ts");
    expect(await thread.call("bits")).toBe(stream("name").bits());
  });

  it("shares memory", async () => {
    const shared = new Int32Array(new SharedArrayBuffer(8));
    await plain("write(array) { array[1] = 5; }").call("write", shared);
    expect([...shared]).toEqual([0, 5]);
  });
});

describe("what goes wrong in a thread", () => {
  it("arrives: ours with its fields, and where it happened", async () => {
    const ours =
      'fail() { throw Object.assign(new Error("[a/b] no"), { name: "MagicMaskError", code: "io", source: "a/b" }); }';
    const error = await plain(ours)
      .call<Error>("fail")
      .catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ name: "MagicMaskError", code: "io", source: "a/b", message: "[a/b] no" });
    expect(error.stack).toContain("data:text/javascript");
    await expect(plain('fail() { throw new RangeError("too far"); }').call("fail")).rejects.toThrow("too far");
    await expect(plain('fail() { throw "a string"; }').call("fail")).rejects.toThrow("a string");
  });

  it.each([
    ["an answer that cannot be cloned", 'go: () => () => "function"', "could not be cloned"],
    ["a method that there is not", "", "is not a function"],
  ])("arrives: %s", async (_, source, message) => {
    await expect(plain(source).call("go")).rejects.toThrow(message);
  });

  it("arrives with the first call if the object cannot be made, and with every later one", async () => {
    const broken: [string, string, string][] = [
      ["data:text/javascript,export const make = () => { throw new Error('too early'); }", "make", "too early"],
      ["data:text/javascript,export const other = 1;", "make", "exports no function make"],
      [new URL("./nowhere.mjs", import.meta.url).href, "make", "nowhere.mjs"],
    ];
    for (const [module, name, message] of broken) {
      const thread = start({ module, export: name, options: null });
      await expect(thread.call("anything")).rejects.toThrow(message);
      await expect(thread.call("anything")).rejects.toThrow(message);
    }
  });

  it.each([
    ["leaves", "process.exit(3)", "exit code 3"],
    ["fails between calls", "setTimeout(() => { throw new Error('much later'); })", "much later"],
  ])("ends it, if it %s: calls that wait and all later ones are lost", async (_, deed, message) => {
    const thread = plain(`go() { ${deed}; return new Promise(() => {}); }, rest: () => new Promise(() => {})`);
    const waiting = [thread.call("rest"), thread.call("go")].map((call) => call.catch((thrown) => thrown));
    for (const error of await Promise.all(waiting)) {
      expect(error).toMatchObject({ code: "worker-lost", message: expect.stringContaining(message) });
    }
    await expect(thread.call("rest")).rejects.toMatchObject({ code: "worker-lost" });
  });

  it("is lost, if it is closed meanwhile", async () => {
    const thread = plain("rest: () => new Promise(() => {})");
    const waiting = thread.call("rest").catch((thrown) => thrown);
    await thread.close();
    expect(await waiting).toMatchObject({ code: "worker-lost" });
  });
});
