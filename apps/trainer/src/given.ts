import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type EnvironmentSpec, isMagicMaskError, MagicMaskError } from "@magic-mask/core";
import { onnxPolicy } from "@magic-mask/onnx";
import { openOnnxModel } from "@magic-mask/onnx/node";
import type { Player, Team } from "./assemble.ts";
import type { Config } from "./config.ts";
import { refused } from "./run/atomic.ts";
import { makeFolder } from "./run/folder.ts";

const SOURCE = "trainer/given";

/** The key under which one policy for all agents is given. */
export const ALL = "all";

/** Whether a configuration names policies that were trained elsewhere: then nothing is trained. */
export const isGiven = ({ policies }: Pick<Config, "policies">): boolean => Object.keys(policies).length > 0;

/**
 * The policies that a configuration names.
 *
 * @param group [N] agents of one number have the same spaces: one policy for all plays those together
 * @throws unknown-name, invalid-option if an agent is not there or has no policy; io, corrupt-file; as `onnxPolicy`
 */
export function givenPlayers(
  { policies }: Config,
  spec: EnvironmentSpec,
  group: readonly number[],
): { readonly learners: readonly Player[]; readonly players: readonly number[] } {
  const names = [ALL, ...spec.agents];
  const unknown = Object.keys(policies).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    const message = `there is no agent "${unknown}" to give a policy to; choose of: ${names.join(", ")}`;
    throw new MagicMaskError("unknown-name", SOURCE, message);
  }
  const keys = spec.agents.map((agent, i) => (Object.hasOwn(policies, agent) ? agent : `${ALL} ${group[i]}`));
  const missing = spec.agents.filter((agent) => !Object.hasOwn(policies, agent));
  if (missing.length > 0 && !Object.hasOwn(policies, ALL)) {
    const message = `there is no policy for ${missing.join(", ")}; give one for each agent, or one for ${ALL}`;
    throw new MagicMaskError("invalid-option", SOURCE, message);
  }
  const distinct = [...new Set(keys)];
  const learners = distinct.map((key): Player => {
    const agent = keys.indexOf(key);
    const name = Object.hasOwn(policies, spec.agents[agent]) ? spec.agents[agent] : ALL;
    const { file, output, as } = policies[name];
    const { bytes, sha256 } = readModel(policies[name]);
    const spaces = { observation: spec.observationSpaces[agent], action: spec.actionSpaces[agent] };
    const options = { ...spaces, ...(output !== undefined && { output }), ...(as !== undefined && { as }) };
    try {
      const policy = onnxPolicy(openOnnxModel(bytes), options);
      return { policy, origin: { file, sha256, gives: policy.gives, exact: policy.exact } };
    } catch (error) {
      if (isMagicMaskError(error)) error.message += ` (${file}, for ${spec.agents[agent]})`;
      throw error;
    }
  });
  return { learners, players: keys.map((key) => distinct.indexOf(key)) };
}

function readModel({ file, sha256: expected }: Config["policies"][string]) {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw refused(SOURCE, `read the model ${file}`, error);
  }
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  if (expected !== undefined && expected !== sha256) {
    const message = `${file} is not the model that was explained: its SHA-256 is ${sha256}, not ${expected}`;
    throw new MagicMaskError("corrupt-file", SOURCE, message);
  }
  return { bytes, sha256 };
}

/** Copies the models into a run folder. @returns the configuration with the copies, relative to the folder. @throws io */
export function keepModels(config: Config, folder: string): Config {
  if (!isGiven(config)) return config;
  const kept = Object.entries(config.policies).map(([name, about]) => {
    const { bytes, sha256 } = readModel(about);
    const file = `policies/${name.replace(/[^\w.-]/g, "_")}.onnx`;
    makeFolder(SOURCE, join(folder, "policies"));
    try {
      writeFileSync(join(folder, file), bytes);
    } catch (error) {
      throw refused(SOURCE, `copy ${about.file} into ${folder}`, error);
    }
    return [name, { ...about, file, sha256 }];
  });
  return { ...config, policies: Object.fromEntries(kept) };
}

/** A configuration as a run folder keeps it, with the models where the folder is now. */
export const inFolder = (config: Config, folder: string): Config => ({
  ...config,
  policies: Object.fromEntries(
    Object.entries(config.policies).map(([name, about]) => [name, { ...about, file: resolve(folder, about.file) }]),
  ),
});

/** One line per given policy: whose it is, where it is from, and what was made of what it gives. */
export const describeGiven = (
  { learners, players }: Pick<Team, "learners" | "players">,
  spec: EnvironmentSpec,
): string[] =>
  learners.flatMap(({ origin }, k) => {
    if (!origin) return [];
    const agents = spec.agents.filter((_, i) => players[i] === k).join(", ");
    const estimate = origin.exact ? "" : "; ESTIMATED probabilities: what rests on them is no better";
    return [`policy of ${agents}: ${origin.file}, SHA-256 ${origin.sha256.slice(0, 12)}: ${origin.gives}${estimate}`];
  });
