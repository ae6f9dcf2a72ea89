import { machine } from "../../compare/plan.ts";
import { gitChanges, gitCommit, packageVersions } from "../../host.ts";

/** What two programs must have alike for their figures to be alike: results of others do not mix. */
export interface Program {
  /** Of this package. */
  readonly version: string;
  /** Null for an installed copy. */
  readonly commit: string | null;
  /** Digest of what was changed since; null where nothing was. */
  readonly changes: string | null;
  readonly architecture: string;
  /** Major version of Node. */
  readonly node: string;
}

export function thisProgram(): Program {
  return { version: packageVersions()["magic-mask"], commit: gitCommit(), changes: gitChanges(), ...machine() };
}

/** For people. */
export function describeProgram({ version, commit, changes, architecture, node }: Program): string {
  const changed = changes ? ` with changes ${changes.slice(0, 8)}` : "";
  return `magic-mask ${version}${commit ? ` at commit ${commit.slice(0, 12)}` : ""}${changed}, Node ${node}, ${architecture}`;
}
