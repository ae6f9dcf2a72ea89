import type { Command } from "commander";
import { print } from "./print.ts";
import { type RedisFlags, serverOf, withRedisFlags } from "./redis.ts";

interface AgentFlags extends RedisFlags {
  readonly keys?: string;
  readonly run: string;
  readonly agent: string;
  readonly policy: string;
  readonly truth?: boolean;
  readonly json?: boolean;
}

const NOTES = `
Examples, a process each, on any hosts that reach the server and have a copy of the run folder:
  magic-mask agent --redis redis://10.0.0.5 --run demo --agent 0 --policy runs/pong_walls_v0__magic-mask__s1__20260101T000000Z-abc123
  magic-mask agent --redis rediss://10.0.0.5 --tls-ca ca.pem --run demo --agent 1 --policy runs/... --keys keys --truth

Nobody waits for anybody, and Redis may come and go. Stop it with Ctrl-C, or kill it, and give the same command again: it goes on.
What it learns lies in the run folder under agents/<run>/<agent>. Secrets are better given by environment variables, which other
users of the machine cannot read: MAGIC_MASK_REDIS, MAGIC_MASK_REDIS_USERNAME, MAGIC_MASK_REDIS_PASSWORD.

With --keys nobody can speak in another's name. Each agent makes its own key, and gives the others the public half:
  openssl genpkey -algorithm ed25519 -out keys/keeper_1.key
  openssl pkey -in keys/keeper_1.key -pubout -out keys/keeper_1.pem`;

export function addAgent(program: Command): void {
  withRedisFlags(
    program
      .command("agent")
      .description(
        "explain one agent of a trained team in a process of its own, which shares with its peers over Redis",
      )
      .argument("[key=value...]", "configuration overrides such as posthoc.steps=100000")
      .requiredOption("--policy <run>", "finished run folder whose policies play")
      .requiredOption("--agent <i>", "which agent: its number, from 0, or its name")
      .requiredOption("--run <id>", "name of the common run, the same for all agents"),
  )
    .option("--keys <folder>", "sign messages with <agent>.key, and check those of each peer with its <name>.pem")
    .option("--truth", "hold the scores against ground truth, on development states")
    .option("--json", "print one JSON object")
    .addHelpText("after", NOTES)
    .action(async (overrides: string[], flags: AgentFlags) => {
      const { policy, agent, run, keys, truth } = flags;
      const server = serverOf(flags);
      const { runAgent } = await import("../agent.ts");
      const { formatAgent } = await import("../terminal/report.ts");
      const outcome = await runAgent({ policy, agent, run, server, keys, overrides, truth });
      const { folder, result, exitCode } = outcome;
      print(flags, outcome, () =>
        result
          ? `${formatAgent(result)}\n\nfolder: ${folder}`
          : `stopped (${exitCode}); the same command goes on from ${folder}`,
      );
    });
}
