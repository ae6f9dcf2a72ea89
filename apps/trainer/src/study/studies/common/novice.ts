import { type PolicySource, trainedPolicy } from "../../../compare/plan.ts";
import { type Config, parseConfig } from "../../../config.ts";

/** The policy of this configuration after a tenth of its training, by a schedule of its own. */
export function novicePolicy(config: Config): PolicySource {
  const totalSteps = Math.ceil(config.training.totalSteps / 10);
  return trainedPolicy(parseConfig({ ...config, training: { ...config.training, totalSteps } }), config.backend);
}
