import { join, resolve } from "node:path";
import { MagicMaskError } from "@magic-mask/core";
import type { Diagnostic } from "../diagnostics/limits.ts";
import { writeFileAtomic } from "../run/atomic.ts";
import { makeFolder } from "../run/folder.ts";
import { toJson } from "../to-json.ts";
import { addressOf } from "../work/address.ts";
import { diagnoseComparison, diagnosePool, diagnoseRun } from "./diagnostics.ts";
import type { Claim, Document } from "./document.ts";
import { formatHtml } from "./html.ts";
import { formatMarkdown, picturesOf } from "./markdown.ts";
import { poolOf } from "./pool.ts";
import { overComparisons, type Part, partOfComparison, partOfRuns, partOfStudy } from "./sections.ts";
import {
  type ComparisonSource,
  MOMENTS,
  type RunSource,
  readSource,
  type Source,
  type StudySource,
} from "./sources.ts";

/** What the command prints as JSON. */
export interface Reported {
  readonly page: string;
  readonly markdown: string;
  readonly sources: readonly { readonly kind: Source["kind"]; readonly path: string }[];
  readonly summary: readonly string[];
  readonly claims: readonly Claim[];
  readonly diagnostics: readonly Diagnostic[];
}

const SOURCE = "trainer/report";

/**
 * One page and one text about runs, comparisons and studies.
 *
 * @param folders of any of them
 * @param out folder of `report.html`, `report.md` and its pictures, created if need be
 * @throws invalid-option where a folder is named twice; as `readSource`; io
 */
export async function writeReport(folders: readonly string[], out: string): Promise<Reported> {
  const paths = folders.map((folder) => resolve(folder));
  const doubled = paths.find((path, i) => paths.indexOf(path) !== i);
  if (doubled !== undefined) {
    throw new MagicMaskError("invalid-option", SOURCE, `${doubled} is named twice; name each folder once`);
  }
  const sources = paths.map(readSource);
  const document = documentOf(sources);
  const folder = resolve(out);
  const pictures = picturesOf(document);
  makeFolder(SOURCE, pictures.length > 0 ? join(folder, "pictures") : folder);
  for (const { name, text } of pictures) await writeFileAtomic(join(folder, "pictures", name), text);
  const [page, markdown] = [join(folder, "report.html"), join(folder, "report.md")];
  await writeFileAtomic(markdown, formatMarkdown(document));
  await writeFileAtomic(page, formatHtml(document));
  const { summary, claims, diagnostics } = document;
  return { page, markdown, sources: sources.map(({ kind, path }) => ({ kind, path })), summary, claims, diagnostics };
}

/** Beside a study's or a comparison's other results: the page, and the moments that it shows, so that other reports have them. @throws io */
export async function writeOwnPage(source: StudySource | ComparisonSource): Promise<void> {
  await writeFileAtomic(join(source.path, MOMENTS), toJson({ moments: source.moments }));
  await writeFileAtomic(join(source.path, "report.html"), formatHtml(documentOf([source])));
}

/** In the order of the sources, studies first, then comparisons, then runs. */
function documentOf(sources: readonly Source[]): Document {
  const studies = sources.filter((source): source is StudySource => source.kind === "study");
  const comparisons = sources.filter((source): source is ComparisonSource => source.kind === "comparison");
  const runs = sources.filter((source): source is RunSource => source.kind === "run");
  const teams = alike(runs);
  const parts: Part[] = [
    ...studies.map(partOfStudy),
    ...comparisons.map(partOfComparison),
    ...teams.map((team) => partOfRuns(team)),
  ];
  const pooled = overComparisons(comparisons);
  const claims = parts.flatMap((part) => part.claims);
  const diagnostics = [
    ...studies.flatMap(({ results: { study, report } }) => [
      ...(report.diagnostics ?? []),
      ...(report.scores && report.scores.runs.length > 0 ? diagnosePool(poolOf(study.id, report.scores)) : []),
    ]),
    ...comparisons.flatMap(diagnoseComparison),
    ...runs.flatMap(diagnoseRun),
  ];
  const of = (verdict: Claim["verdict"]) => claims.filter((claim) => claim.verdict === verdict).length;
  const warnings = diagnostics.filter(({ state }) => state === "warning").length;
  return {
    title: titleOf(sources),
    summary: [
      ...(claims.length > 0
        ? [
            `${claims.length} comparisons with the paper: ${of("reproduced")} reproduced, ${of("not reproduced")} not reproduced, ${of("not comparable")} not comparable.`,
          ]
        : ["Nothing here can be held against the paper: it takes a study, or a comparison over several policies."]),
      ...(warnings > 0 ? [`${warnings} figures are beyond a limit: see Diagnostics.`] : []),
      ...parts.flatMap((part) => part.summary),
    ],
    claims,
    diagnostics,
    sections: [...parts.flatMap((part) => part.sections), ...(pooled ? [pooled] : [])],
  };
}

/** Runs that differ in their seed alone. */
function alike(runs: readonly RunSource[]): RunSource[][] {
  const groups = new Map<string, RunSource[]>();
  for (const run of runs) {
    const key = addressOf({ ...run.config, seed: 0, workers: 0 });
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  return [...groups.values()];
}

function titleOf(sources: readonly Source[]): string {
  const names = sources.map((source) =>
    source.kind === "study"
      ? `study ${source.results.study.id}`
      : source.kind === "comparison"
        ? `comparison ${source.comparison.plan.environment.id}`
        : `run ${source.record.environment}`,
  );
  const counted = [...new Set(names)].map((name) => {
    const times = names.filter((other) => other === name).length;
    return times > 1 ? `${name} (${times})` : name;
  });
  return `Report: ${counted.join(", ")}`;
}
