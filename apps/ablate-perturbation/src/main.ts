/** Does it matter what a blinded agent does instead? One row per perturbation, on a world whose critical decisions are known. */
import {
  type ActionSpace,
  completeRows,
  ILLEGAL,
  type Perturbation,
  requireChoices,
  vectorize,
} from "@magic-mask/core";
import { planted, plantedCriticality, plantedOptimal } from "@magic-mask/environments";
import { advantage, createCritic, selectDecisions, uniform } from "@magic-mask/masking";
import { auroc, spearman } from "@magic-mask/metrics";
import { backends } from "@magic-mask/networks";
import { createCollector } from "@magic-mask/ppo";

/** The piece that is swapped: ν takes the second most probable legal action; where only one is legal, that one. */
function secondChoice(space: ActionSpace): Perturbation {
  const n = requireChoices("ablate-perturbation/second-choice", space);
  return {
    name: "second choice",
    evaluate({ count, legal }, policy, out) {
      for (let at = 0; at < count * n; at += n) {
        const ranked = Array.from({ length: n }, (_, a) => at + a)
          .filter((a) => legal[a])
          .sort((a, b) => policy[b] - policy[a]);
        out.fill(ILLEGAL, at, at + n);
        out[ranked[1] ?? ranked[0]] = 0;
      }
    },
  };
}

const agent = 0;
const spec = planted();
const create = await backends.fused.load();
const plan = { epochs: 4, learningRate: { start: 3e-3, end: 3e-4 } };

console.log("perturbation   mean loss  AUROC  Spearman");
for (const perturbation of [uniform, secondChoice]) {
  const perturbations = spec.actionSpaces.map(perturbation);
  const collect = (seed: number, ticks: number) => {
    const players = spec.agents.map(() => 0);
    const collector = createCollector({
      vector: vectorize(planted, 64),
      policies: [plantedOptimal()],
      players,
      perturbations,
      seed,
    });
    return collector.collect(ticks, { kind: "coin", probability: 0.3 }).rollouts[0];
  };

  const seen = collect(1, 240);
  const critic = createCritic({ spec, agent, createLearner: create, seed: 1, discount: 0.99 });
  const mask = advantage({ separate: true }).create({ spec, agent, createLearner: create, seed: 1 });
  await critic.fit(seen, plan);
  await mask.fit(critic.judge(seen), plan);

  const heldOut = collect(2, 48);
  const decisions = selectDecisions(heldOut, completeRows(heldOut, agent), agent);
  const [scores, truth, spread] = [0, 1, 2].map(() => new Float32Array(decisions.count));
  mask.explainer.score(decisions, scores, spread);
  plantedCriticality().score(decisions, truth, spread);
  const loss = truth.reduce((sum, value) => sum + value, 0) / truth.length;
  const figures = [loss, auroc(scores, truth), spearman(scores, truth)].map((value) => value.toFixed(3));
  console.log(perturbations[agent].name.padEnd(14), figures.map((figure) => figure.padStart(8)).join(" "));
}
