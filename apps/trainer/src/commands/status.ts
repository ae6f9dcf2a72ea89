import { MagicMaskError } from "@magic-mask/core";
import type { Command } from "commander";
import { SOURCE } from "./flags.ts";
import { print } from "./print.ts";
import { type RedisFlags, serverOf, withRedisFlags } from "./redis.ts";

type StatusFlags = RedisFlags & { readonly json?: boolean };

export function addStatus(program: Command): void {
  withRedisFlags(program.command("status [folder]"))
    .description(
      "how a study stands: progress, rate, time left, failures; with --redis all that are there, and their workers",
    )
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      "\nExamples:\n  magic-mask status studies/communication --json\n  magic-mask status --redis redis://10.0.0.5",
    )
    .action(async (folder: string | undefined, flags: StatusFlags) => {
      if (folder === undefined && flags.redis === undefined) {
        const message = "give the folder of a study's results, such as studies/main, or --redis for all that are there";
        throw new MagicMaskError("invalid-option", SOURCE, message);
      }
      if (folder === undefined) {
        const server = serverOf(flags);
        const { formatQueue, readQueue } = await import("../study/queue/standing.ts");
        const standing = await readQueue(server);
        print(flags, standing, () => formatQueue(standing));
        return;
      }
      const { isOnSlurm } = await import("../study/slurm/tasks-file.ts");
      if (isOnSlurm(folder)) {
        const { formatSlurm, readSlurm } = await import("../study/slurm/standing.ts");
        const standing = await readSlurm(folder);
        print(flags, standing, () => formatSlurm(standing));
        return;
      }
      const { formatStatus, readStatus } = await import("../study/status.ts");
      const status = readStatus(folder);
      print(flags, status, () => formatStatus(status));
    });
}
