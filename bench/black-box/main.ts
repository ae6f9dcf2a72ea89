/**
 * Explains policies that were trained in Python and reached us as ONNX files, here beside this one, and judges the explanations:
 * runs `magic-mask explain --policy` and `magic-mask evaluate`, and writes what they print to `results/black-box/<world>.json`.
 *
 *   npm run bench:black-box                  # both worlds, seed 1; some ten minutes on one core
 *   npm run bench:black-box -- cartpole_v1
 *
 * The scripts that trained them are `train_cart_pole.py` and `train_connect_four.py`.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gitCommit } from "../../apps/trainer/src/host.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

const SEED = "1";
const EVALUATION = [
  "evaluation.episodes=100",
  "evaluation.states=300",
  "evaluation.rollouts=32",
  "evaluation.dropEpisodes=400",
];

/** What is explained in each world; the training script's name is the model's. */
const jobs: Readonly<Record<string, { readonly model: string; readonly options: readonly string[] }>> = {
  // Five hundred steps an episode: fewer of them.
  cartpole_v1: { model: "cart_pole", options: [...EVALUATION, "evaluation.states=100", "evaluation.dropEpisodes=50"] },
  connect_four_v0: { model: "connect_four", options: [...EVALUATION, "environment.options.observation=planes"] },
};

/** What is withheld for a drop. */
const BLINDED = { top: "highest", random: "anything, at random", bottom: "lowest" } as const;

const asked = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(jobs);
for (const world of asked) {
  if (!Object.hasOwn(jobs, world)) throw new TypeError(`no job in "${world}"; there are: ${Object.keys(jobs)}`);
  const { model, options } = jobs[world];
  const file = `bench/black-box/${model}.onnx`;
  const runs = mkdtempSync(join(tmpdir(), "black-box-"));
  const magicMask = (...words: string[]) =>
    JSON.parse(
      execFileSync(process.execPath, [`${root}scripts/magic-mask.mjs`, ...words, "--json"], {
        cwd: root,
        encoding: "utf8",
        maxBuffer: 1e8,
        stdio: ["ignore", "pipe", "inherit"],
      }),
    );
  const words = ["explain", "--policy", file, "--env-id", world, "--seed", SEED, ...options];
  const begun = performance.now();
  const { run, policies, agents, method, game } = magicMask(...words, "--runs", runs);
  const explained = performance.now();
  const evaluation = magicMask("evaluate", run);
  const seconds = (from: number, to: number) => Math.round((to - from) / 1000);
  const { trajectoryHash } = JSON.parse(readFileSync(join(run, "run.json"), "utf8"));
  const summary = {
    command: `npm run bench:black-box -- ${world}`,
    commands: [`magic-mask ${words.join(" ")}`, "magic-mask evaluate <run>"],
    commit: gitCommit(),
    seed: Number(SEED),
    machine: { cpu: cpus()[0]?.model.trim(), cores: cpus().length, node: process.version },
    seconds: { explain: seconds(begun, explained), evaluate: seconds(explained, performance.now()) },
    model: {
      file,
      trainedBy: `python bench/black-box/train_${model}.py ${file}`,
      sha256: createHash("sha256")
        .update(readFileSync(join(root, file)))
        .digest("hex"),
      gives: policies[0].gives,
    },
    trajectoryHash,
    game,
    method,
    moments: agents.flatMap(measured),
    evaluation,
  };
  mkdirSync(join(root, "results/black-box"), { recursive: true });
  const out = join(root, `results/black-box/${world}.json`);
  writeFileSync(out, `${JSON.stringify(summary, null, 2)}\n`);
  process.stdout.write(`${out}\n`);
}
writeFileSync(join(root, "results/black-box/README.md"), overview());

/** What the files say, in words. */
function overview(): string {
  const sections = Object.keys(jobs)
    .map((world) => join(root, `results/black-box/${world}.json`))
    .filter(existsSync)
    .map((file) => sectionOf(JSON.parse(readFileSync(file, "utf8"))));
  return `# Policies from elsewhere

Written by \`npm run bench:black-box\`: policies that were trained in Python and reached us as ONNX files, explained from their actions
and judged against ground truth, beside controls. AUROC is that of the true top 10 %, a drop what acting at random at some tenth of the
decisions costs, as a share of the range of returns; intervals are 95 % bootstraps over games.

${sections.join("\n\n")}
`;
}

/** An agent's moments, without their boards and what else there is to choose. */
function measured({ name, moments }: ExplainedAgent): Moment[] {
  return moments.map(({ step, estimate, effect, significant }) => ({
    agent: name,
    step,
    estimate,
    effect,
    significant,
  }));
}

function sectionOf({ command, commit, seed, model, game, method, moments, evaluation }: Summary): string {
  const { agent, step, effect } = moments.reduce((most, each) => (each.estimate > most.estimate ? each : most));
  const critical = moments.filter(({ significant }) => significant);
  const agents = [...new Set(evaluation.ranking.map((row) => row.agent))];
  const ranks = evaluation.ranking.map(
    ({ agent: name, explainer, auroc, spearman }) =>
      `| ${name} | ${explainer} | ${interval(auroc)} | ${interval(spearman)} |`,
  );
  const drops = evaluation.drops.map(
    ({ agent: name, order, drop, budget, missed }) =>
      `| ${name} | ${BLINDED[order]} | ${interval(drop)} | ${(100 * budget).toFixed(1)} %${missed ? ", off by more than .5" : ""} |`,
  );
  const found = agents.filter((name) => (evaluation.ranking.find((row) => row.agent === name)?.auroc.low ?? 0) > 0.5);
  const verdict =
    found.length === agents.length
      ? "The ranking is better than chance for every agent."
      : found.length === 0
        ? "**The ranking cannot be told from chance: this explanation does not say which moments matter to this policy.**"
        : `The ranking is better than chance for ${found.join(", ")} alone.`;
  const acted =
    effect.low > 0 ? "and blinding it does cost return" : "**yet blinding it was not seen to cost anything**";
  const most = critical.toSorted((a, b) => b.effect.estimate - a.effect.estimate)[0];
  return `## ${model.file}

${verdict} The highest estimate of game ${game} is that of step ${step} of ${agent}; there, blinding costs ${interval(effect)} over ${effect.rollouts} fresh rollouts of each action: ${acted}.
Of the ${moments.length} decisions of the game that \`${method.explainer}\` ranked first ${critical.length} were found to be critical, at a false discovery rate of ${method.significance}${most ? `: most of all step ${most.step} of ${most.agent}, by ${interval(most.effect)}` : ""}.

| agent | criticality by | AUROC | Spearman |
| --- | --- | --- | --- |
${ranks.join("\n")}

| agent | blinded where \`${evaluation.ranking[0].explainer}\` ranks | drop | share blinded |
| --- | --- | --- | --- |
${drops.join("\n")}

Trained by \`${model.trainedBy}\`, gives ${model.gives}. Made by \`${command}\` at commit ${commit ?? "unknown"}, seed ${seed}.`;
}

interface Range {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

interface Moment {
  readonly agent: string;
  readonly step: number;
  readonly estimate: number;
  readonly effect: Range & { readonly rollouts: number };
  readonly significant: boolean;
}

interface ExplainedAgent {
  readonly name: string;
  readonly moments: readonly Omit<Moment, "agent">[];
}

/** What of a result the overview reads. */
interface Summary {
  readonly command: string;
  readonly commit: string | null;
  readonly seed: number;
  readonly model: { readonly file: string; readonly trainedBy: string; readonly gives: string };
  readonly game: number;
  readonly method: { readonly explainer: string; readonly significance: number };
  readonly moments: readonly Moment[];
  readonly evaluation: {
    readonly ranking: readonly {
      readonly agent: string;
      readonly explainer: string;
      readonly auroc: Range;
      readonly spearman: Range;
    }[];
    readonly drops: readonly {
      readonly agent: string;
      readonly order: keyof typeof BLINDED;
      readonly drop: Range;
      /** Share of decisions, and whether that is far from what was aimed at. */
      readonly budget: number;
      readonly missed: boolean;
    }[];
  };
}

function interval(range: Range | undefined): string {
  if (!range) return "n/a";
  const [estimate, low, high] = [range.estimate, range.low, range.high].map((value) => Number(value.toPrecision(2)));
  return `${estimate} [${low}, ${high}]`;
}
