import { boxSize, type Environment, isOver, type MakeEnvironment, slotWidth, stream } from "@magic-mask/core";
import { aec, connectFour, environments, fromAec, simpleSpread } from "@magic-mask/environments";
import { type Child, startPython } from "../measure/child.ts";
import { type Contender, cpuMilliseconds, leastInTurns } from "../measure/in-turns.ts";
import { digits, markdownTable, times } from "../measure/table.ts";
import type { Part } from "../part.ts";

const WORLDS: Readonly<Record<string, MakeEnvironment>> = {
  ...environments,
  "connect_four_v0 (threats)": () => connectFour({ observation: "threats" }),
  "simple_spread_v0 (continuous actions)": () => simpleSpread({ continuousActions: true }),
  "simple_spread_v0 (the nearest two)": () => simpleSpread({ numAgentNeighbors: 2, numLandmarkNeighbors: 2 }),
  "connect_four_v0 (through aec and back)": fromAec(() => aec(connectFour())),
};

const ROUNDS = 5;
/** CPU milliseconds of a turn. */
const TURN = 300;
/** Steps that a call takes at least: here, and of a Python original. */
const STEPS = 1000;
const ORIGINAL_STEPS = 5;

/**
 * Steps per second of every environment: random legal actions, and what each acting agent sees and may do written out at every step.
 * Beside them the Python originals that can be had, which take turns with ours.
 */
export const environmentsPart: Part = {
  help: "steps per second of every environment, observations included, beside the Python originals",
  async run({ effort, progress }) {
    const python = await startPython("environments.py", {});
    const originals = typeof python === "string" ? [] : (python.hello.worlds as string[]);
    const leftOut = typeof python === "string" ? python : Object.entries(python.hello.left_out as object);
    for (const each of [leftOut].flat()) process.stderr.write(`left out: ${each}\n`);
    const contenders = Object.entries(WORLDS).map(([name, make]) => player(name, make()));
    if (typeof python !== "string") contenders.push(...originals.map((world) => original(world, python)));
    const rounds = Math.max(1, Math.round(ROUNDS * effort));
    const status = progress(contenders.length * (rounds + 1));
    let turns = 0;
    const onTurn = () => status.update(++turns);
    try {
      const least = await leastInTurns(contenders, { rounds, turn: TURN * Math.sqrt(effort), onTurn });
      const rates = new Map(contenders.map(({ name }, k) => [name, 1000 / least[k]]));
      const results = Object.keys(WORLDS).map((environment) => {
        const stepsPerSecond = STEPS * (rates.get(environment) ?? Number.NaN);
        const python = rates.get(originalOf(environment));
        return { environment, stepsPerSecond, ...(python && { original: ORIGINAL_STEPS * python }) };
      });
      return { results: { worlds: results, leftOut }, text: describe(results) };
    } finally {
      if (typeof python !== "string") python.close();
    }
  },
};

interface Result {
  readonly environment: string;
  readonly stepsPerSecond: number;
  /** Steps per second of the Python original. */
  readonly original?: number;
}

function describe(results: readonly Result[]): string {
  const rows = results.map(({ environment, stepsPerSecond, original }) => [
    environment,
    digits(stepsPerSecond),
    original ? digits(original) : "–",
    original ? times(stepsPerSecond / original) : "–",
  ]);
  const table = markdownTable(["environment", "steps/s", "Python original, steps/s", "ratio"], rows);
  return `Random legal actions, and what each acting agent sees written out at every step; per CPU second. A step is one move in a game of turns, else one decision of all agents (Pong's with two players: one frame). Originals: PettingZoo, Gymnasium, RLCard, highway-env, mpe2.\n\n${table}`;
}

const originalOf = (world: string) => `${world}, original`;

/** A contender whose call is \`ORIGINAL_STEPS\` steps of a Python original. */
const original = (world: string, python: Child): Contender => ({
  name: originalOf(world),
  async time(count) {
    const { cpuMs } = await python.ask<{ cpuMs: number }>({ world, steps: count * ORIGINAL_STEPS });
    return cpuMs;
  },
});

/** A contender whose call is `STEPS` steps. */
function player(name: string, environment: Environment): Contender {
  const N = environment.agents.length;
  const W = slotWidth(environment);
  const observation = new Float32Array(Math.max(...environment.observationSpaces.map(boxSize)));
  const mask = new Uint8Array(64);
  const features = new Float32Array(
    Math.max(
      ...environment.actionSpaces.map((space) => (space.kind === "candidates" ? space.max * space.features : 0)),
    ),
  );
  const actions = new Float32Array(N * W);
  const random = stream("bench");
  let episode = 0;
  environment.reset(episode);
  return {
    name,
    async time(count) {
      const start = cpuMilliseconds();
      for (let steps = 0; steps < count * STEPS; steps++) {
        if (isOver(environment)) environment.reset(++episode);
        for (let agent = 0; agent < N; agent++) {
          if (!environment.acting[agent]) continue;
          environment.observe(agent, observation, 0);
          const space = environment.actionSpaces[agent];
          if (space.kind === "candidates") {
            actions[agent * W] = random.below(environment.candidates?.(agent, features, 0) ?? 0);
            continue;
          }
          if (space.kind === "box") {
            // All boxes here have one bound for all entries.
            for (let k = 0; k < W; k++) {
              actions[agent * W + k] = Number(space.low) + (Number(space.high) - Number(space.low)) * random.uniform();
            }
            continue;
          }
          let left = random.below(environment.legal(agent, mask, 0));
          let action = 0;
          while (mask[action] === 0 || left-- > 0) action++;
          actions[agent * W] = action;
        }
        environment.step(actions);
      }
      return cpuMilliseconds() - start;
    },
  };
}
