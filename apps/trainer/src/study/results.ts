import { truthsOf } from "../compare/plan.ts";
import { costOf, isTrained, trainedParts } from "../compare/policies.ts";
import { hasTruth, loadTruth } from "../compare/truth.ts";
import { gitCommit, hostDescription } from "../host.ts";
import { addressOf } from "../work/address.ts";
import type { Cost } from "./cost.ts";
import { requireEqualBudgets } from "./equal-budgets.ts";
import type { StudyPlan, Trial } from "./plan.ts";
import type { FailedTask } from "./status.ts";
import { type Kept, readTrial } from "./store.ts";
import type { Report, Size, Study } from "./study.ts";

/** Everything that is written and printed. */
export interface StudyResults {
  readonly format: 1;
  readonly study: Pick<Study, "id" | "question" | "claim" | "version">;
  readonly size: Size;
  readonly command: string;
  readonly commit: string | null;
  /** Commits that trials were made at, where they are of several. */
  readonly commits: readonly (string | null)[];
  readonly machine: ReturnType<typeof hostDescription> & {
    readonly node: string;
    readonly backends: readonly string[];
  };
  readonly plan: StudyPlan;
  /** Estimated beforehand. */
  readonly cost: Cost;
  /** Wall seconds of its processes, summed: what it took in the end, whenever that was. */
  readonly ledger: {
    readonly training: number;
    readonly truth: number;
    readonly learning: number;
    readonly judging: number;
  };
  readonly report: Report;
  /** Every trial that there is. */
  readonly trials: readonly (Trial & Kept)[];
  readonly failures: readonly FailedTask[];
  /** Digest of all figures; wall seconds are none. */
  readonly digest: string;
}

/** @throws invalid-option if arms were unequal */
export async function gather(
  study: Study,
  plan: StudyPlan,
  cache: string,
  { size, command, cost, failures }: Pick<StudyResults, "size" | "command" | "cost" | "failures">,
): Promise<StudyResults> {
  const trials: (Trial & Kept)[] = [];
  const ledger = { training: 0, truth: 0, learning: 0, judging: 0 };
  const sources = plan.worlds.flatMap(({ subjects, companions }) => [...subjects.policies, ...companions]);
  const parts = sources.flatMap(trainedParts);
  for (const part of new Map(parts.map((source) => [source.address, source])).values()) {
    if (await isTrained(part, cache)) ledger.training += (await costOf(part, cache)).wallSeconds;
  }
  for (const { subjects, groups } of plan.worlds) {
    for (const truth of truthsOf(subjects)) {
      if (await hasTruth(truth, cache)) ledger.truth += (await loadTruth(truth, cache)).seconds;
    }
    for (const group of groups) {
      const kept: (Trial & Kept)[] = [];
      for (const trial of group.trials) {
        const known = await readTrial(trial, cache);
        if (known) kept.push({ ...trial, ...known });
      }
      requireEqualBudgets(kept);
      ledger.learning += Math.max(0, ...kept.map(({ seconds }) => seconds.shared));
      for (const { seconds } of kept) {
        ledger.learning += seconds.learning;
        ledger.judging += seconds.judging;
      }
      trials.push(...kept);
    }
  }
  const { id, question, claim, version } = study;
  return {
    format: 1,
    study: { id, question, claim, version },
    size,
    command,
    commit: gitCommit(),
    commits: [...new Set(trials.map(({ commit }) => commit))],
    machine: {
      ...hostDescription(),
      node: process.version,
      backends: [...new Set(plan.worlds.map(({ subjects }) => subjects.backend))],
    },
    plan,
    cost,
    ledger,
    report: judgedBy(size, noting(study.report(plan.axes, trials), trials.length, countOf(plan))),
    trials,
    failures,
    digest: addressOf(trials.map(({ at, steps, figures }) => ({ at, steps, figures }))),
  };
}

const countOf = ({ worlds }: StudyPlan): number =>
  worlds.reduce((sum, { groups }) => sum + groups.reduce((count, { trials }) => count + trials.length, 0), 0);

/** Says beside every figure's reading that some of it is missing. */
function noting(report: Report, known: number, all: number): Report {
  if (known === all) return report;
  const gap = `${all - known} of ${all} trials are missing, as they failed: intervals and verdicts are over the seeds that are left.`;
  return {
    ...report,
    sentences: [gap, ...report.sentences],
    judgements: report.judgements.map((judgement) => ({
      ...judgement,
      why: `${judgement.why}; some trials of the study are missing`,
    })),
  };
}

/** What was made at small sizes, to try it, decides nothing. */
function judgedBy(size: Size, report: Report): Report {
  if (size !== "quick") return report;
  const judgements = report.judgements.map((judgement) => ({
    ...judgement,
    verdict: "not comparable" as const,
    why: `made at small sizes, to try it; ${judgement.why}`,
  }));
  return { ...report, judgements };
}
