import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { describe, expect, it } from "@jest/globals";
import { createInterrupt } from "./interrupt.ts";

function fakeProcess() {
  const exits: number[] = [];
  const written: string[] = [];
  const host = Object.assign(new EventEmitter(), {
    exit: (code: number) => void exits.push(code),
    stderr: { write: (text: string) => written.push(text) },
  });
  return { host, exits, written, send: (signal: string) => host.emit(signal, signal) };
}

describe("interrupt", () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ])("takes the first %s for a request, the second for an order", (signal, code) => {
    const { host, exits, written, send } = fakeProcess();
    const interrupt = createInterrupt(host);
    expect([interrupt.requested, interrupt.exitCode]).toEqual([false, 0]);
    send(signal);
    expect([interrupt.requested, interrupt.exitCode, exits]).toEqual([true, code, []]);
    expect(written.join("")).toMatch(/finishing this update, then saving; once more to stop at once/);
    send("SIGINT");
    expect(exits).toEqual([130]);
  });

  it("gives the signals back", () => {
    const { host, exits, send } = fakeProcess();
    const interrupt = createInterrupt(host);
    interrupt.restore();
    send("SIGINT");
    expect([interrupt.requested, exits, host.eventNames()]).toEqual([false, [], []]);
  });

  // Windows has no signals to send.
  (process.platform === "win32" ? it.skip : it)(
    "ends a real process at the second signal, not at the first",
    async () => {
      const script = `import { createInterrupt } from ${JSON.stringify(new URL("./interrupt.ts", import.meta.url).href)};
      const interrupt = createInterrupt();
      console.log("ready");
      const timer = setInterval(() => { if (interrupt.requested) { console.log("asked"); clearInterval(timer); setInterval(() => {}, 1000); } }, 5);`;
      const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
        stdio: ["ignore", "pipe", "ignore"],
      });
      const said = async () => String((await once(child.stdout, "data"))[0]).trim();
      expect(await said()).toBe("ready");
      child.kill("SIGTERM");
      expect(await said()).toBe("asked");
      child.kill("SIGINT");
      expect(await once(child, "exit")).toEqual([130, null]);
    },
  );
});
