import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type ActionSpace, actionWidth, boxSize, type ModelSpec, maskWidth } from "@magic-mask/core";
import { environments } from "@magic-mask/environments";
import { ENTROPY_WEIGHT, type ShrunkState } from "@magic-mask/masking";
import { describeSpec } from "@magic-mask/networks";
import { stringify } from "yaml";
import type { Evaluation } from "./evaluate.ts";
import type { ExportedNetwork } from "./export.ts";
import type { LoadedTeam } from "./load-run.ts";
import { isExplained } from "./posthoc.ts";
import { formatInterval, formatNumber } from "./terminal/table.ts";

/**
 * Says of exported networks what they are, where they are from, how good they are, and how to use them: a Hugging Face model card.
 *
 * @param masks [N] states of the masks; none where there was no post-hoc pass
 */
export function modelCard(run: LoadedTeam, networks: readonly ExportedNetwork[], masks: readonly object[]): string {
  const { record, config } = run;
  const evaluation = readEvaluation(run);
  const title = `${record.environment}, ${config.name}, seed ${record.seed}`;
  return [
    "---",
    stringify(frontMatter(run, evaluation)).trimEnd(),
    "---",
    "",
    `# ${title}`,
    "",
    whatItIs(run),
    "",
    "## Files",
    "",
    ...filesOf(networks),
    "",
    "## Environment",
    "",
    ...environmentOf(run),
    "",
    ...masksOf(run, networks, masks),
    "## Training",
    "",
    ...trainingOf(run),
    "",
    "## Results",
    "",
    ...resultsOf(run, evaluation),
    "",
    "## Use, and limits",
    "",
    `- Meant for research: to play ${record.environment} as configured below, to compare explanations, to reproduce the figures above.`,
    "- A policy knows observations of this layout and version of the environment only. Elsewhere its output means nothing.",
    "- Scores of masks are estimates for these policies on states that they reach themselves, in units of return. They say what a random",
    "  action would cost this policy, not what perfect play is.",
    "- One seed is one sample: figures of another seed differ.",
    "",
    "## License",
    "",
    run.team.learners.some(({ origin }) => origin)
      ? "Of the policies: whatever whoever trained them says. Of the masks: MIT, as the software that made them."
      : "MIT, as the software that made it.",
    "",
    "## In Python",
    "",
    ...pythonOf(run, networks),
    "",
  ].join("\n");
}

function whatItIs({ record, team, world }: LoadedTeam): string {
  const { agents } = world.spec;
  const whose = agents.length > 1 ? `${agents.length} agents (${agents.join(", ")})` : "one agent";
  const given = team.learners.some(({ origin }) => origin);
  const made = given
    ? "Policies trained elsewhere, and masks that explain them, learned post hoc on their own play by"
    : `Policies trained by PPO over ${record.steps} environment steps, and masks that say at which moments they matter, by`;
  return `${made} MAGIC-MASK for ${whose}.`;
}

function frontMatter({ record, team, world }: LoadedTeam, evaluation: Evaluation | undefined) {
  const metrics = (evaluation?.opponents ?? []).map(({ opponent, play, metric, value }) => ({
    type: metric,
    name: `${metric} against ${opponent}, ${play}`,
    value: value.estimate,
  }));
  const index = {
    name: record.id,
    results: [
      {
        task: { type: "reinforcement-learning", name: "reinforcement-learning" },
        dataset: { name: record.environment, type: record.environment },
        metrics,
      },
    ],
  };
  return {
    license: team.learners.some(({ origin }) => origin) ? "other" : "mit",
    library_name: "magic-mask",
    tags: [
      "reinforcement-learning",
      ...(world.spec.agents.length > 1 ? ["multi-agent-reinforcement-learning"] : []),
      "explainability",
      "onnx",
      record.environment,
    ],
    ...(metrics.length > 0 && { "model-index": [index] }),
  };
}

function filesOf(networks: readonly ExportedNetwork[]): string[] {
  const rows = networks.map(({ kind, agents, spec, files }) => {
    const net = spec ? describeSpec(spec) : "trained elsewhere, copied";
    return `| ${files.map((file) => `\`${file}\``).join(", ")} | ${kind} of ${agents.join(", ")} | ${net} |`;
  });
  return [
    "| files | network of | layers |",
    "| --- | --- | --- |",
    ...rows,
    "",
    "ONNX: opset 17, the batch is open. Policies take `obs` [batch, D], float32, and where actions are choices `action_mask` [batch, A], bool,",
    "true = legal; they give `logits` [batch, A] (−1e9 for what is illegal), or `mean` and `log_std`, and `value` [batch, 1], the return that",
    "the policy expects. Nets of masks take `x` and give `scores`. safetensors: weights [in, out] and biases [out] of each layer, and the",
    "optimiser's moments; the network's shape is in the metadata. `run.json`: the record of the run.",
  ];
}

function describeSpace(space: ActionSpace): string {
  if (space.kind === "discrete") return `one of ${space.n}${space.labels ? `: ${space.labels.join(", ")}` : ""}`;
  if (space.kind === "multi-discrete") return `one choice each of ${space.nvec.join(", ")}`;
  if (space.kind === "candidates") return `one of up to ${space.max} moves of ${space.features} features`;
  return `${boxSize(space)} real numbers in ${bounds(space.low, space.high)}`;
}

const bounds = (low: number | readonly number[], high: number | readonly number[]) =>
  `[${[low, high].map((bound) => (typeof bound === "number" ? bound : `(${bound.join(", ")})`)).join(", ")}]`;

function environmentOf({ world, config }: LoadedTeam): string[] {
  const { spec } = world;
  return [
    `\`${config.environment.id}\` with the options \`${JSON.stringify(config.environment.options)}\`. What each number of an observation is:`,
    config.environment.id in environments
      ? "see that world in the package `@magic-mask/environments`."
      : `as \`${spec.id}\` gives it in Python, in C order.`,
    "",
    "| agent | observation, a row in C order | action |",
    "| --- | --- | --- |",
    ...spec.agents.map((agent, i) => {
      const { shape, low, high } = spec.observationSpaces[i];
      const range = typeof low === "number" && typeof high === "number" ? ` in ${bounds(low, high)}` : "";
      return `| ${agent} | [${shape.join(" × ")}]${range} | ${describeSpace(spec.actionSpaces[i])} |`;
    }),
  ];
}

function masksOf(
  { config, world }: LoadedTeam,
  networks: readonly ExportedNetwork[],
  masks: readonly object[],
): string[] {
  if (!isExplained(config)) return [];
  const { objective, perturbation } = config.mask;
  const layouts = networks.flatMap(({ kind, agents, spec }) => {
    if (kind !== "mask" || !spec) return [];
    const i = world.spec.agents.indexOf(agents[0]);
    return [
      `- \`${agents[0]}\`: ${layoutOf(spec, boxSize(world.spec.observationSpaces[i]), world.spec.actionSpaces[i])}`,
    ];
  });
  return [
    "## Masks",
    "",
    `Learned by the objective \`${objective}\`, against the perturbation \`${perturbation}\`. What a net reads:`,
    "",
    ...layouts,
    "",
    ...(objective === "advantage" || objective === "advantage_entropy"
      ? [
          "`scores` are estimates Â_k(x, a) of the advantage of action a, one per member of the ensemble. The criticality of a decision is",
          "Σ_a (π − ν)(a) · mean_k Â_k(x, a) over its legal actions: ask the net once for each. Where actions are continuous it is the",
          "mean over draws from π less that over draws from ν.",
          "",
        ]
      : []),
    ...(objective === "advantage_entropy" ? shrinkageOf(world.spec.agents, masks) : []),
  ];
}

/** How masks are shrunk towards −H(π). */
function shrinkageOf(agents: readonly string[], masks: readonly object[]): string[] {
  const drawn = agents.flatMap((name, i) => {
    const { scale } = masks[i] as Partial<ShrunkState>;
    return scale ? [`| ${name} | ${scale.slope} | ${scale.intercept} |`] : [];
  });
  if (drawn.length === 0) return [];
  return [
    `That is then drawn towards what the policy is sure of: (criticality + ${ENTROPY_WEIGHT} · t) / ${1 + ENTROPY_WEIGHT}, where t is slope · −H(π) +`,
    "intercept, the entropy H in nats:",
    "",
    "| agent | slope | intercept |",
    "| --- | --- | --- |",
    ...drawn,
    "",
  ];
}

/** What is where in a row for a mask's net, as `masking/features` writes it. */
function layoutOf({ inputs }: ModelSpec, D: number, space: ActionSpace): string {
  const [n, k] = [maskWidth(space), actionWidth(space)];
  const isBox = space.kind === "box";
  const state: (readonly [number, string])[] = [
    [D, "the observation"],
    ...(isBox
      ? ([
          [k, "the means of π, from the bounds of the action to [−1, 1]"],
          [k, "its ln σ, likewise"],
        ] as const)
      : ([
          [n, "π(·∣o)"],
          [n, "ln π(·∣o), −10 at least"],
          [1, "the entropy of π, nats"],
          [1, "max π"],
        ] as const)),
  ];
  const pair: (readonly [number, string])[] = [
    ...state,
    ...(isBox
      ? ([
          [k, "the action, as it is played, from its bounds to [−1, 1]"],
          [1, "ln π(a) of what was drawn, in [−10, 10]"],
        ] as const)
      : ([
          [n, "the action, as one of n"],
          [1, "ln π(a), −10 at least"],
          [1, "π(a)"],
        ] as const)),
  ];
  const known = [[state[0]], state, pair].find((parts) => parts.reduce((sum, [width]) => sum + width, 0) === inputs);
  if (!known || (space.kind !== "discrete" && !isBox))
    return `${inputs} numbers, as the documentation of the objective says`;
  let at = 0;
  const words = known.map(([width, what]) => {
    at += width;
    return width === 1 ? `${at - 1} ${what}` : `${at - width} … ${at - 1} ${what}`;
  });
  return `x [${inputs}]: ${words.join("; ")}`;
}

function trainingOf({ record, config, team }: LoadedTeam): string[] {
  const about = [`- run \`${record.id}\`, seed ${record.seed}, trajectory hash ${record.trajectoryHash}`];
  if (record.commit) about.push(`- commit ${record.commit}`);
  for (const { origin } of team.learners) {
    if (origin) about.push(`- policy of SHA-256 ${origin.sha256}, trained elsewhere: ${origin.gives}`);
  }
  const { training, opponents, blinding, mask, sharing, posthoc } = config;
  const told = team.learners.some(({ origin }) => origin)
    ? { mask, sharing, posthoc }
    : { training, opponents, blinding, mask, sharing, posthoc };
  return [...about, "", "```yaml", stringify(told).trimEnd(), "```"];
}

function readEvaluation({ folder }: LoadedTeam): Evaluation | undefined {
  try {
    return JSON.parse(readFileSync(join(folder.path, "eval/table.json"), "utf8"));
  } catch {
    // Nobody has evaluated it.
    return undefined;
  }
}

function resultsOf({ folder }: LoadedTeam, evaluation: Evaluation | undefined): string[] {
  if (!evaluation) return [`Not evaluated: \`magic-mask evaluate ${folder.id}\` does that.`];
  const { opponents, ranking, drops } = evaluation;
  return [
    "On held-out games; intervals: 95 %.",
    "",
    "| strength | play | |",
    "| --- | --- | --- |",
    ...opponents.map(
      ({ opponent, play, metric, value }) => `| ${metric} against ${opponent} | ${play} | ${formatInterval(value)} |`,
    ),
    "",
    "| agent | criticality by | AUROC of the true top 10 % | Spearman |",
    "| --- | --- | --- | --- |",
    ...ranking.map(
      ({ agent, explainer, auroc, spearman }) =>
        `| ${agent} | ${explainer} | ${formatInterval(auroc)} | ${formatInterval(spearman)} |`,
    ),
    "",
    "| agent | blinded decisions | reward drop, share of the return range |",
    "| --- | --- | --- |",
    ...drops.map(
      ({ agent, order, drop, budget }) =>
        `| ${agent} | ${order}, ${formatNumber(100 * budget)} % | ${formatInterval(drop)} |`,
    ),
  ];
}

function pythonOf({ world }: LoadedTeam, networks: readonly ExportedNetwork[]): string[] {
  const policy = networks.find(({ kind, spec }) => kind === "policy" && spec);
  const file = policy?.files.find((name) => name.endsWith(".onnx"));
  const weights = networks.flatMap(({ files }) => files).find((name) => name.endsWith(".safetensors"));
  const lines: string[] = [];
  if (policy && file) {
    const i = world.spec.agents.indexOf(policy.agents[0]);
    const space = world.spec.actionSpaces[i];
    const D = boxSize(world.spec.observationSpaces[i]);
    const A = maskWidth(space);
    const mask = A > 0 ? `, "action_mask": np.ones((1, ${A}), bool)` : "";
    const names = A > 0 ? "logits, value" : "mean, log_std, value";
    lines.push(
      "import numpy as np",
      "import onnxruntime",
      "",
      `policy = onnxruntime.InferenceSession("${file}")`,
      `${names} = policy.run(None, {"obs": np.zeros((1, ${D}), np.float32)${mask}})`,
      ...(space.kind === "discrete" ? ["action = logits.argmax(axis=1)  # or drawn, from softmax(logits)"] : []),
    );
  }
  if (weights) {
    if (lines.length > 0) lines.push("");
    lines.push("from safetensors.numpy import load_file", "", `weights = load_file("${weights}")`);
  }
  return lines.length > 0
    ? ["```python", ...lines, "```"]
    : ["The policy's own file says what it takes: `onnxruntime.InferenceSession(file).get_inputs()`."];
}
