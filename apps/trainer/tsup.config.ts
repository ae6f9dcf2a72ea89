import { defineConfig } from "tsup";

export default defineConfig({
  // The program, and what its worker threads and processes run.
  entry: {
    main: "src/main.ts",
    shards: "src/shards.ts",
    "truth/server": "src/truth/server.ts",
    "compare/bench": "src/compare/bench.ts",
    "study/worker": "src/study/worker.ts",
  },
  format: ["esm"],
  target: "es2022",
  sourcemap: true,
  clean: true,
  banner: { js: "#!/usr/bin/env node" },
});
