import { boxSize, type Environment, isOver, type MakeEnvironment, slotWidth, stream } from "@magic-mask/core";
import { aec, connectFour, environments, fromAec } from "@magic-mask/environments";

/**
 * Steps per second of every environment on one core: uniformly random legal actions, and what each acting agent sees
 * written out at every step, as a collector would. Run by
 *
 *   node --import tsx --conditions=@magic-mask/source bench/environments.ts [--json] [--seconds 1]
 */
const worlds: Readonly<Record<string, MakeEnvironment>> = {
  ...environments,
  "connect_four_v0 (threats)": () => connectFour({ observation: "threats" }),
  "connect_four_v0 (through aec and back)": fromAec(() => aec(connectFour())),
};

const json = process.argv.includes("--json");
const at = process.argv.indexOf("--seconds");
const seconds = at < 0 ? 1 : Number(process.argv[at + 1]);
if (!(seconds > 0)) throw new Error(`--seconds must be a number above 0, got ${process.argv[at + 1]}`);

const results = Object.entries(worlds).map(([name, make]) => ({ name, ...measure(make()) }));
if (json) console.log(JSON.stringify(results));
else
  for (const { name, stepsPerSecond } of results)
    console.log(`${name.padEnd(40)} ${(stepsPerSecond / 1e6).toFixed(2)} M steps/s`);

function measure(environment: Environment): { steps: number; seconds: number; stepsPerSecond: number } {
  playFor(environment, seconds / 4, 0);
  const { steps, elapsed } = playFor(environment, seconds, 1);
  return { steps, seconds: elapsed, stepsPerSecond: steps / elapsed };
}

function playFor(environment: Environment, budget: number, seed: number): { steps: number; elapsed: number } {
  const N = environment.agents.length;
  const W = slotWidth(environment);
  const observation = new Float32Array(Math.max(...environment.observationSpaces.map(boxSize)));
  const mask = new Uint8Array(64);
  const actions = new Float32Array(N * W);
  const random = stream(seed, "bench");
  const start = performance.now();
  let steps = 0;
  for (let episode = 0; performance.now() - start < budget * 1000; episode++) {
    for (environment.reset(episode); !isOver(environment); steps++) {
      for (let agent = 0; agent < N; agent++) {
        if (!environment.acting[agent]) continue;
        environment.observe(agent, observation, 0);
        let left = random.below(environment.legal(agent, mask, 0));
        let action = 0;
        while (mask[action] === 0 || left-- > 0) action++;
        actions[agent * W] = action;
      }
      environment.step(actions);
    }
  }
  return { steps, elapsed: (performance.now() - start) / 1000 };
}
