import { MagicMaskError } from "@magic-mask/core";

/** Most agents that learn; more are several teams of as many. */
const LEARNING = 16;
/** @throws invalid-option unless it is a world with a number of agents that there can be */
export function partsOf(environment: string) {
  const [world, count] = environment.split("@");
  const agents = Number(count);
  const learning = Math.min(agents, LEARNING);
  if (Number.isInteger(agents) && agents >= 2 && agents % learning === 0) return { world, agents, learning };
  const wanted = `a world and 2 to ${LEARNING} agents, or a multiple of ${LEARNING}, such as pong_walls_v0@8`;
  throw new MagicMaskError(
    "invalid-option",
    "trainer/study-scale",
    `environment must be ${wanted}, got "${environment}"`,
  );
}
