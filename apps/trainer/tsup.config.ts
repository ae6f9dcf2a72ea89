import { defineConfig } from "tsup";

export default defineConfig({
  // The program, and what its worker threads run.
  entry: ["src/main.ts", "src/shards.ts"],
  format: ["esm"],
  target: "es2022",
  sourcemap: true,
  clean: true,
  banner: { js: "#!/usr/bin/env node" },
});
