import { completeRows, type Explainer, vectorize } from "@magic-mask/core";
import { planted, plantedCriticality, plantedOptimal } from "@magic-mask/environments";
import { selectDecisions } from "@magic-mask/masking";
import { auroc } from "@magic-mask/metrics";
import { createCollector } from "@magic-mask/ppo";
import { assembleTeam, assembleWorld, policyWork } from "./assemble.ts";
import { loadBackend } from "./backend.ts";
import { resolveConfig } from "./config.ts";
import { assemblePostHoc, explainPostHoc } from "./posthoc.ts";

/**
 * A planted world that can be learned in seconds: one agent, two keys, and of its twelve decisions three are locks, which matter, three
 * are decoys, where the policy is as sure of itself and nothing matters, and at six it does whatever it likes.
 */
const OPTIONS = { agents: 1, ticks: 12, keys: 2 };
const POLICY = plantedOptimal(OPTIONS);

/** What it takes to learn it, by who decides the blinding: a coin, or the masks, which learn from their own decisions alone. */
export const TO_LEARN = {
  coin: ["posthoc.steps=10000", "posthoc.epochs=20"],
  mask: ["posthoc.steps=30000", "posthoc.epochs=8"],
} as const;

/**
 * Explains the best policy of the planted world post hoc by one objective, from play alone.
 *
 * @returns what explains, and `areaOf`: how well an explainer tells locks from all other decisions of episodes that nobody has
 *   seen, as AUROC
 */
export async function explainPlanted(objective: string, ...overrides: string[]) {
  const config = resolveConfig({
    overrides: [
      "environment.id=planted_v0",
      `environment.options=${JSON.stringify(OPTIONS)}`,
      "backend=fused",
      "workers=0",
      `mask.objective=${objective}`,
      "sharing.mode=none",
      "training.copies=64",
      "training.rolloutTicks=64",
      // What follows a decision has nothing to do with it: a short horizon.
      "training.discount=0.5",
      "posthoc.probability=0.5",
      "posthoc.learningRate.start=0.01",
      "posthoc.headSteps=1",
      "evaluation.paperSeeds=2",
      ...overrides,
    ],
  });
  const world = assembleWorld(config);
  const backend = await loadBackend(config, policyWork(config, world));
  const learned = assembleTeam(config, world, backend.create);
  const team = { ...learned, learners: learned.learners.map((learner) => ({ ...learner, policy: POLICY })) };
  const postHoc = assemblePostHoc(config, world, backend.create);
  const state = await explainPostHoc(config, world, team, postHoc, backend);

  const { perturbations, spec } = world;
  const heldOut = createCollector({
    vector: vectorize(() => planted(OPTIONS), 64),
    policies: [POLICY],
    players: team.players,
    perturbations,
    seed: 99,
  }).collect(24, { kind: "coin", probability: 0 }).rollouts[0];
  const decisions = selectDecisions(heldOut, completeRows(heldOut, 0), 0);
  const [scores, truth, spread] = [0, 1, 2].map(() => new Float32Array(decisions.count));
  plantedCriticality(OPTIONS).score(decisions, truth, spread);
  const top = truth.filter((delta) => delta > 0).length / truth.length;
  const areaOf = (explainer: Explainer) => {
    explainer.score(decisions, scores, spread);
    return auroc(scores, truth, { top });
  };
  const [{ explainer }] = postHoc.explanation.masks;
  return { spec, postHoc, state, policy: POLICY, explainer, areaOf };
}
