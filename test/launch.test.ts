import { spawn } from "node:child_process";
import { once } from "node:events";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { root } from "./workspace.ts";

/** Starts a program as the launchers in `scripts` do: a launcher that runs `child`, both given as source. */
function launch(child: string) {
  const run = JSON.stringify(pathToFileURL(`${root}scripts/run.mjs`).href);
  const source = `import { run } from ${run};
    process.exitCode = await run(process.execPath, ["--input-type=module", "--eval", ${JSON.stringify(child)}]);`;
  const { NODE_OPTIONS: _, ...env } = process.env;
  const launcher = spawn(process.execPath, ["--input-type=module", "--eval", source], { env });
  let output = "";
  launcher.stdout.on("data", (data) => {
    output += data;
  });
  return {
    send: (signal: NodeJS.Signals) => launcher.kill(signal),
    ready: () => once(launcher.stdout, "data"),
    end: async () => {
      const [code] = await once(launcher, "close");
      return { code, output };
    },
  };
}

/** Counts interruptions for a while after the first, then ends as an interrupted program should. */
const COUNTS = `
  let count = 0;
  process.on("SIGINT", () => { count++; setTimeout(() => { console.log(count); process.exit(130); }, 300); });
  setInterval(() => {}, 1000);
  console.log("ready");`;

describe("a launcher", () => {
  it("exits as its program exits", async () => {
    expect(await launch("process.exit(7)").end()).toEqual({ code: 7, output: "" });
    expect(await launch("console.log('{}')").end()).toEqual({ code: 0, output: "{}\n" });
  });

  const posix = process.platform === "win32" ? it.skip : it;

  posix("tells by its exit code which signal ended its program: 128 + 9", async () => {
    expect((await launch("process.kill(process.pid, 'SIGKILL')").end()).code).toBe(137);
  });

  posix("passes an interruption on once, though npm sends it a second time", async () => {
    const launcher = launch(COUNTS);
    await launcher.ready();
    launcher.send("SIGINT");
    setTimeout(() => launcher.send("SIGINT"), 50);
    expect(await launcher.end()).toEqual({ code: 130, output: "ready\n1\n" });
  });
});
