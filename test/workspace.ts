import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

/** The name of the condition under which an exports map shows source. */
export const SOURCE = "@magic-mask/source";

export type Target = string | { readonly [condition: string]: Target };

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly description?: string;
  readonly license?: string;
  readonly type?: string;
  readonly sideEffects?: boolean;
  readonly engines?: { readonly node: string };
  readonly repository?: { readonly directory: string };
  readonly files?: readonly string[];
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, Target>>;
  readonly publishConfig?: { readonly exports: Readonly<Record<string, Target>> };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** A workspace member. */
export interface Member {
  /** Its folder's name, e.g. `core`. */
  readonly name: string;
  /** Absolute. */
  readonly folder: string;
  readonly manifest: Manifest;
}

export const readManifest = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;

/** The members in `packages` or in `apps`, by name. */
export const membersIn = (parent: "packages" | "apps"): Member[] =>
  readdirSync(join(root, parent))
    .map((name) => ({ name, folder: join(root, parent, name) }))
    .filter(({ folder }) => existsSync(join(folder, "package.json")))
    .map(({ name, folder }) => ({ name, folder, manifest: readManifest(folder) }));

/** `.ts` files under `folder`, absolute. */
export const sourcesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => /\.tsx?$/.test(file) && !/(^|[\\/])(node_modules|dist)[\\/]/.test(file))
    .map((file) => join(folder, file));

/**
 * Runs a shell command with the workspace's tools, the pinned pnpm among them, first on the PATH.
 *
 * @returns what it printed, `""` for a command that succeeded silently
 * @throws Error with what it printed if it fails
 */
export function sh(command: string, cwd: string = root): string {
  const PATH = `${join(root, "node_modules", ".bin")}${delimiter}${process.env.PATH}`;
  const env = { ...process.env, PATH, NODE_OPTIONS: "", TURBO_TELEMETRY_DISABLED: "1", NO_COLOR: "1" };
  const { status, stdout, stderr } = spawnSync(command, {
    cwd,
    env,
    shell: true,
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  if (status === 0) return stdout;
  const error = new Error(`${command}\nin ${cwd}: exit code ${status}\n${stdout}${stderr}`);
  error.stack = error.message; // where it went wrong is in there, not here
  throw error;
}
