import { MagicMaskError } from "@magic-mask/core";
import type { Tfjs } from "./tfjs.ts";

/** tfjs with no backend chosen yet, and silent: by itself it prints notices among a program's own output. */
export async function loadTfjs(): Promise<Tfjs> {
  const tf = await import("@tensorflow/tfjs");
  tf.enableProdMode();
  return tf;
}

/** Makes `backend` the one that `tf` uses. @throws unsupported if it does not start */
export async function use(tf: Tfjs, backend: string): Promise<Tfjs> {
  if (await tf.setBackend(backend)) return tf;
  throw new MagicMaskError("unsupported", "networks/load-tfjs", `tfjs's backend "${backend}" did not start here`);
}

/** tfjs on its WebAssembly backend, one thread, so that sums are always taken in one order. @throws unsupported */
export async function loadTfjsWasm(): Promise<Tfjs> {
  const tf = await loadTfjs();
  // Importing it registers the backend; in Node it finds its .wasm file beside itself.
  const { setThreadsCount } = await import("@tensorflow/tfjs-backend-wasm");
  setThreadsCount(1);
  return use(tf, "wasm");
}

/** tfjs on its plain JavaScript backend, which runs anywhere. */
export const loadTfjsCpu = async (): Promise<Tfjs> => use(await loadTfjs(), "cpu");
