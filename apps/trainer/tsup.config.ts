import { defineConfig } from "tsup";

export default defineConfig({
  // The program, what its worker threads and processes run, and what a study of one's own is made from.
  entry: {
    main: "src/main.ts",
    shards: "src/shards.ts",
    "truth/server": "src/truth/server.ts",
    "compare/bench": "src/compare/bench.ts",
    "study/worker": "src/study/worker.ts",
    "study/index": "src/study/index.ts",
  },
  // The types of other packages are those of their builds.
  dts: { entry: { "study/index": "src/study/index.ts" }, compilerOptions: { customConditions: [] } },
  format: ["esm"],
  target: "es2022",
  sourcemap: true,
  clean: true,
  banner: { js: "#!/usr/bin/env node" },
});
