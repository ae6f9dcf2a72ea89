/** Compiles `assembly/` to `src/kernel.generated.ts`. */
import { compileKernel } from "../../scripts/compile-kernel.mjs";

await compileKernel(import.meta.url, () => import("assemblyscript/asc"), { "src/kernel.generated.ts": [] });
