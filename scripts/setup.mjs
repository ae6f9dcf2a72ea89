/**
 * Makes sure that the workspace is installed, as the lockfile says, by the pnpm that package.json pins, and that the
 * kernels of networks and solver are compiled. Importing this file does it; where nothing has changed since the last time, that is a few
 * milliseconds and no output.
 */
import { createHash } from "node:crypto";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { root, run } from "./run.mjs";

const at = (path) => `${root}${path}`;
const manifest = JSON.parse(readFileSync(at("package.json"), "utf8"));
const [, pnpmVersion] = manifest.packageManager.split("@");
const major = process.versions.node.split(".")[0];

const STAMP = at("node_modules/.setup-stamp");
const LOCK = at("node_modules/.setup-lock");
/** Milliseconds after which a lock is left over from a crash, whoever has its process id now. */
const LOCK_LIFETIME = 15 * 60_000;

function fail(message) {
  process.stderr.write(`\n[setup] ${message}\n`);
  process.exit(1);
}

/** What an installation depends on; a stamp in node_modules that equals it says that the installation is whole. */
function fingerprint() {
  const members = ["packages", "apps"].flatMap((folder) =>
    readdirSync(at(folder)).map((name) => `${folder}/${name}/package.json`),
  );
  const hash = createHash("sha256").update(`${process.platform} ${process.arch} ${major}`);
  for (const file of ["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json", ...members.sort()]) {
    if (existsSync(at(file))) hash.update(`\0${file}\0`).update(readFileSync(at(file)));
  }
  return hash.digest("hex");
}

const read = (file) => (existsSync(file) ? readFileSync(file, "utf8") : "");

/** Takes the lock, waiting for as long as a living process holds it. */
async function lock() {
  for (let told = false; ; await sleep(250)) {
    try {
      return writeFileSync(LOCK, `${process.pid}`, { flag: "wx" });
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (isStale()) rmSync(LOCK, { force: true });
    else if (!told) process.stderr.write("[setup] waiting for another set-up of this folder\n");
    told ||= existsSync(LOCK);
  }
}

/** Whether all that held the lock is gone: a killed set-up can leave its pnpm at work. */
function isStale() {
  const taken = statSync(LOCK, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
  return Date.now() - taken > LOCK_LIFETIME || !read(LOCK).split(" ").map(Number).some(isAlive);
}

/** @param id of a process, or less than 0 of a group */
function isAlive(id) {
  try {
    return process.kill(id, 0);
  } catch (error) {
    return error.code !== "ESRCH";
  }
}

/** @returns pnpm's exit code */
function install() {
  process.stderr.write(`[setup] installing with pnpm ${pnpmVersion} (later starts skip this)\n`);
  const flags = "--frozen-lockfile --loglevel=info --config.confirm-modules-purge=false";
  const options = {
    // not here: npx would take the workspace's own pnpm, which may have to replace the folder that it runs from
    cwd: tmpdir(),
    shell: true,
    stdio: ["ignore", 2, 2],
    env: {
      // everything is pinned, so what the caches hold is right
      npm_config_prefer_offline: "true",
      // npm's own pauses between tries add up to more than a minute before it says that it is offline
      npm_config_fetch_retry_mintimeout: "1000",
      npm_config_fetch_retry_maxtimeout: "5000",
      ...process.env,
      // `npm start --silent` is not about this
      npm_config_loglevel: "warn",
    },
  };
  const command = `npx -y pnpm@${pnpmVersion} --dir "${root}" install ${flags}`;
  return run(command, [], options, (group) => appendFileSync(LOCK, ` ${group}`));
}

const wanted = manifest.engines.node.match(/\d+/g).map(Number);
const [nodeMajor, nodeMinor] = process.versions.node.split(".").map(Number);
if (nodeMajor < wanted[0] || (nodeMajor === wanted[0] && nodeMinor < wanted[1])) {
  fail(
    `Node ${wanted.join(".")} or later is needed, this is ${process.versions.node}; get one from https://nodejs.org`,
  );
}

const current = fingerprint();
if (read(STAMP) !== current) {
  mkdirSync(at("node_modules"), { recursive: true });
  await lock();
  let code = 0;
  try {
    if (read(STAMP) !== current) {
      rmSync(STAMP, { force: true });
      code = await install();
      if (code === 0) writeFileSync(STAMP, current);
    }
  } finally {
    rmSync(LOCK, { force: true });
  }
  if (code > 128) process.exit(code);
  if (code > 0) {
    fail(
      `the installation failed (exit code ${code}); the reason stands above.\n` +
        "  no network: connect, or name your proxy or mirror in npm_config_proxy, npm_config_registry;\n" +
        "  where it was installed before, npm_config_offline=true takes everything from the cache\n" +
        `  lockfile not up to date (after an edit of a package.json): npx -y pnpm@${pnpmVersion} install`,
    );
  }
}

await import("../packages/networks/build-kernel.mjs");
await import("../packages/solver/build-kernel.mjs");
