import { readFileSync } from "node:fs";
import { defineConfig } from "tsup";

/** A package's public surface is its exports map; build exactly what the map names. */
const { exports } = JSON.parse(readFileSync("package.json", "utf8")) as {
  exports: Record<string, { "@magic-mask/source"?: string }>;
};
const entry = Object.values(exports).flatMap((target) => target["@magic-mask/source"] ?? []);

export default defineConfig({
  entry: Object.fromEntries(entry.map((file) => [file.replace(/^\.\/src\//, "").replace(/\.ts$/, ""), file])),
  format: ["esm", "cjs"],
  target: "es2022",
  // The types of other packages are those of their builds.
  dts: { compilerOptions: { customConditions: [] } },
  sourcemap: true,
  clean: true,
});
