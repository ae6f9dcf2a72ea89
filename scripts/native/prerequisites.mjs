import { spawnSync } from "node:child_process";
import { statfsSync } from "node:fs";
import { Refusal } from "./refusal.mjs";

/**
 * Looks for all that an installation needs, before anything is begun.
 *
 * @throws Refusal with everything that is missing, and how to get it
 */
export function checkPrerequisites({ room }, root) {
  const problems = [platform(), npm(), python(), compiler(), disk(room, root)].filter(Boolean);
  if (problems.length > 0) throw new Refusal(`cannot begin:\n${problems.map((line) => `  - ${line}`).join("\n")}`);
}

function platform() {
  const glibc = process.report.getReport().header.glibcVersionRuntime;
  if (process.platform === "linux" && process.arch === "x64" && glibc) return;
  const here = `${process.platform} ${process.arch}${process.platform === "linux" && !glibc ? " without glibc" : ""}`;
  return `it works on Linux x64 with glibc only, this is ${here}; the backends tfjs-wasm and tfjs-cpu run anywhere`;
}

/** Whether a command is there and ends well. */
function works(command, ...args) {
  const { status, error } = spawnSync(command, args, { stdio: "ignore" });
  return { found: error?.code !== "ENOENT", ends: status === 0 };
}

function npm() {
  if (!works("npm", "--version").ends) return "npm is missing; it comes with Node, see that it is on the PATH";
}

function python() {
  if (!works("python3", "--version").found) {
    return "python3 is missing (Debian, Ubuntu: apt install python3-pip; Fedora: dnf install python3-pip)";
  }
  if (!works("python3", "-m", "pip", "--version").ends) {
    return "python3 has no pip (Debian, Ubuntu: apt install python3-pip; else: python3 -m ensurepip)";
  }
  // A Python that was compiled without zlib has no use for wheels.
  if (!works("python3", "-c", "import zipfile, zlib").ends) return "python3 has no zlib; install a complete Python 3";
}

function compiler() {
  if (!works("g++", "--version").ends) {
    return "g++ is missing (Debian, Ubuntu: apt install g++; Fedora: dnf install gcc-c++)";
  }
}

function disk(room, root) {
  const { bavail, bsize } = statfsSync(root);
  const free = Math.floor((bavail * bsize) / 1e6);
  if (free < room) return `${room} MB of disk space are needed on the way, ${root} has ${free} MB; make room`;
}
