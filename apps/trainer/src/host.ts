import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { MagicMaskError, type RunRecord } from "@magic-mask/core";
import { sha256 } from "./run/sealed-json.ts";

/** The folder of this package, from its source and from its build alike. */
const ownFolder = fileURLToPath(new URL("..", import.meta.url));

/** The machine, as a run record states it. */
export function hostDescription(): Omit<RunRecord["host"], "workers"> {
  const cores = cpus();
  return {
    platform: process.platform,
    architecture: process.arch,
    cpus: cores.length,
    cpu: cores[0]?.model.trim() ?? "unknown",
  };
}

/**
 * The commit that this software was checked out at, with `-dirty` behind it where tracked files were changed since, results
 * apart: measuring writes those.
 *
 * @param folder of a package; null unless its package.json is tracked, so that an installed copy does not report the
 *   checkout of whoever installed it; null too where there is no git
 */
export function gitCommit(folder: string = ownFolder): string | null {
  try {
    git(folder, "ls-files", "--error-unmatch", "package.json");
    const changed = git(folder, "status", "--porcelain", "--untracked-files=no", "--", ...ALL_BUT_RESULTS);
    return git(folder, "rev-parse", "HEAD") + (changed === "" ? "" : "-dirty");
  } catch {
    return null;
  }
}

/** Digest of what makes a checkout `-dirty`: tells one such from another. Null where nothing was changed or there is no checkout. */
export function gitChanges(folder: string = ownFolder): string | null {
  if (!gitCommit(folder)?.endsWith("-dirty")) return null;
  return sha256(git(folder, "diff", "HEAD", "--binary", "--", ...ALL_BUT_RESULTS));
}

const ALL_BUT_RESULTS = [":/", ":(exclude,top)results"];

function git(folder: string, ...words: string[]): string {
  // A git hook sets variables that point git elsewhere.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_")));
  return execFileSync("git", words, {
    cwd: folder,
    env,
    encoding: "utf8",
    maxBuffer: 2 ** 30,
    stdio: ["ignore", "pipe", "ignore"],
  }).trim();
}

/** What figures in a file come from. */
interface Origin {
  readonly command: string;
  readonly commit: string | null;
  /** Of the figures themselves: what was kept from before may be of others. */
  readonly commits: readonly (string | null)[];
  readonly machine: { readonly cpu: string; readonly cpus: number; readonly node: string };
  readonly backends: readonly string[];
}

/** The same in words. */
export function describeOrigin({ command, commit, commits, machine, backends }: Origin): string {
  const { cpu, cpus, node } = machine;
  const made = `Made by \`${command}\` at commit ${commit ?? "unknown"} on ${cpu}, ${cpus} cores, Node ${node}, backend ${backends.join(", ")}.`;
  if (commits.every((each) => each === commit)) return made;
  return `${made} Its figures were made at ${commits.map((each) => each ?? "unknown").join(", ")}.`;
}

/** Versions of Node, of this package, and of every package that it or another of ours depends on, by name. */
export function packageVersions(): Record<string, string> {
  const versions: Record<string, string> = { node: process.versions.node };
  const visit = (folder: string) => {
    const { name, version, dependencies = {} } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    versions[name] = version;
    for (const dependency of Object.keys(dependencies)) {
      const found = findPackage(folder, dependency);
      if (dependency.startsWith("@magic-mask/")) visit(found);
      else versions[dependency] = JSON.parse(readFileSync(join(found, "package.json"), "utf8")).version;
    }
  };
  visit(ownFolder);
  return versions;
}

/** Where `name` is installed for a package in `folder`: the nearest node_modules upward, as Node looks for it. */
function findPackage(folder: string, name: string): string {
  for (let at = folder; ; at = dirname(at)) {
    const candidate = join(at, "node_modules", name);
    if (existsSync(join(candidate, "package.json"))) return candidate;
    if (at === dirname(at)) break;
  }
  throw new MagicMaskError(
    "io",
    "trainer/host",
    `${name} is not installed for ${folder}; install the dependencies anew`,
  );
}
