import "./setup.mjs";
import { runSource } from "./run.mjs";

await runSource("bench/main.ts", process.argv.slice(2));
