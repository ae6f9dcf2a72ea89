import "./setup.mjs";
import { runSource } from "./run.mjs";

await runSource("packages/environments/bin/conform.ts", process.argv.slice(2));
