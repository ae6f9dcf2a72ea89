import { rateOf, runInTurns } from "../job/runs.ts";
import type { Trained } from "../job/served.ts";
import { startPython } from "../measure/child.ts";
import { digits, markdownTable, times } from "../measure/table.ts";
import type { Part } from "../part.ts";
import { PUBLISHED } from "./published.ts";

const ROUNDS = 4;
/** CPU milliseconds of a turn. */
const TURN = 2500;

const ROLLOUT = 128;
const EPOCHS = 4;
const MINIBATCHES = 4;
/** CleanRL's settings, which the others share. */
const SETTINGS = [
  "mask.enabled=false",
  "training.hidden=[64, 64]",
  "training.activation=tanh",
  `training.rolloutTicks=${ROLLOUT}`,
  `training.epochs=${EPOCHS}`,
  "training.discount=0.99",
  "training.trace=0.95",
  "training.clip=0.2",
  "training.entropyCoefficient=0.01",
  "training.valueCoefficient=0.5",
  "training.maxGradNorm=0.5",
  "training.learningRate={start: 2.5e-4, end: 0}",
];
const CONNECT_FOUR = ["environment.id=connect_four_v0", "environment.options={observation: planes}"];
const CART_POLE = ["environment.id=cartpole_v1"];

const settingsOf = (world: readonly string[], copies: number, separate: boolean) => [
  ...SETTINGS,
  ...world,
  `training.copies=${copies}`,
  `training.minibatch=${(copies * ROLLOUT) / MINIBATCHES}`,
  `training.separateCritic=${separate}`,
];

const WORKS = [
  { work: "Connect 4 self-play", world: CONNECT_FOUR, copies: [16, 64] },
  { work: "CartPole", world: CART_POLE, copies: [4, 64] },
].flatMap(({ work, world, copies }) =>
  copies.flatMap((count) =>
    [true, false].map((separate) => ({
      work: `${work}, ${count} copies`,
      nets: separate ? "separate" : "one trunk",
      overrides: settingsOf(world, count, separate),
    })),
  ),
);
const RIVAL = "CartPole, 64 copies";

/** PPO alone at the settings that others publish their speed for. */
export const peersPart: Part = {
  help: "PPO alone at the peers' settings, Connect 4 and CartPole, beside Stable-Baselines3 and published figures",
  async run({ effort, progress }) {
    const rounds = Math.max(1, Math.round(ROUNDS * effort));
    const turn = TURN * Math.sqrt(effort);
    const rival = await startPython("sb3_cartpole.py", {
      copies: 64,
      rollout: ROLLOUT,
      epochs: EPOCHS,
      minibatches: MINIBATCHES,
    });
    if (typeof rival === "string") process.stderr.write(`left out: ${rival}\n`);
    const status = progress((WORKS.length + (typeof rival === "string" ? 0 : 1)) * (rounds + 1));
    let turns = 0;
    const onTurn = (name: string) => status.update(++turns, { work: name });
    let rivalRate = Number.NaN;
    const rivalsTurn = async (keep: boolean) => {
      if (typeof rival === "string") return;
      const { steps, cpuMs } = await rival.ask<Pick<Trained, "steps" | "cpuMs">>({ train: turn });
      if (keep) rivalRate = Math.max(rivalRate || 0, (1000 * steps) / cpuMs);
      onTurn("Stable-Baselines3");
    };
    try {
      await rivalsTurn(false);
      const overrides = Object.fromEntries(WORKS.map(({ work, nets, overrides }) => [`${work}, ${nets}`, overrides]));
      const runs = await runInTurns(overrides, { rounds, turn, onTurn, guest: () => rivalsTurn(true) });
      for (const { child } of runs) child.close();
      const ours = WORKS.map(({ work, nets }, k) => ({ work, nets, stepsPerSecond: rateOf(runs[k].best()) }));
      const sb3 =
        typeof rival === "string"
          ? { skipped: rival }
          : { work: RIVAL, stepsPerSecond: rivalRate, versions: rival.hello };
      const published = PUBLISHED.map(([work, peer, stepsPerSecond]) => ({ work, peer, stepsPerSecond }));
      return { results: { ours, sb3, published }, text: describe(ours, rivalRate, rival) };
    } finally {
      if (typeof rival !== "string") rival.close();
    }
  },
};

/** Who is ahead, work by work, with separate nets; JAX's figures are from another day. */
function besideJax(ours: readonly { work: string; nets: string; stepsPerSecond: number }[]): string {
  return PUBLISHED.filter(([, peer]) => peer.includes("JAX") || peer.includes("Jax"))
    .map(([work, peer, theirs]) => {
      const rate = ours.find((row) => row.work === work && row.nets === "separate")?.stepsPerSecond ?? Number.NaN;
      const [name] = peer.split(",");
      return `${work}: ${rate > theirs ? "here" : name} is ahead, ${digits(Math.max(rate, theirs))} to ${digits(Math.min(rate, theirs))}.`;
    })
    .join(" ");
}

function describe(
  ours: readonly { work: string; nets: string; stepsPerSecond: number }[],
  sb3: number,
  rival: unknown,
): string {
  const rows = ours.map(({ work, nets, stepsPerSecond }) => [
    work,
    nets,
    digits(stepsPerSecond),
    work === RIVAL && sb3 > 0 ? times(stepsPerSecond / sb3) : "–",
  ]);
  const measured = markdownTable(["work", "64-64 tanh actor and critic", "steps/s", "beside SB3"], rows);
  const published = PUBLISHED.map(([work, peer, rate]) => [work, peer, digits(rate)]);
  return [
    `Environment steps per CPU second, ${EPOCHS} epochs × ${MINIBATCHES} minibatches, ${ROLLOUT} steps a copy, one process without further threads.`,
    measured,
    typeof rival === "string"
      ? `Stable-Baselines3 left out: ${rival}`
      : `Stable-Baselines3, ${RIVAL}, separate nets, one torch thread, in the same run: ${digits(sb3)} steps/s.`,
    "Taken beforehand on one core of a 2-core machine, separate nets; not measured in this run:",
    markdownTable(["work", "peer", "steps/s"], published),
    `JAX's compiled loops, their 7 to 10 s of compiling apart, are the ones to beat. ${besideJax(ours)}`,
  ].join("\n\n");
}
