import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Refusal } from "./refusal.mjs";

const PROGRAM = fileURLToPath(new URL("check-child.mjs", import.meta.url));

/**
 * Loads what is installed, as the workspace's packages do, in a process of its own, and has it compute known numbers.
 *
 * @returns `gpu`: whether one is used; `node`: the version
 * @throws Refusal with what the process said if anything is wrong
 */
export function check({ name }, root) {
  // TensorFlow's notices about this processor are no concern here.
  const env = { TF_CPP_MIN_LOG_LEVEL: "2", ...process.env };
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, root, name], { encoding: "utf8", env });
  if (status === 0) return JSON.parse(stdout.trim().split("\n").at(-1));
  const advice = "npm run setup:native -- --remove, then again without --remove, builds it anew";
  throw new Refusal(`${name} does not work:\n${(stderr || stdout).trim()}\n${advice}`);
}
