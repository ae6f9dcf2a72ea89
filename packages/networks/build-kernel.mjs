/**
 * Compiles `assembly/` to WebAssembly and writes it, as text that any bundler and both module systems can carry, to
 * `src/fused/kernel.generated.ts`; once more, for memory that threads share, to `kernel-shared.generated.ts`. Importing this
 * file does it, where a source has changed since the last time.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
/** Flags of each build, by file. A memory has to fit its build: shared or not, and, if shared, of a stated greatest size. */
const BUILDS = {
  "src/fused/kernel.generated.ts": [],
  "src/fused/kernel-shared.generated.ts": ["--sharedMemory", "--enable", "threads", "--maximumMemory", "65536"],
};

const hash = createHash("sha256");
const sources = readdirSync(here("assembly")).sort();
for (const file of ["build-kernel.mjs", "package.json", ...sources.map((name) => `assembly/${name}`)]) {
  hash.update(`\0${file}\0`).update(readFileSync(here(file)));
}
const head = `// Made by build-kernel.mjs; not kept in git. Sources: ${hash.digest("hex")}`;
for (const [name, flags] of Object.entries(BUILDS)) {
  const target = here(name);
  if (existsSync(target) && readFileSync(target, "utf8").startsWith(`${head}\n`)) continue;
  writeFileSync(target, `${head}\nexport const KERNEL =\n  "${await compile(flags)}";\n`);
}

/** @returns the module in base64 */
async function compile(more) {
  const { default: asc } = await import("assemblyscript/asc");
  const folder = mkdtempSync(join(tmpdir(), "magic-mask-kernel-"));
  try {
    const file = join(folder, "kernel.wasm");
    const flags = ["--runtime", "stub", "-O3", "--noAssert", "--enable", "simd", "--importMemory", ...more];
    const args = ["assembly/index.ts", "--outFile", file, "--baseDir", here("."), ...flags];
    const { error, stderr } = await asc.main(args);
    if (error) throw new Error(`${error.message}\n${stderr.toString()}`);
    return readFileSync(file).toString("base64");
  } finally {
    rmSync(folder, { recursive: true });
  }
}
