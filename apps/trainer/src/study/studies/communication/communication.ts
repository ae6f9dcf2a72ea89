import { createFeatures, modes } from "@magic-mask/comm";
import { byName, isMagicMaskError } from "@magic-mask/core";
import type { FrozenTeam } from "../../../compare/policies.ts";
import type { Config } from "../../../config.ts";
import { playAlone, replaySettings, replayWork } from "../../replay.ts";
import type { Coordinates, Size, Study, Subject } from "../../study.ts";
import { sharingConfig } from "../common/settings.ts";
import { measureTelling, type SharingFigures } from "../common/sharing-figures.ts";
import { arms } from "./arms.ts";
import { reportOnCommunication } from "./report.ts";

/** What can be changed of it. */
export interface CommunicationOptions {
  readonly id?: string;
  readonly environments?: readonly string[];
  /** Names from `arms`, those that the others are held against among them. */
  readonly modes?: readonly string[];
}

/**
 * Does it help an agent to learn from what its peers tell it of their decisions, and when?
 *
 * Policies are fixed beforehand. A coin blinds at a constant rate; each agent's mask learns from its own decisions, alike in all
 * arms. What differs is whose records an agent's second head learns from: its own, which every arm has, and those that the mode lets
 * its peers send. Where states are told by their features instead of signatures, so they are in the arm that it is held against. Heads,
 * how many steps they take and their chance are the same in all arms. Criticality is that of mask and head, stacked with equal weights.
 */
export function communication(options: CommunicationOptions = {}): Study<SharingFigures> {
  const {
    id = "communication",
    environments = ["pong_walls_v0", "simple_spread_v0", "highway_fast_v0", "connect_four_v0"],
    modes: names = Object.keys(arms),
  } = options;
  return {
    id,
    question: "Does an agent explain itself and its peers better for what its peers tell it, and at which budgets?",
    claim:
      "sharing matters: without it inter-agent fidelity falls by 15 to 25 % (Tables 6 to 9 show .91 to .82 in Connect 4 and .92 to .84 in Pong, 9 to 10 %)",
    version: 2,
    axes: (size) => ({
      environment: size === "quick" ? environments.slice(0, 2) : environments,
      seed: size === "quick" ? [1, 2, 3] : [1, 2, 3, 4, 5],
      budget: BUDGETS[size],
      mode: names,
    }),
    arms: ["mode"],
    config: sharingConfig,
    settings: replaySettings,
    work: replayWork,
    pilots: (axes) => {
      const group = (budget: number): Coordinates[] =>
        axes.mode.map((mode) => ({ environment: axes.environment[0], seed: axes.seed[0], budget, mode }));
      return [group(1000), group(6000)];
    },
    run: runModes,
    report: reportOnCommunication,
  };
}

const SOURCE = "trainer/study-communication";
const BUDGETS: Readonly<Record<Size, readonly number[]>> = {
  quick: [3000, 10_000],
  default: [3000, 10_000, 30_000, 100_000, 300_000],
  paper: [3000, 10_000, 30_000, 100_000, 300_000, 1_000_000],
};

async function* runModes(trials: readonly Coordinates[], { frozen, truths }: Subject) {
  const replay = await playAlone(frozen, trials[0].budget as number, "communication");
  for (const { mode } of trials) {
    const { sends, vectors } = byName(SOURCE, "mode", arms, mode as string);
    const sharing = { ...replay.frozen.config.sharing, mode: vectors as Config["sharing"]["mode"] };
    yield isTellable(frozen, vectors)
      ? (await measureTelling(replay, { mode: sends, sharing }, truths)).measured
      : {
          steps: replay.coin.steps,
          figures: unknown(frozen),
          seconds: { shared: replay.seconds, learning: 0, judging: 0 },
        };
  }
}

/** Whether a record has room for what agents see. */
function isTellable({ world }: FrozenTeam, vectors: string): boolean {
  if (!modes[vectors].features) return true;
  try {
    createFeatures(world.spec);
    return true;
  } catch (error) {
    if (isMagicMaskError(error, "unsupported")) return false;
    throw error;
  }
}

const unknown = ({ world: { spec } }: FrozenTeam): SharingFigures => ({
  agents: spec.agents.map((agent) => ({ agent, own: null, head: null, stacked: null })),
  fidelity: { all: null, sameRole: null, crossRole: null },
  matrix: spec.agents.map(() => spec.agents.map(() => null)),
  bytes: 0,
  delivery: null,
  received: 0,
  age: { onArrival: null, atUse: null },
  redundancy: null,
});
