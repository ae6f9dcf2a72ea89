import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  type ActionSpace,
  type CreateLearner,
  distributionOf,
  isMagicMaskError,
  type Learner,
  type ModelSpec,
} from "@magic-mask/core";
import { encodeWeights } from "@magic-mask/networks";
import { exportOnnx, type OnnxOutput } from "@magic-mask/onnx";
import { assembleMask } from "./assemble.ts";
import { FORMATS, type Format } from "./export-formats.ts";
import { type LoadedTeam, loadExplanation, loadTeam } from "./load-run.ts";
import { modelCard } from "./model-card.ts";
import { isExplained } from "./posthoc.ts";
import { writeFileAtomic } from "./run/atomic.ts";
import { makeFolder } from "./run/folder.ts";

const SOURCE = "trainer/export";

export interface ExportRunOptions {
  /** All, where left out. */
  readonly format?: Format | undefined;
  /** Folder to write to; `export/` in the run folder, where left out. */
  readonly out?: string | undefined;
}

/** A network of a run, as it was written. */
export interface ExportedNetwork {
  readonly kind: "policy" | "mask";
  /** Names of the agents that it is of. */
  readonly agents: readonly string[];
  /** Absent where it was trained elsewhere. */
  readonly spec?: ModelSpec;
  readonly files: readonly string[];
}

/** What an export came to. */
export interface ExportedRun {
  readonly folder: string;
  readonly networks: readonly ExportedNetwork[];
}

/**
 * Writes the policies and the nets of the masks of a finished run, and a model card that says what they are.
 *
 * Policies: `obs` and `action_mask` to `logits` and `value`; over a box `obs` to `mean`, `log_std` and `value`. Nets of masks:
 * `x` to `scores`; the card says what x is. One that was trained elsewhere is copied.
 *
 * @throws as `loadTeam`; unsupported for ONNX of networks that score candidates
 */
export async function exportRun(path: string, { format, out }: ExportRunOptions): Promise<ExportedRun> {
  const run = await loadTeam(path);
  const folder = resolve(out ?? join(path, "export"));
  const formats = format ? [format] : FORMATS;
  const { spec } = run.world;
  const files = new Map<string, Uint8Array | string>();
  const networks: ExportedNetwork[] = [];
  /** Notes one network's files. */
  const add = (about: Omit<ExportedNetwork, "files">, name: string, contents: Partial<Record<Format, Uint8Array>>) => {
    const written = Object.entries(contents).map(([ending, bytes]) => {
      files.set(`${name}.${ending}`, bytes);
      return `${name}.${ending}`;
    });
    networks.push({ ...about, files: written });
  };

  run.team.learners.forEach(({ learner, origin }, k) => {
    const seats = spec.agents.flatMap((_, i) => (run.team.players[i] === k ? [i] : []));
    const agents = seats.map((i) => spec.agents[i]);
    const name = run.team.learners.length === 1 ? "policy" : `policy-${fileName(agents[0])}`;
    if (origin) {
      // It is ONNX, and nothing else.
      add({ kind: "policy", agents }, name, formats.includes("onnx") ? { onnx: readFileSync(origin.file) } : {});
    } else if (learner) {
      const outputs = policyOutputs(spec.actionSpaces[seats[0]]);
      add({ kind: "policy", agents, spec: learner.spec }, name, written(learner, formats, "obs", outputs, run));
    }
  });
  const explained = isExplained(run.config) ? (await loadExplanation(run)).explanation.masks : [];
  for (const [agent, nets] of explained.map((state, i) => maskNets(run, i, state)).entries()) {
    nets.forEach((learner, j) => {
      const name = `mask-${fileName(spec.agents[agent])}${nets.length > 1 ? `-${j}` : ""}`;
      const width = learner.spec.kind === "candidates" ? 0 : learner.spec.outputs.reduce((sum, n) => sum + n, 0);
      const outputs = [{ name: "scores", width }];
      const about = { kind: "mask", agents: [spec.agents[agent]], spec: learner.spec } as const;
      add(about, name, written(learner, formats, "x", outputs, run));
    });
  }
  files.set("run.json", `${JSON.stringify(run.record, null, 2)}\n`);
  files.set("README.md", modelCard(run, networks, explained));
  makeFolder(SOURCE, folder);
  for (const [name, contents] of files) await writeFileAtomic(join(folder, name), contents);
  return { folder, networks };
}

const fileName = (agent: string) => agent.replace(/[^\w.-]/g, "_");

/** How the output row of a policy over `space` is split. */
function policyOutputs(space: ActionSpace): OnnxOutput[] {
  const P = distributionOf(space).width;
  const value = { name: "value", width: 1 };
  if (space.kind !== "box") return [{ name: "logits", width: P, as: "masked" }, value];
  return [{ name: "mean", width: P / 2 }, { name: "log_std", width: P / 2, as: "log_std" }, value];
}

function written(
  learner: Learner,
  formats: readonly Format[],
  input: string,
  outputs: readonly OnnxOutput[],
  { record }: LoadedTeam,
): Partial<Record<Format, Uint8Array>> {
  const { spec } = learner;
  const state = learner.exportState();
  const metadata = { run: record.id, environment: record.environment };
  try {
    return {
      ...(formats.includes("onnx") && { onnx: exportOnnx(spec, state.parameters, { input, outputs, metadata }) }),
      ...(formats.includes("safetensors") && { safetensors: encodeWeights(spec, state) }),
    };
  } catch (error) {
    if (isMagicMaskError(error, "unsupported")) error.message += "; --format safetensors takes it";
    throw error;
  }
}

/** The nets that an agent's mask learns with, as the post-hoc pass left them. */
function maskNets({ config, world, create }: LoadedTeam, agent: number, state: object): readonly Learner[] {
  const made: Learner[] = [];
  const noting: CreateLearner = (spec, random) => {
    const learner = create(spec, random);
    made.push(learner);
    return learner;
  };
  assembleMask(config, world, agent, noting, config.seed, true).restoreState(state);
  return made;
}
