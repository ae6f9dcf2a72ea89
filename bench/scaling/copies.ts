import { rateOf, runInTurns } from "../job/runs.ts";
import { digits, percent } from "../measure/table.ts";
import type { Curve } from "./curve.ts";
import { fitCosts } from "./fit.ts";
import type { Effort } from "./part.ts";

const COPIES = [1, 2, 4, 16, 64, 256, 1024];
/** Parts that copies are split into by default; a tick of each is a tick of its own. */
const SHARDS = 8;
const copiesOfShard = (copies: number) => copies / Math.min(copies, SHARDS);
/** Steps of an iteration, the same for all, so that what is learned from is too. */
const STEPS = 8192;

/** Cost of a step of policy-only training on Connect 4, against how many copies are played side by side. */
export async function copiesCurve({ rounds, turn, onTurn }: Effort): Promise<Curve> {
  const overrides = COPIES.map((copies) => [
    String(copies),
    ["mask.enabled=false", `training.copies=${copies}`, `training.rolloutTicks=${STEPS / copies}`],
  ]);
  const runs = await runInTurns(Object.fromEntries(overrides), { rounds, turn: 6 * turn, onTurn });
  for (const { child } of runs) child.close();
  const costs = runs.map((run) => {
    const best = run.best();
    const whole = 1e6 / rateOf(best);
    return { collect: whole * best.shares.collect, update: whole * best.shares.update };
  });
  const series = (["collect", "update"] as const).map((name) => {
    const points = COPIES.map((copies, k) => [copies, costs[k][name]] as const);
    return {
      name,
      points,
      fit: fitCosts([() => 1, (copies) => 1 / copiesOfShard(copies), (copies) => copies], points),
    };
  });
  const [{ fit: collect }, { fit: update }] = series;
  const [perStep, perTick, perCopy] = collect.coefficients;
  const most = COPIES[COPIES.length - 1];
  const growth = (perCopy * most) / collect.at(most);
  const explanation = [
    `Collecting: ${digits(perStep)} + ${digits(perTick)}/c + ${digits(1000 * perCopy)}·C/1000 µs a step, at most ${percent(collect.error)} off.`,
    `The term in 1/c, c being the copies of one of up to ${SHARDS} shards, is what a tick of a shard costs once for all its copies, one call into the net's kernel above all: ${percent(perTick / collect.at(1))} of collecting at one copy, where a shard has one up to ${SHARDS} copies, and ${percent(perTick / copiesOfShard(most) / collect.at(most))} at ${most}.`,
    growth < 0.01
      ? "Beyond that, nothing that grows with C shows."
      : `The term in C, ${percent(growth)} of collecting at ${most} copies, has two causes. Iterations of as many steps are shorter with more copies, and each begins by carrying over the decisions that are still open, two a copy: ${percent((2 * most) / STEPS)} of all rows at ${most}. And a tick goes through all copies' observations, 0.7 KiB each, again and again (written out, read by the net, recorded), which at ${most} copies no longer fit the core's own caches.`,
    `Learning sees the same ${STEPS.toLocaleString("en-US")} steps an iteration whatever the copies: ${digits(update.at(16))} µs a step at 16 copies, ${digits(update.at(most))} at ${most}.`,
  ].join(" ");
  return {
    name: "copies",
    title: "Policy-only training on Connect 4, as many steps per iteration",
    x: "copies",
    y: "CPU µs per environment step",
    logX: true,
    logY: false,
    series,
    explanation,
  };
}
