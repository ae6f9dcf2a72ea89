/** Builds all packages. */
import "./setup.mjs";
import { delimiter } from "node:path";
import { root, run } from "./run.mjs";

const bin = `${root}node_modules/.bin`;
process.exitCode = await run(`"${bin}/turbo" run build`, [], {
  cwd: root,
  shell: true,
  // turbo looks for the pinned pnpm on the path
  env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}`, TURBO_TELEMETRY_DISABLED: "1" },
});
