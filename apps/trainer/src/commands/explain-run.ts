import { MagicMaskError } from "@magic-mask/core";
import { type Config, resolveConfig } from "../config.ts";
import { type ExplainOptions, explainEpisode } from "../explanation/explain-episode.ts";
import { subjectOf } from "../explanation/subject.ts";
import { ALL } from "../given.ts";
import { type LoadedRun, requireExplanation } from "../load-run.ts";
import { runTraining } from "../training-run.ts";
import { writeEpisode, writeExplanation } from "../write-results.ts";
import type { ExplainFlags } from "./explain.ts";
import { SOURCE, worldOf } from "./flags.ts";

/** Path of the run that is named, or of one that is made of policies trained elsewhere. @throws as `resolveConfig`; unsupported */
export async function runToExplain(
  first: string | undefined,
  rest: readonly string[],
  flags: ExplainFlags,
): Promise<string> {
  if (!flags.policy) {
    if (first !== undefined && rest.length === 0) return first;
    const message = "explain wants one run folder, or --policy with a model, --env-id and key=value";
    throw new MagicMaskError("invalid-option", SOURCE, message);
  }
  const config = resolveConfig({
    file: flags.config,
    flags: {
      ...worldOf(flags),
      training: { copies: flags.numEnvs },
      posthoc: { steps: flags.steps },
      policies: policiesOf(flags.policy),
    },
    overrides: first === undefined ? rest : [first, ...rest],
  });
  requireExplanation(config);
  return (await runTraining({ config, out: flags.runs })).path;
}

/** Each is `<file>` for all agents, or `<agent>=<file>` for one. */
function policiesOf(given: readonly string[]): Config["policies"] {
  const named = given.map((text) => {
    const [, agent = ALL, file] = /^(?:([\w-]+)=)?(.*)$/s.exec(text) ?? [];
    return [agent, { file }];
  });
  return Object.fromEntries(named);
}

/** Explains a game and keeps it. @returns the explanation, and where its page lies */
export async function explainRun(
  run: LoadedRun,
  path: string,
  flags: Omit<ExplainOptions, "command"> & { readonly out?: string },
) {
  const { game, moments, by, agent, rollouts, out = run.folder.resultsFolder("report") } = flags;
  const only = `${by === undefined ? "" : ` --by ${by}`}${agent === undefined ? "" : ` --agent ${agent}`}`;
  const command = `magic-mask explain ${path} --game ${game} --moments ${moments}${only} --rollouts ${rollouts}`;
  const { explanation, episode } = explainEpisode(subjectOf(run), { game, moments, by, agent, rollouts, command });
  await writeEpisode(run, episode, game);
  return { explanation, page: await writeExplanation(explanation, out) };
}
