/** Which objective finds what matters? One row per objective and control, on a world whose critical decisions are known. */
import { completeRows, type Explainer, vectorize } from "@magic-mask/core";
import { planted, plantedCriticality, plantedOptimal } from "@magic-mask/environments";
import { controls, createCritic, objectives, selectDecisions, uniform } from "@magic-mask/masking";
import { auroc } from "@magic-mask/metrics";
import { backends } from "@magic-mask/networks";
import { type Blinding, createCollector } from "@magic-mask/ppo";

if (process.argv.includes("--help")) {
  console.log("Usage: npm start -- [--json] [objective …]\nExample: npm start -- statemask coverage");
  process.exit();
}
const asked = process.argv.slice(2).filter((word) => word !== "--json");
const isJson = process.argv.includes("--json");

// Of twelve decisions three are locks, which matter, three are decoys, where the policy is as sure, and at six anything goes.
const options = { agents: 1, ticks: 12, keys: 2 };
const [agent, seed, discount, COPIES, TICKS] = [0, 1, 0.5, 64, 480];
const make = () => planted(options);
const [spec, policy] = [make(), plantedOptimal(options)];
const perturbations = spec.actionSpaces.map(uniform);
const createLearner = await backends.fused.load();
const player = (root: number) =>
  createCollector({ vector: vectorize(make, COPIES), policies: [policy], players: [0], perturbations, seed: root });

const heldOut = player(99).collect(48, { kind: "coin", probability: 0 }).rollouts[0];
const decisions = selectDecisions(heldOut, completeRows(heldOut), agent);
const [scores, truth, spread] = [0, 1, 2].map(() => new Float32Array(decisions.count));
plantedCriticality(options).score(decisions, truth, spread);
const top = truth.filter((delta) => delta > 0).length / truth.length;

const rows: { explainer: string; steps: number; auroc: number }[] = [];
function report(explainer: Explainer, steps: number) {
  explainer.score(decisions, scores, spread);
  const row = { explainer: explainer.name, steps, auroc: auroc(scores, truth, { top }) };
  rows.push(row);
  if (!isJson) console.log(row.explainer.padEnd(24), String(steps).padStart(7), row.auroc.toFixed(3).padStart(7));
}

if (!isJson) console.log("explainer                  steps   AUROC");
let critic = createCritic({ spec, agent, createLearner, seed, discount });
for (const name of asked.length > 0 ? asked : Object.keys(objectives)) {
  const objective = objectives[name]({ threshold: 0.5, separate: true });
  critic = createCritic({ spec, agent, createLearner, seed, discount });
  const mask = objective.create({ spec, agent, createLearner, seed });
  const blinding: Blinding = mask.blind ? { kind: "mask", blind: mask.blind } : { kind: "coin", probability: 0.5 };
  // Of equally many steps, a coin's are learned from at once; a mask that decides goes on by what it has learned, eight times.
  const [rounds, epochs] = mask.blind ? [8, 8] : [1, 8];
  const ticks = TICKS / rounds;
  const collector = player(1);
  for (let round = 0; round < rounds; round++) {
    const rateAt = (part: number) => 0.01 - (0.0097 * part) / rounds;
    const plan = { epochs, learningRate: { start: rateAt(round), end: rateAt(round + 1) } };
    const [rollout] = collector.collect(ticks, blinding).rollouts;
    await critic.fit(rollout, plan);
    await mask.fit(critic.judge(rollout), plan);
  }
  report(mask.explainer, rounds * ticks * COPIES);
}
if (asked.length === 0)
  for (const { create } of Object.values(controls)) report(create({ spec, agent, policy, critic, seed }), 0);
if (isJson) console.log(JSON.stringify(rows));
