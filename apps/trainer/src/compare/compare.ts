import { join, resolve } from "node:path";
import { MagicMaskError } from "@magic-mask/core";
import { workersFor } from "../backend.ts";
import { type Config, parseConfig, resolveConfig } from "../config.ts";
import { gitCommit, hostDescription } from "../host.ts";
import { momentsOf } from "../report/moments.ts";
import { makeFolder } from "../run/folder.ts";
import { lockRun } from "../run/lock.ts";
import { createInterrupt } from "../terminal/interrupt.ts";
import { createProgress, formatDuration } from "../terminal/progress.ts";
import type { StateSet } from "../truth/truth-of.ts";
import { addressOf } from "../work/address.ts";
import { type CellResult, readCell } from "./cells.ts";
import { noteLooks } from "./looks.ts";
import { cellsOf, type Plan, type PolicySource, planComparison, trainedPolicy, truthsOf } from "./plan.ts";
import { costOf, type PolicyCost, policyOfRun, settled } from "./policies.ts";
import { runSchedule } from "./schedule.ts";
import { type Summary, sentenceOn, summarise } from "./summary.ts";
import { loadTruth } from "./truth.ts";
import { writeComparison } from "./write.ts";

/** What the command line asks for. */
export interface CompareOptions {
  /** As for `resolveConfig`. */
  readonly envId?: string | undefined;
  readonly file?: string | undefined;
  readonly overrides?: readonly string[];
  readonly seeds?: readonly number[] | undefined;
  /** Run folders of policies that are there; instead of seeds. */
  readonly policies?: readonly string[] | undefined;
  readonly budgets?: readonly number[] | undefined;
  readonly explainers?: readonly string[] | undefined;
  readonly states: StateSet;
  /** Threads; `auto` = as many as the machine runs at once. */
  readonly workers?: number | string;
  /** Folder of the results; `comparisons/<world>` by default. */
  readonly out?: string | undefined;
  /** Folder that keeps what is done. */
  readonly cache: string;
  /** Small sizes, to try it. */
  readonly quick?: boolean | undefined;
  /** As it was typed, for the record. */
  readonly command: string;
}

/** Everything that is written and printed; plain data. */
export interface Comparison {
  readonly format: 1;
  readonly command: string;
  /** Commands that have looked at these policies' test states so far, as far as the cache knows; null for development states. */
  readonly looks: number | null;
  readonly commit: string | null;
  /** Commits that cells were made at, where they are of several. */
  readonly commits: readonly (string | null)[];
  readonly machine: ReturnType<typeof hostDescription> & { readonly node: string; readonly backend: string };
  readonly plan: Plan;
  readonly sentence: string;
  /** Per policy; null for one that was there beforehand. */
  readonly training: readonly (PolicyCost | null)[];
  /** Per policy and agent. */
  readonly truth: readonly {
    readonly policy: string;
    readonly agent: string;
    readonly reliability: number | null;
    /** Batches of rollouts that it took. */
    readonly batches: number;
    /** Simulated decisions: what the truth cost; no explainer has seen any. */
    readonly decisions: number;
    readonly wallSeconds: number;
  }[];
  readonly summary: Summary;
  /** [policies][cells] */
  readonly cells: readonly (readonly CellResult[])[];
  /** Digest of all figures; wall seconds are none. */
  readonly digest: string;
  /** Wall seconds of this command: what was in the cache took none of them. */
  readonly wallSeconds: number;
}

/** What came of the command: a comparison, or how to go on. */
export interface CompareOutcome {
  readonly comparison?: Comparison;
  readonly out: string;
  /** What to exit with: 0, or 130 or 143 after an interrupt. */
  readonly exitCode: number;
}

const SOURCE = "trainer/compare";

/** Between presets and what is asked for: an explainer's curve has three points each way, so each takes fewer episodes. */
const STANDARD = { evaluation: { dropEpisodes: 1000 } };
const QUICK = {
  training: { totalSteps: 100_000 },
  evaluation: { states: 100, pilotRollouts: 2, rollouts: 4, batches: 2, dropEpisodes: 100, paperSeeds: 2 },
};

/**
 * Compares explainers on frozen policies: makes what is missing in the cache, then writes tables and plots.
 *
 * @throws MagicMaskError
 */
export async function compare(options: CompareOptions): Promise<CompareOutcome> {
  const { quick = false, cache, command } = options;
  const begun = performance.now();
  const plan = await planOf(options);
  const out = resolve(options.out ?? join("comparisons", plan.environment.id));
  // Checked as the configuration's.
  const { workers: asked } = parseConfig({ workers: options.workers });
  const workers = workersFor(asked, plan.backend);
  makeFolder(SOURCE, cache);
  makeFolder(SOURCE, out);
  const unlock = lockRun(cache);
  const interrupt = createInterrupt();
  try {
    const looks = plan.states === "test" ? await noteLooks(plan.policies, cache, command) : null;
    const progress = createProgress({
      label: `compare ${plan.environment.id}${quick ? " (quick)" : ""}`,
      total: 100,
      unit: "%",
      window: Number.POSITIVE_INFINITY,
    });
    const isDone = await runSchedule({
      plan,
      cache,
      workers,
      stopped: () => interrupt.requested,
      onProgress: ({ done, total, ...fields }) =>
        progress.update((100 * done) / Math.max(total, Number.EPSILON), fields),
    });
    if (!isDone) {
      progress.done(`stopped; what is done is in ${cache}; give the same command again to go on`);
      return { out, exitCode: interrupt.exitCode };
    }
    const comparison = await compareCells(plan, cache, { command, looks }, begun);
    await writeComparison(out, comparison, await momentsOf(plan, cache));
    progress.done(`compared in ${formatDuration(comparison.wallSeconds)}; results: ${out}`);
    return { comparison, out, exitCode: 0 };
  } finally {
    interrupt.restore();
    unlock();
  }
}

async function planOf(options: CompareOptions): Promise<Plan> {
  const { envId, file, overrides = [], quick = false, states } = options;
  if (options.policies && options.seeds) {
    throw new MagicMaskError("invalid-option", SOURCE, "give --policies or --seeds, not both");
  }
  const asked = resolveConfig({
    ...(file !== undefined && { file }),
    base: quick ? QUICK : STANDARD,
    flags: { environment: { id: envId } },
    overrides,
  });
  const config = await settled({ ...asked, mask: { ...asked.mask, enabled: true } });
  const { backend } = config;
  return planComparison({
    config,
    policies: options.policies
      ? await policiesOfRuns(options.policies, config)
      : (options.seeds ?? (quick ? [1, 2] : [1, 2, 3])).map((seed) =>
          trainedPolicy(parseConfig({ ...config, seed }), backend),
        ),
    ...(options.explainers && { explainers: options.explainers }),
    budgets: options.budgets ?? (quick ? [20_000] : [100_000, 300_000]),
    states,
    shares: quick ? [0.1] : [0.05, 0.1, 0.2],
    backend,
  });
}

/** Policies that are there; how they are explained is as asked. @throws invalid-option if one is of another world */
async function policiesOfRuns(runs: readonly string[], config: Config): Promise<PolicySource[]> {
  const sources = await Promise.all(runs.map((run) => policyOfRun(resolve(run))));
  return sources.map((source) => {
    const { environment, training, opponents, seed } = source.config;
    if (addressOf(environment) !== addressOf(config.environment)) {
      const message = `${source.run} is of ${JSON.stringify(environment)}, not of ${JSON.stringify(config.environment)}`;
      throw new MagicMaskError("invalid-option", SOURCE, message);
    }
    return { ...source, config: { ...config, training, opponents, seed } };
  });
}

async function compareCells(
  plan: Plan,
  cache: string,
  about: Pick<Comparison, "command" | "looks">,
  begun: number,
): Promise<Comparison> {
  const cells = cellsOf(plan);
  const results = plan.policies.map((_, policy) =>
    cells.filter((cell) => cell.policy === policy).map((cell) => readCell(cell, cache) as CellResult),
  );
  const truth = await Promise.all(
    truthsOf(plan).map(async (planned) => {
      const { truth: known, seconds } = await loadTruth(planned, cache);
      return {
        policy: plan.policies[planned.policy].label,
        agent: plan.agents[planned.agent],
        reliability: Number.isNaN(known.reliability) ? null : known.reliability,
        batches: known.batches,
        decisions: known.decisions + known.pilotDecisions,
        wallSeconds: seconds,
      };
    }),
  );
  const summary = summarise(plan, results);
  return {
    format: 1,
    ...about,
    commit: gitCommit(),
    commits: [...new Set(results.flat().map(({ commit }) => commit))],
    machine: { ...hostDescription(), node: process.version, backend: plan.backend },
    plan,
    sentence: sentenceOn(plan.environment.id, plan, summary),
    training: await Promise.all(plan.policies.map(async (source) => (source.run ? null : costOf(source, cache)))),
    truth,
    summary,
    cells: results,
    digest: addressOf(results.flat().map(({ explainer, budget, agents }) => ({ explainer, budget, agents }))),
    wallSeconds: (performance.now() - begun) / 1000,
  };
}
