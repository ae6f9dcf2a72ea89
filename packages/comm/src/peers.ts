import { boxSize, type EnvironmentSpec } from "@magic-mask/core";

/** [N] the number of each agent's role: roles count up in the order in which the agents bring them. */
export function roleNumbers(spec: EnvironmentSpec): Uint8Array {
  const roles = [...new Set(spec.roles)];
  return Uint8Array.from(spec.roles, (role) => roles.indexOf(role));
}

/**
 * Whether the records of two agents mean the same: both choose among equally many actions, candidates of
 * equally many features, or in the same box, and they see common features
 * or, where the environment declares none, observations of one shape.
 */
export function areComparable(spec: EnvironmentSpec, i: number, j: number): boolean {
  const [mine, theirs] = [spec.actionSpaces[i], spec.actionSpaces[j]];
  const alike =
    mine.kind === "box"
      ? JSON.stringify(mine) === JSON.stringify(theirs)
      : mine.kind === "candidates"
        ? theirs.kind === "candidates" && mine.max === theirs.max && mine.features === theirs.features
        : mine.kind === "discrete" && theirs.kind === "discrete" && mine.n === theirs.n;
  if (!alike) return false;
  return spec.commonFeatures !== null || boxSize(spec.observationSpaces[i]) === boxSize(spec.observationSpaces[j]);
}
