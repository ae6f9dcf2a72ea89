import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Coordinates, Study, Subject } from "../../study.ts";
import { plantedSubject } from "../../test-subject.ts";

/** The planted world with so little of everything that a test can do it all. */
export async function smallSubject(seed: number): Promise<Subject> {
  const subject = await plantedSubject(seed, mkdtempSync(join(tmpdir(), "magic-mask-")));
  const { config } = subject.frozen;
  const small = {
    ...config,
    training: { ...config.training, copies: 8, shards: 2, rolloutTicks: 12 },
    posthoc: { ...config.posthoc, probability: 0.2, epochs: 4 },
    evaluation: { ...config.evaluation, episodes: 10, dropEpisodes: 20, paperSeeds: 2 },
  };
  return { ...subject, frozen: { ...subject.frozen, config: small } };
}

/** What comes of trials. */
export async function figuresOf<F>(study: Study<F>, trials: readonly Coordinates[], subject: Subject) {
  const found: { readonly steps: number; readonly figures: F }[] = [];
  for await (const { steps, figures } of study.run(trials, subject)) found.push({ steps, figures });
  return found;
}
