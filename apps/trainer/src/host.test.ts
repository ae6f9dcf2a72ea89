import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { describeOrigin, gitCommit, hostDescription, packageVersions } from "./host.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "magic-mask-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("gitCommit", () => {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_")));
  const git = (...words: string[]) => execFileSync("git", words, { cwd: folder, env, encoding: "utf8" }).trim();
  const commit = () => git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "--no-verify", "-m", "t");

  it("is null outside a checkout, and without git", () => {
    expect(gitCommit(folder)).toBeNull();
    const path = process.env.PATH;
    process.env.PATH = "";
    expect(gitCommit()).toBeNull();
    process.env.PATH = path;
  });

  it("names the commit, and whether files differ from it", () => {
    git("init", "-q");
    writeFileSync(join(folder, "package.json"), "{}");
    expect(gitCommit(folder)).toBeNull(); // not tracked
    git("add", "package.json");
    expect(gitCommit(folder)).toBeNull(); // no commit yet
    commit();
    git("tag", "-a", "v1", "-m", "t");
    const head = git("rev-parse", "HEAD");
    expect(head).toMatch(/^[0-9a-f]{40}$/);
    expect(gitCommit(folder)).toBe(head);
    writeFileSync(join(folder, "package.json"), "{ }");
    expect(gitCommit(folder)).toBe(`${head}-dirty`);
  });

  it("does not report the checkout that an installed copy lies in", () => {
    git("init", "-q");
    writeFileSync(join(folder, "own.txt"), "");
    git("add", "own.txt");
    commit();
    const installed = join(folder, "node_modules", "magic-mask");
    mkdirSync(installed, { recursive: true });
    writeFileSync(join(installed, "package.json"), "{}");
    expect(gitCommit(installed)).toBeNull();
  });
});

describe("what ran where", () => {
  it("describes the machine", () => {
    const host = hostDescription();
    expect(host).toMatchObject({ platform: process.platform, architecture: process.arch });
    expect(host.cpus).toBeGreaterThanOrEqual(1);
    expect(host.cpu).not.toBe("");
  });

  it("lists the versions of this package and of those it stands on, tfjs under networks included", () => {
    const manifest = (folder: string) =>
      JSON.parse(readFileSync(new URL(`../../../${folder}/package.json`, import.meta.url), "utf8"));
    const networks = manifest("packages/networks");
    expect(packageVersions()).toMatchObject({
      node: process.versions.node,
      "magic-mask": manifest("apps/trainer").version,
      "@magic-mask/networks": networks.version,
      "@tensorflow/tfjs": networks.dependencies["@tensorflow/tfjs"],
    });
  });
});

describe("describeOrigin", () => {
  const machine = { cpu: "a core", cpus: 2, node: "v20" };
  const origin = { command: "c", commit: "new", machine, backends: ["fused"] };
  const made = "Made by `c` at commit new on a core, 2 cores, Node v20, backend fused.";

  it("says of which commits figures are, wherever these are not the one that wrote them down", () => {
    expect(describeOrigin({ ...origin, commits: ["new"] })).toBe(made);
    expect(describeOrigin({ ...origin, commits: [] })).toBe(made);
    expect(describeOrigin({ ...origin, commits: ["old"] })).toBe(`${made} Its figures were made at old.`);
    expect(describeOrigin({ ...origin, commits: ["new", "old"] })).toBe(`${made} Its figures were made at new, old.`);
    expect(describeOrigin({ ...origin, commits: [null] })).toBe(`${made} Its figures were made at unknown.`);
  });
});
