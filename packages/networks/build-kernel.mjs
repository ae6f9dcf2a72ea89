/** Compiles `assembly/` to `src/fused/kernel.generated.ts`; once more, for memory that threads share, to `kernel-shared`. */
import { compileKernel } from "../../scripts/compile-kernel.mjs";

const SIMD = ["--enable", "simd"];
// A memory has to fit its build: shared or not, and, if shared, of a stated greatest size.
const SHARED = ["--sharedMemory", "--enable", "threads", "--maximumMemory", "65536"];

await compileKernel(import.meta.url, () => import("assemblyscript/asc"), {
  "src/fused/kernel.generated.ts": SIMD,
  "src/fused/kernel-shared.generated.ts": [...SIMD, ...SHARED],
});
