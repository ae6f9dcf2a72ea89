/**
 * Compiles `assembly/` to WebAssembly and writes it, as text that any bundler and both module systems can carry, to
 * `src/fused/kernel.generated.ts`. Importing this file does it, where a source has changed since the last time.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const TARGET = here("src/fused/kernel.generated.ts");

const hash = createHash("sha256");
const sources = readdirSync(here("assembly")).sort();
for (const file of ["build-kernel.mjs", "package.json", ...sources.map((name) => `assembly/${name}`)]) {
  hash.update(`\0${file}\0`).update(readFileSync(here(file)));
}
const head = `// Made by build-kernel.mjs; not kept in git. Sources: ${hash.digest("hex")}`;
if (!existsSync(TARGET) || !readFileSync(TARGET, "utf8").startsWith(`${head}\n`)) {
  const text = `${head}\nexport const KERNEL =\n  "${await compile()}";\n`;
  writeFileSync(TARGET, text);
}

/** @returns the module in base64 */
async function compile() {
  const { default: asc } = await import("assemblyscript/asc");
  const folder = mkdtempSync(join(tmpdir(), "magic-mask-kernel-"));
  try {
    const file = join(folder, "kernel.wasm");
    const flags = ["--runtime", "stub", "-O3", "--noAssert", "--enable", "simd", "--importMemory"];
    const args = ["assembly/index.ts", "--outFile", file, "--baseDir", here("."), ...flags];
    const { error, stderr } = await asc.main(args);
    if (error) throw new Error(`${error.message}\n${stderr.toString()}`);
    return readFileSync(file).toString("base64");
  } finally {
    rmSync(folder, { recursive: true });
  }
}
