import { tmpdir } from "node:os";
import { plantedCriticality, plantedOptimal } from "@magic-mask/environments";
import { collectStates } from "@magic-mask/metrics";
import { planSubjects, trainedPolicy } from "../compare/plan.ts";
import { assemble, type FrozenTeam } from "../compare/policies.ts";
import { resolveConfig } from "../config.ts";
import { createSignals } from "../work/signals.ts";
import type { Subject } from "./study.ts";

const OPTIONS = { agents: 3, ticks: 12, keys: 2 };
/**
 * Three agents that play the planted world as well as can be, and what is at stake there, which is known.
 *
 * @param cache of studies that keep results of their own
 */
export async function plantedSubject(seed: number, cache = tmpdir()): Promise<Subject> {
  const config = resolveConfig({
    overrides: [
      "environment.id=planted_v0",
      `environment.options=${JSON.stringify(OPTIONS)}`,
      "backend=fused",
      "workers=0",
      `seed=${seed}`,
      "training.discount=0.5",
      "posthoc.probability=0.5",
      "posthoc.learningRate.start=0.01",
      "posthoc.epochs=60",
      "sharing.every=10",
    ],
  });
  const policy = plantedOptimal(OPTIONS);
  const { world, team, backend } = await assemble(config);
  const policies = world.spec.agents.map(() => policy);
  const frozen: FrozenTeam = {
    config,
    world,
    team: { ...team, learners: team.learners.map((learner) => ({ ...learner, policy })) },
    policies,
    create: backend.create,
  };
  const truths = world.spec.agents.map((_, agent) => {
    const [states] = collectStates({
      make: world.make,
      policies,
      perturbation: world.perturbations[agent],
      agents: [agent],
      count: 200,
      seed: 7,
    });
    const criticality = new Float32Array(states.count);
    plantedCriticality(OPTIONS).score(states.decisions, criticality, new Float32Array(states.count));
    // Only the ranks of it are read.
    return { states, truth: { criticality: Float64Array.from(criticality) } as never, seconds: 0 };
  });
  const source = trainedPolicy(config, "fused");
  const subjects = planSubjects({
    config,
    policies: [source, trainedPolicy({ ...config, seed: seed + 1000 }, "fused")],
    states: "dev",
    backend: "fused",
  });
  return { frozen, truths, place: { subjects, policy: 0, cache, signals: createSignals() } };
}
