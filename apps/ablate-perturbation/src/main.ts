/** Learned against uniform: what should a blinded agent do? One row per perturbation, in a world whose critical decisions are known. */
import { byName, completeRows, maskedLogSoftmax, type Perturbation, type Policy, vectorize } from "@magic-mask/core";
import { planted, plantedCriticality, plantedOptimal } from "@magic-mask/environments";
import { advantage, createCritic, perturbations, selectDecisions } from "@magic-mask/masking";
import { auroc, spearman } from "@magic-mask/metrics";
import { backends } from "@magic-mask/networks";
import { createCollector } from "@magic-mask/ppo";

if (process.argv.includes("--help")) {
  console.log("Usage: npm start -- [--json] [perturbation …]\nExample: npm start -- uniform adversary");
  process.exit();
}
const asked = process.argv.slice(2).filter((word) => word !== "--json");
const isJson = process.argv.includes("--json");
const NAMES = ["uniform", "second_choice", "policy_noise", "adversary", "minimal"];

const [agent, seed] = [0, 1];
const spec = planted();
const create = await backends.fused.load();
const plan = { epochs: 4, learningRate: { start: 3e-3, end: 3e-4 } };

/** The best policy, less sure of itself: where there is a dial, its key with probability .85. */
const best = plantedOptimal();
const policy: Policy = {
  evaluate(batch, parameters, values) {
    best.evaluate(batch, parameters, values);
    for (let at = 0; at < batch.count * 4; at++) parameters[at] = Math.log(0.8 * Math.exp(parameters[at]) + 0.05);
    for (let row = 0; row < batch.count; row++) maskedLogSoftmax(parameters, row * 4, batch.legal, row * 4, 4);
  },
};

function collect(nu: Perturbation, root: number, ticks: number) {
  const about = { policies: [policy], players: spec.agents.map(() => 0), perturbations: spec.agents.map(() => nu) };
  const collector = createCollector({ vector: vectorize(planted, 64), ...about, seed: root });
  return collector.collect(ticks, { kind: "coin", probability: 0.3 }).rollouts[0];
}

/** A mask of the policy as it is blinded by `nu`, from `ticks` of play. */
async function explain(nu: Perturbation, root: number, ticks: number) {
  const seen = collect(nu, root, ticks);
  const critic = createCritic({ spec, agent, createLearner: create, seed, discount: 0.99 });
  const mask = advantage({ separate: true }).create({ spec, agent, createLearner: create, seed });
  await critic.fit(seen, plan);
  await mask.fit(critic.judge(seen), plan);
  return { mask, decisions: selectDecisions(seen, completeRows(seen, agent), agent) };
}

/** The piece that is swapped. Those that are learned take half of the ticks to look at uniform play first. */
async function prepare(name: string) {
  const entry = byName("ablate-perturbation", "perturbation", perturbations, name);
  if (entry.needs !== "advantages") return { nu: entry.create({ spec, agent, seed }), ticks: 240 };
  const { mask, decisions } = await explain(perturbations.uniform.create({ spec, agent, seed }), 3, 120);
  const nu = entry.create({ spec, agent, seed, advantages: mask.advantages });
  nu.fit(decisions);
  return { nu, ticks: 120 };
}

const rows: { perturbation: string; loss: number; auroc: number; spearman: number; plausible: number }[] = [];
if (!isJson) console.log("perturbation   mean loss    AUROC Spearman     ln π");
for (const name of asked.length > 0 ? asked : NAMES) {
  const { nu, ticks } = await prepare(name);
  const { mask } = await explain(nu, 1, ticks);
  const heldOut = collect(nu, 2, 48);
  const decisions = selectDecisions(heldOut, completeRows(heldOut, agent), agent);
  const [scores, truth, spread] = [0, 1, 2].map(() => new Float32Array(decisions.count));
  mask.explainer.score(decisions, scores, spread);
  plantedCriticality().score(decisions, truth, spread);
  const { count } = decisions;
  const loss = truth.reduce((sum, value) => sum + value, 0) / count;
  const plausible = decisions.perturbation.reduce((sum, x, at) => sum + Math.exp(x) * decisions.policy[at], 0) / count;
  const row = { loss, auroc: auroc(scores, truth), spearman: spearman(scores, truth), plausible };
  rows.push({ perturbation: name, ...row });
  const figures = Object.values(row).map((value) => value.toFixed(3).padStart(8));
  if (!isJson) console.log(name.padEnd(14), figures.join(" "));
}
if (isJson) console.log(JSON.stringify(rows));
