import "./setup.mjs";
import { runSource } from "./run.mjs";

await runSource("apps/trainer/src/main.ts", process.argv.slice(2));
