/**
 * Who finds the locks of a planted world with decoys, whose policy is the best one and as sure of itself at decoys as it is at locks?
 * AUROC of locks among all decisions of held-out episodes, over seeds. Writes `results/planted/planted_v0.json` and the table beside it.
 *
 *   npm run bench:planted      # some minute on one core
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { controls } from "@magic-mask/masking";
import { tInterval } from "@magic-mask/metrics";
import { mean } from "../apps/trainer/src/figures/means.ts";
import { gitCommit } from "../apps/trainer/src/host.ts";
import { createProgress } from "../apps/trainer/src/terminal/progress.ts";
import { explainPlanted, TO_LEARN } from "../apps/trainer/src/test-planted.ts";

const SEEDS = Array.from({ length: 10 }, (_, i) => i + 1);
/** Who decides the blinding that each learns from. */
const LEARNED = {
  advantage: "coin",
  advantage_entropy: "coin",
  doubly_robust: "coin",
  advantage_doubly_robust: "coin",
  keep_blind: "coin",
  statemask: "mask",
  coverage: "mask",
} as const;
const NOT_LEARNED = ["entropy", "log_prob_gap", "random"];

const areas: Record<string, number[]> = {};
const tell = (name: string, area: number) => {
  areas[name] = [...(areas[name] ?? []), area];
};
const progress = createProgress({ label: "planted", total: SEEDS.length * Object.keys(LEARNED).length, unit: "masks" });
let done = 0;
for (const seed of SEEDS) {
  for (const [name, decides] of Object.entries(LEARNED)) {
    progress.update(done++);
    const { areaOf, explainer, postHoc, spec, policy } = await explainPlanted(
      name,
      `seed=${seed}`,
      ...TO_LEARN[decides],
    );
    tell(name, areaOf(explainer));
    if (name !== "advantage") continue;
    // The loss as published learns from the same steps, from two sets of initial weights.
    const papers = postHoc.papers.map(([mask]) => areaOf(mask.explainer));
    tell("paper", mean(papers));
    for (const control of NOT_LEARNED)
      tell(control, areaOf(controls[control].create({ spec, agent: 0, policy, seed })));
  }
}
progress.done("planted: measured");

const rows = Object.entries(areas).map(([explainer, values]) => ({
  explainer,
  auroc: tInterval(values),
  least: Math.min(...values),
  values,
}));
const out = fileURLToPath(new URL("../results/planted/", import.meta.url));
mkdirSync(out, { recursive: true });
const written = { command: "npm run bench:planted", commit: gitCommit(), seeds: SEEDS, toLearn: TO_LEARN, rows };
writeFileSync(`${out}planted_v0.json`, `${JSON.stringify(written, null, 2)}\n`);
writeFileSync(`${out}README.md`, overview());
process.stdout.write(overview());

function overview(): string {
  const lines = rows.map(({ explainer, auroc, least }) => {
    const [estimate, low, high] = [auroc.estimate, auroc.low, auroc.high].map((area) => area.toFixed(3));
    return `| ${explainer} | ${estimate} [${low}, ${high}] | ${least.toFixed(3)} |`;
  });
  return `# Locks among decoys, by the best policy

One agent, two keys, twelve decisions, of which three are locks, three decoys, where the policy is as sure of itself and nothing matters, and six leave it free. AUROC of the locks among all decisions of episodes that nobody has seen,
with 95 % t-intervals over ${SEEDS.length} seeds. Masks learn from half blinded play: what a coin decides from 10,000 steps, what the masks decide from 30,000.

| criticality by | AUROC | least of ${SEEDS.length} |
| --- | --- | --- |
${lines.join("\n")}

Made by \`${written.command}\` at commit ${written.commit ?? "unknown"}, seeds ${SEEDS[0]} to ${SEEDS[SEEDS.length - 1]}; all figures in [planted_v0.json](planted_v0.json).
`;
}
