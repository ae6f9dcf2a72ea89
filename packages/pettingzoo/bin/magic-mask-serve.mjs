#!/usr/bin/env node
import { existsSync } from "node:fs";

const source = new URL("../src/serve.ts", import.meta.url);
const CONDITION = "--conditions=@magic-mask/source";

if (!existsSync(source)) {
  const { serveStandardStreams } = await import("../dist/serve.js");
  await serveStandardStreams();
} else if (process.execArgv.includes(CONDITION)) {
  const { serveStandardStreams } = await import(source.href);
  await serveStandardStreams();
} else {
  // A checkout needs no build: like its other programs this one starts over, from source.
  const scripts = new URL("../../../scripts/", import.meta.url);
  const { runSource } = await import(new URL("run.mjs", scripts).href);
  await runSource("packages/pettingzoo/bin/magic-mask-serve.mjs", []).catch((error) => {
    console.error(`cannot serve worlds from this checkout: ${error.message}; run node scripts/setup.mjs in it first`);
    process.exitCode = 1;
  });
}
