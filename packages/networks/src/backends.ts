import { byName, type CreateLearner, MagicMaskError } from "@magic-mask/core";
import { fusedBackend } from "./fused/fused.ts";
import { loadKernel } from "./fused/kernel.ts";
import { loadTfjsCpu, loadTfjsWasm } from "./load-tfjs.ts";
import { tfjsBackend } from "./tfjs.ts";

/** Starts a backend. @throws unsupported if it cannot be had here, saying why */
export type LoadBackend = () => Promise<CreateLearner>;

/** Backends that run anywhere, the one to try first first. */
export const backends = {
  fused: async () => fusedBackend(await loadKernel()),
  "tfjs-wasm": async () => tfjsBackend(await loadTfjsWasm()),
  "tfjs-cpu": async () => tfjsBackend(await loadTfjsCpu()),
} satisfies Record<string, LoadBackend>;

export interface SelectBackendOptions {
  /** The name of the backend to use, or else none; by default the first of `from` that can be had. */
  readonly prefer?: string | undefined;
  /** What to choose from, by name. */
  readonly from?: Readonly<Record<string, LoadBackend>>;
}

/** A backend that runs, and why it was taken. */
export interface SelectedBackend {
  readonly name: string;
  /** For run records and users: why this one, and why not those before it. */
  readonly reason: string;
  readonly create: CreateLearner;
}

/**
 * Takes the backend asked for, or the first that can be had.
 *
 * @throws unknown-name; unsupported if the one asked for, or every one, cannot be had here
 */
export async function selectBackend({ prefer, from = backends }: SelectBackendOptions = {}): Promise<SelectedBackend> {
  if (prefer !== undefined) {
    const create = await byName("networks/backends", "backend", from, prefer)();
    return { name: prefer, reason: "asked for", create };
  }
  const missing: string[] = [];
  for (const [name, load] of Object.entries(from)) {
    try {
      const create = await load();
      return { name, reason: ["the first that can be had", ...missing].join("; not "), create };
    } catch (error) {
      const { code, message } = error as MagicMaskError;
      if (code !== "unsupported") throw error;
      missing.push(`${name}: ${message.replace(/^\[.*?\] /, "")}`);
    }
  }
  throw new MagicMaskError("unsupported", "networks/backends", `no backend can be had: not ${missing.join("; not ")}`);
}
