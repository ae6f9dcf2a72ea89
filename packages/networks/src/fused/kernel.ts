import { MagicMaskError } from "@magic-mask/core";
import { KERNEL } from "./kernel.generated.ts";

/** WebAssembly's values as far as they are used here: the types of a browser or of Node declare more, but not everywhere. */
declare const WebAssembly: {
  compile(bytes: Uint8Array): Promise<WebAssembly.Module>;
  readonly Instance: new (module: WebAssembly.Module, imports: object) => { readonly exports: unknown };
  readonly Memory: new (limits: { initial: number; maximum: number; shared: boolean }) => KernelMemory;
};

export interface KernelMemory {
  readonly buffer: ArrayBufferLike;
  /** @param pages of 64 KiB */
  grow(pages: number): number;
}

/** What `assembly/index.ts` exports. All numbers are byte offsets into the memory, but `count`. */
export interface Kernel {
  /** First byte that the kernel leaves free. */
  base(): number;
  /** @returns a code of `assembly/job.ts` */
  infer(
    net: number,
    inputs: number,
    count: number,
    out: number,
    features: number,
    starts: number,
    counts: number,
  ): number;
  gradient(net: number, job: number): number;
  update(net: number, job: number): number;
}

/**
 * Compiles the kernel.
 *
 * @param kernel in base64: the plain build, or that for shared memory
 * @throws unsupported where WebAssembly or its SIMD instructions are missing
 */
export async function loadKernel(kernel: string = KERNEL): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(Uint8Array.from(atob(kernel), (c) => c.charCodeAt(0)));
  } catch (cause) {
    const message = `WebAssembly with SIMD is needed: ${(cause as Error).message}`;
    throw new MagicMaskError("unsupported", "networks/fused", message, { cause });
  }
}

/** Starts the kernel over a new memory. @param shared whether `module` is the build for shared memory */
export function startKernel(
  module: WebAssembly.Module,
  shared: boolean,
): { readonly kernel: Kernel; readonly memory: KernelMemory } {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: PAGES, shared });
  return { kernel: new WebAssembly.Instance(module, { env: { memory } }).exports as Kernel, memory };
}

/** All that 32-bit addresses reach. */
const PAGES = 65_536;
