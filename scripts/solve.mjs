import "./setup.mjs";
import { runSource } from "./run.mjs";

await runSource("packages/solver/bin/solve.ts", process.argv.slice(2));
