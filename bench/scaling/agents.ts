import { rateOf, runInTurns } from "../job/runs.ts";
import { digits, percent, times } from "../measure/table.ts";
import type { Curve } from "./curve.ts";
import { fitCosts } from "./fit.ts";
import type { Effort } from "./part.ts";

const AGENTS = [2, 3, 4, 6, 8, 12, 16];
const PARTS = ["collect", "update", "mask", "comm"] as const;

/** The defaults, whatever the world's preset: figures stay comparable when that changes. */
const JOB = ["training.copies=64", "training.rolloutTicks=32", "training.minibatch=512", "training.epochs=2"];

/** Cost of an environment step, in which every agent acts, of the whole job on the planted world. */
export async function agentsCurve({ rounds, turn, onTurn }: Effort): Promise<Curve> {
  const overrides = AGENTS.map((agents) => [
    String(agents),
    ["environment.id=planted_v0", `environment.options={agents: ${agents}}`, ...JOB],
  ]);
  const runs = await runInTurns(Object.fromEntries(overrides), { rounds, turn: 6 * turn, onTurn });
  for (const { child } of runs) child.close();
  /** Microseconds of a step, [agents] by part. */
  const best = runs.map((run) => run.best());
  const costs = best.map((trained) => {
    const whole = 1e6 / rateOf(trained);
    return { total: whole, ...Object.fromEntries(PARTS.map((part) => [part, whole * trained.shares[part]])) } as Record<
      (typeof PARTS)[number] | "total",
      number
    >;
  });
  const series = (["total", ...PARTS] as const).map((name) => {
    const points = AGENTS.map((agents, k) => [agents, costs[k][name]] as const);
    return { name, points, fit: fitCosts([() => 1, (n) => n, (n) => n * n], points) };
  });
  const [first, last] = [costs[0], costs[costs.length - 1]];
  const growth = last.total / first.total;
  const [fixed, linear, square] = series[0].fit.coefficients;
  const most = AGENTS[AGENTS.length - 1];
  const shareOf = (part: (typeof PARTS)[number], cost: typeof first) => `${part} ${percent(cost[part] / cost.total)}`;
  const pair = percent((square * most * most) / last.total);
  const [heardFirst, heardLast] = [best[0], best[best.length - 1]].map(({ received, steps }) => received / steps);
  const explanation = [
    `From 2 to ${most} agents (${times(most / 2)}) a step costs ${times(growth)}: ${digits(first.total)} → ${digits(last.total)} µs.`,
    `Fit: ${digits(fixed)} + ${digits(linear)}·N + ${digits(square)}·N² µs, at most ${percent(series[0].fit.error)} off.`,
    "All agents act in each step, so every agent adds one decision to infer, record and learn from, and a critic, a mask and a record head of its own: the term in N.",
    `Pairs of agents could make it grow with N², for a record goes to N − 1 peers, each of which keeps it. But only decisions that were blinded are shared, and at most one agent is blinded per tick, so the records sent do not grow with N and deliveries grow with N − 1: ${digits(heardFirst)} a step at 2 agents, ${digits(heardLast)} at ${most}. The term in N² is ${pair} of the cost at ${most} agents.`,
    `Shares at 2 agents: ${PARTS.map((part) => shareOf(part, first)).join(", ")}; at ${most}: ${PARTS.map((part) => shareOf(part, last)).join(", ")}.`,
  ].join(" ");
  return {
    name: "agents",
    title: "The whole job: planted world, policies, masks and sharing",
    x: "agents",
    y: "CPU µs per environment step",
    logX: false,
    logY: false,
    series,
    explanation,
  };
}
