/**
 * Compiles a package's `assembly/` to WebAssembly and writes it, as text that any bundler and both module systems can
 * carry, to a `*.generated.ts`; where no source has changed since the last time, nothing is done.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * @param script the package's build-kernel.mjs, as its import.meta.url
 * @param load imports `assemblyscript/asc`, which is a dependency of the package
 * @param builds the compiler's flags of each build, by the file that is written
 */
export async function compileKernel(script, load, builds) {
  const here = (path) => fileURLToPath(new URL(path, script));
  const hash = createHash("sha256").update(readFileSync(fileURLToPath(import.meta.url)));
  const sources = readdirSync(here("assembly")).sort();
  for (const file of ["build-kernel.mjs", "package.json", ...sources.map((name) => `assembly/${name}`)]) {
    hash.update(`\0${file}\0`).update(readFileSync(here(file)));
  }
  const head = `// Made by build-kernel.mjs; not kept in git. Sources: ${hash.digest("hex")}`;
  for (const [name, flags] of Object.entries(builds)) {
    const target = here(name);
    if (existsSync(target) && readFileSync(target, "utf8").startsWith(`${head}\n`)) continue;
    const kernel = await compile(await load(), here("."), flags);
    writeFileSync(target, `${head}\nexport const KERNEL =\n  "${kernel}";\n`);
  }
}

/** @returns the module in base64 */
async function compile({ default: asc }, baseDir, more) {
  const folder = mkdtempSync(join(tmpdir(), "magic-mask-kernel-"));
  try {
    const file = join(folder, "kernel.wasm");
    const flags = ["--runtime", "stub", "-O3", "--noAssert", "--importMemory", ...more];
    const args = ["assembly/index.ts", "--outFile", file, "--baseDir", baseDir, ...flags];
    const { error, stderr } = await asc.main(args);
    if (error) throw new Error(`${error.message}\n${stderr.toString()}`);
    return readFileSync(file).toString("base64");
  } finally {
    rmSync(folder, { recursive: true });
  }
}
