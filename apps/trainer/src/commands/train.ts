import type { Command } from "commander";
import type { TrainingOutcome } from "../training-run.ts";
import { type TrainFlags, withTrainingFlags } from "./flags.ts";
import { addSlowHelp, examples } from "./help.ts";
import { print } from "./print.ts";

const EXAMPLES = [
  "magic-mask train --env-id tictactoe_v0 --total-timesteps 200000 training.entropyCoefficient=0.05",
  "MAGIC_MASK_PYTHON=venv/bin/python magic-mask train --env-id pettingzoo \\",
  "  environment.options.module=pettingzoo.classic.connect_four_v3 environment.options.zeroSum=true",
  "magic-mask train --env-id pettingzoo environment.options='{module: CartPole-v1, kind: gymnasium}'",
];

export async function addTrain(program: Command): Promise<void> {
  const command = withTrainingFlags(program.command("train"))
    .description("train policies, masks and sharing together, then explain the final policies post hoc")
    .action(async (overrides: string[], flags: TrainFlags) => {
      const { askedRun } = await import("./asked-run.ts");
      const { runTraining } = await import("../training-run.ts");
      const outcome = await runTraining(askedRun(overrides, flags));
      print(flags, outcome, () => describeOutcome(outcome));
    });
  await addSlowHelp(command, async () => `${examples(EXAMPLES)}\n${await configKeys()}`);
}

export function describeOutcome({ path, record }: TrainingOutcome): string {
  const what =
    record.state === "interrupted"
      ? `interrupted at step ${record.steps}; continue with: magic-mask train --resume ${path}`
      : `finished, trajectory hash ${record.trajectoryHash}`;
  return `${what}\nrun folder: ${path}`;
}

async function configKeys(): Promise<string> {
  const { describeConfig } = await import("../config.ts");
  const { presets } = await import("../presets.ts");
  const rows = describeConfig().map(
    ({ key, default: value, help }) => `  ${key.padEnd(32)} ${JSON.stringify(value).padEnd(20)} ${help}`,
  );
  const known = Object.entries(presets).map(([id, preset]) => `  ${id.padEnd(32)} ${JSON.stringify(preset)}`);
  const layers = "Presets of worlds, above the defaults and below file, flags and overrides:";
  return ["Configuration keys, defaults and meaning:", ...rows, "", layers, ...known].join("\n");
}
