/** What is telling worth? One row per sharing mode: how well agents rank their own decisions by records, and each other's. */
import { parseArgs } from "node:util";
import * as comm from "@magic-mask/comm";
import { byName, checkCount, completeRows, type Explainer, stream, vectorize } from "@magic-mask/core";
import { planted, plantedCriticality, plantedOptimal } from "@magic-mask/environments";
import { createCritic, selectDecisions, uniform } from "@magic-mask/masking";
import { auroc, interAgentFidelity } from "@magic-mask/metrics";
import { backends } from "@magic-mask/networks";
import { createCollector } from "@magic-mask/ppo";

const flags = { help: { type: "boolean" }, json: { type: "boolean" }, seed: { type: "string", default: "1" } } as const;
const { values: given, positionals: asked } = parseArgs({ options: flags, allowPositionals: true });
if (given.help) {
  console.log("Usage: npm start -- [--json] [--seed=1] [mode …]\nExample: npm start -- none perturbed");
  process.exit();
}

// Four agents in one world, each with few decisions of its own: a quarter are locks, which matter, and as many only look like it.
const options = { agents: 4, ticks: 12, keys: 2 };
const [seed, discount, COPIES, TICKS, STEPS] = [checkCount("ablate", "seed", Number(given.seed), 0), 0.5, 8, 48, 1500];
const make = () => planted(options);
const [spec, policy] = [make(), plantedOptimal(options)];
const everyone = spec.agents.map((_, agent) => agent);
const createLearner = await backends.fused.load();
function collect(root: number, ticks: number, probability: number) {
  const about = { players: everyone.map(() => 0), perturbations: spec.actionSpaces.map(uniform), seed: root };
  const collector = createCollector({ vector: vectorize(make, COPIES), policies: [policy], ...about });
  return collector.collect(ticks, { kind: "coin", probability }).rollouts[0];
}
const heldOut = collect(99, 96, 0);
const decisions = everyone.map((agent) => selectDecisions(heldOut, completeRows(heldOut, agent), agent));
function scored(explainer: Pick<Explainer, "score">, j: number) {
  const [scores, spread] = [0, 1].map(() => new Float32Array(decisions[j].count));
  explainer.score(decisions[j], scores, spread);
  return scores;
}
const truths = everyone.map((agent) => scored(plantedCriticality(options), agent));
const top = truths[0].filter((delta) => delta > 0).length / truths[0].length;
// Modes whose records differ; `model` and `features` need other parts as well.
const { model: _, features: __, ...modes } = comm.modes;
// What all modes share: play in which a coin blinds somebody, and what critics make of it.
const seen = collect(1, TICKS, 0.5);
const critics = everyone.map((agent) => createCritic({ spec, agent, createLearner, seed, discount }));
for (const critic of critics) await critic.fit(seen, { epochs: 20, learningRate: { start: 0.01, end: 0.001 } });
const values: comm.ValueFunction = (who, observations, count, out) => critics[who].values(observations, count, out);
const signature = comm.createSignature(spec, { seed });
const writer = comm.createRecordWriter({ spec, signature, copies: COPIES });
const record = comm.emptyRecord(signature.length);
const rows: { mode: string; received: number; own: number; fidelity: number }[] = [];
for (const name of asked.length > 0 ? asked : Object.keys(modes)) {
  const mode = byName("ablate-communication", "mode", modes, name);
  const buffers = everyone.map(() => comm.createRecordBuffer({ signatureLength: signature.length }));
  const sharing = comm.createSharing({ spec, mode, channel: comm.ideal({ agents: 4 }), buffers, limit: COPIES });
  // No mask has learned: |advantage| stands for how critical a record is.
  for (const { rows: judged, values: v, advantages: a } of critics.map((critic) => critic.judge(seen)))
    for (const row of judged) {
      writer.write(seen, row, v[row], a[row], Math.min(1, Math.abs(a[row])), 0, record);
      sharing.queue(record, record.step);
    }
  sharing.tick(TICKS + 50);
  const heads: comm.RecordHead[] = [];
  for (const [agent, buffer] of buffers.entries()) {
    const random = stream(seed, "head", agent);
    heads.push(comm.createRecordHead({ spec, agent, buffer, signature, values, createLearner, random }));
    await heads[agent].fit({ now: TICKS + 50, steps: STEPS, random: stream(seed, "order", agent) });
  }
  const scores = heads.map((head) => everyone.map((j) => scored(head, j)));
  const own = everyone.reduce((sum, i) => sum + auroc(scores[i][i], truths[i], { top }), 0) / everyone.length;
  const received = sharing.counters.received.reduce((sum, count) => sum + count, 0) / everyone.length;
  rows.push({
    mode: name,
    received,
    own,
    fidelity: interAgentFidelity({ scores, truths, roles: spec.roles, top }).mean,
  });
}
if (given.json) console.log(JSON.stringify(rows));
else console.table(rows);
