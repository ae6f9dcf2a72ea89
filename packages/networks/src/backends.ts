import { byName, type CreateLearner, MagicMaskError, type ModelSpec, parameterCount } from "@magic-mask/core";
import { fusedBackend } from "./fused/fused.ts";
import { loadKernel } from "./fused/kernel.ts";
import { loadTfjsCpu, loadTfjsWasm } from "./load-tfjs.ts";
import { tfjsBackend } from "./tfjs.ts";

/** What a backend is to do. */
export interface Work {
  readonly model: ModelSpec;
  /** Rows per Adam step. */
  readonly minibatch: number;
}

export interface Backend {
  /** Starts it. @throws unsupported if it cannot be had here, saying why */
  load(): Promise<CreateLearner>;
  /** Why it is not the one to take for this work without being asked; undefined where it is. */
  unfit(work: Work): string | undefined;
}

/**
 * Products of one Adam step, parameters × rows, from which on native TensorFlow outweighs its overhead per call: 400-256-256-65 takes
 * both as much CPU time at 1024 rows (1.9e8; results/bench), hidden layers of 1024 and 1024 a fraction of the kernel's (1.6e9).
 */
const NATIVE_PAYS_FROM = 4e8;

/** For backends that pay for big work only. */
export const unfitForSmallWork = ({ model, minibatch }: Work): string | undefined =>
  model.kind === "candidates"
    ? "fused computes a state's part once for all of its candidates"
    : model.kind === "mlp" && parameterCount(model) * minibatch < NATIVE_PAYS_FROM
      ? "fused is faster for so small a net and minibatch"
      : undefined;

const unfitForImages = ({ model }: Work) => (model.kind === "cnn" ? "it trains no convolutions" : undefined);

/** Backends that run anywhere, the one to try first first. */
export const backends = {
  fused: { load: async () => fusedBackend(await loadKernel()), unfit: unfitForImages },
  "tfjs-wasm": { load: async () => tfjsBackend(await loadTfjsWasm()), unfit: unfitForImages },
  "tfjs-cpu": { load: async () => tfjsBackend(await loadTfjsCpu()), unfit: () => undefined },
} satisfies Record<string, Backend>;

export interface SelectBackendOptions {
  readonly work: Work;
  /** The name of the backend to use, or else none; by default the first of `from` that fits the work and can be had. */
  readonly prefer?: string | undefined;
  /** What to choose from, by name. */
  readonly from?: Readonly<Record<string, Backend>>;
}

/** A backend that runs, and why it was taken. */
export interface SelectedBackend {
  readonly name: string;
  /** For run records and users: why this one, and why not those before it. */
  readonly reason: string;
  readonly create: CreateLearner;
}

/**
 * Takes the backend asked for, or the first that fits the work and can be had.
 *
 * @throws unknown-name; unsupported if the one asked for, or every one, cannot be had here
 */
export async function selectBackend({ work, prefer, from = backends }: SelectBackendOptions): Promise<SelectedBackend> {
  if (prefer !== undefined) {
    const create = await byName("networks/backends", "backend", from, prefer).load();
    return { name: prefer, reason: "asked for", create };
  }
  const others: string[] = [];
  for (const [name, backend] of Object.entries(from)) {
    const why = backend.unfit(work);
    if (why === undefined) {
      try {
        const create = await backend.load();
        return { name, reason: ["the first that fits and can be had", ...others].join("; not "), create };
      } catch (error) {
        const { code, message } = error as MagicMaskError;
        if (code !== "unsupported") throw error;
        others.push(`${name}: ${message.replace(/^\[.*?\] /, "")}`);
      }
    } else others.push(`${name}: ${why}`);
  }
  throw new MagicMaskError("unsupported", "networks/backends", `no backend can be had: not ${others.join("; not ")}`);
}
