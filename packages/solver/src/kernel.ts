import { checkCount, MagicMaskError } from "@magic-mask/core";
import { KERNEL } from "./kernel.generated.ts";

/** WebAssembly's values as far as they are used here: the types of a browser or of Node declare more, but not everywhere. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
  readonly Memory: new (limits: { initial: number }) => { grow(pages: number): number };
};

/** What `assembly/index.ts` exports. */
export interface Kernel {
  base(): number;
  setTable(at: number, bits: number): void;
  nodes(): number;
  solve(own: bigint, all: bigint, signOnly: number): number;
}

/** Bytes of a page of WebAssembly's memory, and of a slot of the table. */
const PAGE = 65_536;
const SLOT = 16;
const LARGEST = 2 * 1024 * 1024 * 1024;

/**
 * Starts a kernel with a table of its own, empty.
 *
 * @throws invalid-option; unsupported where WebAssembly with 64-bit integers is missing, or the memory
 */
export function startKernel(tableBytes: number): Kernel {
  checkCount("solver", "tableBytes", tableBytes, PAGE, LARGEST);
  const bits = 31 - Math.clz32(tableBytes / SLOT);
  try {
    const module = new WebAssembly.Module(Uint8Array.from(atob(KERNEL), (c) => c.charCodeAt(0)));
    const memory = new WebAssembly.Memory({ initial: 1 });
    const kernel = new WebAssembly.Instance(module, { env: { memory } }).exports as Kernel;
    // What the kernel keeps for itself is within the first page.
    memory.grow((SLOT * (1 << bits)) / PAGE);
    kernel.setTable(kernel.base(), bits);
    return kernel;
  } catch (cause) {
    const message = `WebAssembly with 64-bit integers and ${tableBytes} bytes of memory are needed: ${(cause as Error).message}`;
    throw new MagicMaskError("unsupported", "solver", message, { cause });
  }
}
