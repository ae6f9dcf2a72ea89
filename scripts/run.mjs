import { spawn } from "node:child_process";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";

/** The workspace's folder. */
export const root = fileURLToPath(new URL("..", import.meta.url));

const windows = process.platform === "win32";

/** The shell that npm has started this process in; npm ends it, and it alone, when npm itself is told to end. */
const shell = process.env.npm_lifecycle_event === undefined ? undefined : process.ppid;

/** Milliseconds within which a signal that comes twice is one: npm passes on a Ctrl-C that the terminal has sent to all. */
const ONE_SIGNAL = 500;

/**
 * Runs a program to its end, with this process's terminal.
 *
 * The child leads a process group of its own, so a signal reaches it, and whatever it started, through this process
 * alone: once, whether it came from the terminal, from npm, from both or from `kill`. Windows has no such groups; there
 * the console interrupts every process by itself, and this one only has to stay until the child is done.
 *
 * @param options as `spawn` takes them
 * @param started told what `process.kill` takes to reach the child and all that it started
 * @returns the child's exit code; 128 + n if signal n ended it
 */
export async function run(command, args, options = {}, started = () => {}) {
  const child = spawn(command, args, { stdio: "inherit", detached: !windows, ...options });
  const group = windows ? child.pid : -child.pid;
  started(group);
  const send = (signal) => {
    if (windows || child.exitCode !== null || child.signalCode !== null) return;
    try {
      process.kill(group, signal);
    } catch {
      // it has ended just now
    }
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]) {
    let last = Number.NEGATIVE_INFINITY;
    process.on(signal, () => {
      if (performance.now() - last < ONE_SIGNAL) return;
      last = performance.now();
      send(signal);
    });
  }
  if (!windows) {
    process.on("SIGTSTP", () => {
      send("SIGSTOP");
      process.kill(process.pid, "SIGSTOP");
      send("SIGCONT");
    });
  }
  const orphaned = setInterval(() => {
    if (shell === undefined || process.ppid === shell) return;
    clearInterval(orphaned);
    send("SIGTERM");
  }, 1000).unref();
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  });
}

/**
 * Runs a TypeScript file of this workspace from source, with this process's Node, and exits as it exits.
 *
 * @param entry path from the workspace's folder
 * @param args the program's own arguments
 * @param options as `spawn` takes them
 */
export async function runSource(entry, args, options = {}) {
  const flags = ["--import", import.meta.resolve("tsx"), "--conditions=@magic-mask/source"];
  process.exitCode = await run(process.execPath, [...flags, `${root}${entry}`, ...args], options);
}
