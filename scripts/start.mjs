import "./setup.mjs";
import { runSource } from "./run.mjs";

await runSource("apps/trainer/src/main.ts", ["start", ...process.argv.slice(2)]);
