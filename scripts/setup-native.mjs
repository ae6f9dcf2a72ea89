/** Installs the native backends, or removes them: `npm run setup:native -- --help`. */
import "./setup.mjs";
import { main } from "./native/main.mjs";
import { root } from "./run.mjs";

process.exitCode = await main(process.argv.slice(2), root);
