import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { root } from "./workspace.ts";

/**
 * The set-up of the native backends in an empty workspace, with a PATH that holds nothing but stand-ins for the programs
 * that it runs: nothing is downloaded, and each step can be made to fail.
 */
const folder = () => realpathSync(mkdtempSync(join(tmpdir(), "magic-mask-native-")));
let workspace: string;
let bin: string;

const NAME = "@tensorflow/tfjs-node";
const VERSION = "4.22.0";

/** A package like tfjs-node, on tfjs's plain JavaScript backend. */
const PACKAGE = `const tf = require("@tensorflow/tfjs"); tf.enableProdMode();
module.exports = { ...tf, getBackend: () => "tensorflow", backend: () => ({ isUsingGpuDevice: false }) };`;

/** What each program does that the set-up runs, as a POSIX shell has it. */
const TOOLS: Record<string, string> = {
  npm: `[ "$1" = --version ] && exit
    mkdir -p "$3/node_modules/node-api-headers" "$3/node_modules/@tensorflow/tfjs" "$3/node_modules/${NAME}/dist"
    cp "$FAKE_PACKAGE" "$3/node_modules/${NAME}/index.js"`,
  python3: `case "$*" in
      *--version*|*"zipfile, zlib"*) ;;
      *"pip download"*) mkdir -p scratch/wheel; : > scratch/wheel/tensorflow.whl ;;
      *) mkdir -p "$4/tensorflow"; : > "$4/tensorflow/libtensorflow_cc.so.2"; : > "$4/tensorflow/libtensorflow_framework.so.2" ;;
    esac`,
  "g++": "",
};

function tool(name: string, script: string) {
  // anew: one that still runs must not be written to
  rmSync(join(bin, name), { force: true });
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, name), 0o755);
}

beforeEach(() => {
  [workspace, bin] = [`${folder()}/`, folder()];
  for (const [name, script] of Object.entries(TOOLS)) tool(name, script);
  for (const name of ["sh", "mkdir", "cp", "sleep"]) {
    symlinkSync(existsSync(`/bin/${name}`) ? `/bin/${name}` : `/usr/bin/${name}`, join(bin, name));
  }
  const modules = join(workspace, "packages/networks/node_modules/@tensorflow");
  mkdirSync(modules, { recursive: true });
  symlinkSync(realpathSync(join(root, "packages/networks/node_modules/@tensorflow/tfjs")), join(modules, "tfjs"));
  const manifest = JSON.stringify({ peerDependencies: { [NAME]: VERSION } });
  writeFileSync(join(workspace, "packages/networks/package.json"), manifest);
  writeFileSync(join(bin, "package.js"), PACKAGE);
});

afterEach(() => {
  for (const made of [workspace, bin]) rmSync(made, { recursive: true });
});

const program = () => [
  "--input-type=module",
  "--eval",
  `import { main } from ${JSON.stringify(pathToFileURL(`${root}scripts/native/main.mjs`).href)};
   process.exitCode = await main(process.argv.slice(1), ${JSON.stringify(workspace)});`,
];
const env = () => ({ PATH: bin, FAKE_PACKAGE: join(bin, "package.js") });

function setUp(...args: string[]) {
  const options = { env: env(), encoding: "utf8" } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [...program(), "--", ...args], options);
  return { status, stdout, stderr };
}

/** All that an installation could have left in the workspace. */
const left = () =>
  [".native", "node_modules"].flatMap((name) => {
    const path = join(workspace, name);
    return existsSync(path) ? readdirSync(path, { recursive: true, encoding: "utf8" }) : [];
  });

const linux = process.platform === "linux" && process.arch === "x64" ? describe : describe.skip;

describe("setup:native", () => {
  it("tells its use, with an example, and changes nothing", () => {
    const { status, stdout } = setUp("--help");
    expect(status).toBe(0);
    expect(stdout).toContain("npm run setup:native -- --gpu");
    expect(stdout).toContain("Example:");
    expect(left()).toEqual([]);
  });

  it.each([["--cpu"], ["gpu"], ["--gpu=yes"]])("refuses %s as bad usage", (argument) => {
    const { status, stderr } = setUp(argument);
    expect(status).toBe(2);
    expect(stderr).toContain("--help tells what there is");
  });
});

linux("setup:native on Linux x64", () => {
  it("installs, says so at once the second time, and removes again", () => {
    const first = setUp();
    expect([first.status, first.stderr]).toEqual([0, ""]);
    for (const line of ["1/5 npm install", "2/5 pip download", "3/5 unpack", "4/5 compile", "5/5", "GPU not in use"]) {
      expect(first.stdout).toContain(line);
    }
    expect(readdirSync(join(workspace, ".native"))).toEqual(["tfjs-node"]);
    expect(readdirSync(join(workspace, ".native/tfjs-node"))).toEqual(["installed.json", "node_modules"]);
    expect(realpathSync(join(workspace, "node_modules", NAME))).toContain("/.native/tfjs-node/");

    for (const name of Object.keys(TOOLS)) rmSync(join(bin, name));
    rmSync(join(workspace, "node_modules"), { recursive: true });
    const second = setUp();
    expect([second.status, second.stderr]).toEqual([0, ""]);
    expect(second.stdout).toContain("installed already");

    expect(setUp("--remove").stdout).toContain("is removed");
    expect(left().filter((name) => name !== "@tensorflow")).toEqual([]);
    expect(setUp("--remove").stdout).toContain("was not installed");
  });

  it.each([
    ["npm", "npm is missing"],
    ["python3", "python3 is missing"],
    ["g++", "g++ is missing"],
  ])("without %s does not begin, and says how to get it", (name, message) => {
    rmSync(join(bin, name));
    const { status, stderr } = setUp();
    expect(status).toBe(1);
    expect(stderr).toContain(message);
    expect(left()).toEqual([]);
  });

  it("names all that is missing at once, pip and zlib too", () => {
    rmSync(join(bin, "g++"));
    tool("python3", '[ "$2" != pip ]');
    expect(setUp().stderr).toMatch(/python3 has no pip.*\n.*g\+\+ is missing/);
    tool("python3", '[ "$1" != -c ]');
    expect(setUp().stderr).toMatch(/python3 has no zlib.*\n.*g\+\+ is missing/);
  });

  const failing = '[ "$1" = --version ] && exit\necho "the reason"; exit 3';
  it.each([
    ["npm", "npm install", failing, "npm failed (exit code 3)"],
    [
      "python3",
      "the download",
      `case "$*" in *download*) echo "the reason"; exit 3;; esac`,
      "pip failed (exit code 3)",
    ],
    ["g++", "the compiler", failing, "g++ failed (exit code 3)"],
  ])("undoes everything when %s fails in %s, and tells the reason", (name, _, script, message) => {
    tool(name, script);
    const { status, stdout, stderr } = setUp();
    expect(status).toBe(1);
    expect(stdout).toContain("undoing");
    expect(stderr).toContain(message);
    expect(stderr).toContain("the reason");
    expect(left()).toEqual([]);
  });

  it("undoes everything when what it has built computes wrong numbers, and keeps an earlier installation", () => {
    writeFileSync(join(bin, "package.js"), PACKAGE.replace("...tf,", "...tf, matMul: tf.add,"));
    const { status, stderr } = setUp();
    expect(status).toBe(1);
    expect(stderr).toContain(`${NAME} does not work`);
    expect(left().filter((name) => name !== "@tensorflow")).toEqual([]);

    writeFileSync(join(bin, "package.js"), PACKAGE);
    expect(setUp().status).toBe(0);
    const before = left();
    writeFileSync(join(workspace, ".native/tfjs-node/installed.json"), "an earlier version's");
    writeFileSync(join(bin, "package.js"), "nonsense");
    expect(setUp().status).toBe(1);
    expect(left()).toEqual(before);
  });

  it("undoes everything on Ctrl-C, and on what was killed outright the next time", async () => {
    // exec: dash can miss a signal that comes as it starts a program
    tool("g++", '[ "$1" = --version ] && exit\nexec sleep 9');
    const start = async () => {
      const child = spawn(process.execPath, [...program()], { env: env() });
      let said = "";
      for (const stream of [child.stdout, child.stderr]) {
        stream.on("data", (data) => {
          said += data;
        });
      }
      while (!said.includes("4/5")) await once(child.stdout, "data");
      return { child, said: () => said };
    };
    const interrupted = await start();
    interrupted.child.kill("SIGINT");
    expect((await once(interrupted.child, "close"))[0]).toBe(130);
    expect(interrupted.said()).toContain("stopped by SIGINT");
    expect(left()).toEqual([]);

    const killed = await start();
    killed.child.kill("SIGKILL");
    await once(killed.child, "close");
    expect(left()).not.toEqual([]);
    tool("g++", failing);
    expect(setUp().status).toBe(1);
    expect(left()).toEqual([]);
  });
});
