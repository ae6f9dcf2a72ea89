/**
 * How much of what is at stake in a Doudizhu decision can be told from what the player sees? The cards that it does not see are dealt
 * anew between the other two, again and again, as many to each as before, and the decision's criticality is measured in every deal.
 * What these deals have in common is what an explainer that sees the observation alone could know at best (a dealing that heeds what
 * past moves tell of hands would leave a little more). Writes `results/hidden-cards/doudizhu_v0.json`.
 *
 *   npm run bench:hidden-cards -- runs/doudizhu/s1 runs/doudizhu/s2      # folders of trained runs, some minutes each
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { shuffle, stream } from "@magic-mask/core";
import { controls } from "@magic-mask/masking";
import { auroc, branchingTruth, collectStates, type States, spearman } from "@magic-mask/metrics";
import { loadPolicy, policyOfRun } from "../apps/trainer/src/compare/policies.ts";
import { mean } from "../apps/trainer/src/figures/means.ts";
import { scoresOf } from "../apps/trainer/src/figures/scores.ts";
import { gitCommit } from "../apps/trainer/src/host.ts";
import { createProgress } from "../apps/trainer/src/terminal/progress.ts";

/** Decisions of each agent, deals of each but for the true one, and rollouts per legal action of the true deal and of the others. */
const STATES = 200;
const DEALS = 8;
const ROLLOUTS = { true: 24, others: 8 };
/** Kinds of cards, and where a snapshot, in 16-bit words, has the hand of agent i: from 15 i on. */
const RANKS = 15;

const runs = process.argv.slice(2);
if (runs.length === 0) throw new Error("name the folders of trained Doudizhu runs");
const progress = createProgress({ label: "hidden cards", total: runs.length * 3 * (DEALS + 1), unit: "deals" });
let done = 0;

const policies = [];
for (const run of runs) {
  const source = await policyOfRun(run);
  const { config, world, policies: seats } = await loadPolicy(source, "");
  if (world.spec.id !== "doudizhu_v0") throw new Error(`${run} is of ${world.spec.id}, not of doudizhu_v0`);
  const seed = stream(config.seed, "hidden cards").bits();
  const agents = world.spec.agents.map((name, agent) => {
    const [states] = collectStates({
      make: world.make,
      policies: seats,
      perturbation: world.perturbations[agent],
      agents: [agent],
      count: STATES,
      seed,
    });
    const about = { make: world.make, policies: seats, discount: config.training.discount };
    const truths = Array.from({ length: DEALS + 1 }, (_, deal) => {
      progress.update(done++);
      return branchingTruth({
        ...about,
        states: deal === 0 ? states : dealtAnew(states, stream(seed, "deal", agent, deal)),
        rollouts: deal === 0 ? ROLLOUTS.true : ROLLOUTS.others,
        seed: stream(seed, "truth", agent, deal).bits(),
      });
    });
    const [{ criticality, standardError }, ...others] = truths;
    const common = Float32Array.from(criticality, (_, s) => mean(others.map((truth) => truth.criticality[s])));
    // Rollouts of different deals have no noise in common.
    const noise = mean(Array.from(standardError, (error) => error * error));
    const control = (explainer: string) =>
      scoresOf(controls[explainer].create({ spec: world.spec, agent, policy: seats[agent], seed }), states).scores;
    const figures = (scores: Float32Array) => ({
      auroc: auroc(scores, criticality),
      spearman: spearman(scores, criticality),
    });
    return {
      agent: name,
      /** Share of the variance of criticality, the rollouts' own noise apart, that all deals have in common. */
      seenShare:
        mean(others.map((truth) => covariance(criticality, truth.criticality))) /
        (covariance(criticality, criticality) - noise),
      /** Against the true deal: the mean over other deals, and controls. */
      common: figures(common),
      entropy: figures(control("entropy")),
      log_prob_gap: figures(control("log_prob_gap")),
    };
  });
  policies.push({ run: source.label, seed: config.seed, origin: source.origin, agents });
}
progress.done("hidden cards: dealt");

const out = fileURLToPath(new URL("../results/hidden-cards/", import.meta.url));
mkdirSync(out, { recursive: true });
const command = `npm run bench:hidden-cards -- ${runs.join(" ")}`;
const written = { command, commit: gitCommit(), states: STATES, deals: DEALS, rollouts: ROLLOUTS, policies };
writeFileSync(`${out}doudizhu_v0.json`, `${JSON.stringify(written, null, 2)}\n`);
console.log(JSON.stringify(written, null, 2));

/** The same decisions, but the cards of the other two are dealt between them anew. */
function dealtAnew(states: States, random: ReturnType<typeof stream>): States {
  const snapshots = states.snapshots.slice();
  const width = snapshots.length / states.count;
  const { agent } = states.decisions;
  const others = [0, 1, 2].filter((other) => other !== agent);
  for (let s = 0; s < states.count; s++) {
    const words = new Uint16Array(snapshots.slice(s * width, (s + 1) * width).buffer);
    const hands = others.map((other) => words.subarray(RANKS * other, RANKS * (other + 1)));
    const cards = Int32Array.from(
      hands.flatMap((hand) => Array.from(hand).flatMap((count, rank) => new Array<number>(count).fill(rank))),
    );
    const first = hands[0].reduce((sum, count) => sum + count, 0);
    shuffle(cards, random);
    for (const hand of hands) hand.fill(0);
    cards.forEach((rank, i) => {
      hands[i < first ? 0 : 1][rank]++;
    });
    snapshots.set(new Uint8Array(words.buffer), s * width);
  }
  return { ...states, snapshots };
}

function covariance(a: Float64Array, b: Float64Array): number {
  const [meanA, meanB] = [mean(Array.from(a)), mean(Array.from(b))];
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - meanA) * (b[i] - meanB);
  return sum / (a.length - 1);
}
