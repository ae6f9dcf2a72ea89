import { fileURLToPath } from "node:url";
import {
  checkCount,
  checkRange,
  type Environment,
  type EnvironmentSpec,
  MagicMaskError,
  type MakeEnvironment,
} from "@magic-mask/core";
import { createRemote, type RemoteVector, single } from "./remote.ts";

export interface PettingZooOptions {
  /**
   * What to play: a module with `env()` or `parallel_env()`, such as `pettingzoo.classic.connect_four_v3` or one of your own in
   * the working directory; for the kind `gymnasium` an id such as `CartPole-v1` or `ale_py:ALE/Pong-v5`, for `rlcard` one such as
   * `leduc-holdem`.
   */
  readonly module: string;
  /** Which of the shapes it has. */
  readonly kind?: "aec" | "parallel" | "gymnasium" | "rlcard";
  /** What its constructor is given, as JSON carries it. */
  readonly kwargs?: Readonly<Record<string, unknown>>;
  /** The interpreter that has the packages; by default `MAGIC_MASK_PYTHON`, else `python3`. */
  readonly python?: string;
  /**
   * Processes that many copies are spread over, ≥ 1, each with its share and one round trip per step. Per vector: a training run
   * has one for each of its `training.shards`, so with the default of 8 shards as many processes at least.
   */
  readonly processes?: number;
  /** Seconds that a process may take for an answer, its start and the building of each copy included, > 0. */
  readonly timeout?: number;
  /** Divides observations that are whole numbers from 0 to 255, images say, by 255. */
  readonly scale?: boolean;
  /** Id with a version; by default the environment's own name. */
  readonly id?: string;
  /** [N] as in `EnvironmentSpec`; by default no two agents are taken to be interchangeable. */
  readonly roles?: readonly string[];
  /** As in `EnvironmentSpec`. */
  readonly zeroSum?: boolean;
  /** As in `EnvironmentSpec`. */
  readonly returnRange?: EnvironmentSpec["returnRange"];
  /** As in `EnvironmentSpec`. */
  readonly commonFeatures?: EnvironmentSpec["commonFeatures"];
  /** As in `EnvironmentSpec`; not known by default. */
  readonly chance?: EnvironmentSpec["chance"];
}

const SOURCE = "pettingzoo/petting-zoo";
const KINDS = ["aec", "parallel", "gymnasium", "rlcard"];
/** Beside the source and beside the build. */
const SCRIPT = new URL("../python/magic_mask_env.py", import.meta.url);

/**
 * A Python environment as a world of ours: PettingZoo's two shapes, Gymnasium's one, and RLCard's. It runs in a child process.
 *
 * Agents: `possible_agents`; `agent_0` for Gymnasium, `player_0`, … for RLCard.
 * Observation: Box of any type, flat in C order, whole numbers of eight bits as they are and all others as float32; Discrete,
 *   MultiDiscrete and MultiBinary as in `gymnasium.spaces.flatten` (one-hot); of a Dict, its key `observation`.
 * Action: Discrete and MultiDiscrete counted from 0 whatever their start, MultiBinary as choices of two, Box. Legal is what
 *   `action_mask` says, in the observation or in the info; all where there is none. RLCard's legal actions become a mask of all
 *   its actions: 27,472 for its `doudizhu`, each of which a rollout's row then holds thrice.
 * Turn based: aec and rlcard. Dead steps are taken where they are due, and agents who have left go on seeing their last look.
 * Reward: each step's own, of every agent. Start: `reset(seed=…)`. There are no snapshots, so nothing is branched from here.
 *
 * @throws unavailable without Python or the packages, saying what to install; unsupported for other spaces and shapes;
 *   worker-lost where a process ends, fails or hangs, then and from `step`, `reset` and `observe`: the next `reset` starts it
 *   afresh; corrupt-message; invalid-option; unknown-key
 */
export function pettingZoo(options: PettingZooOptions): Environment & { close(): void } {
  return single(pettingZooVector(options, 1));
}

/** Many copies of `pettingZoo(options)` that step together, `processes` of them holding a share each. @throws as it */
export function pettingZooVector(options: PettingZooOptions, copies: number): RemoteVector {
  const {
    module,
    kind = "aec",
    kwargs = {},
    python = process.env.MAGIC_MASK_PYTHON ?? "python3",
    processes = 1,
    timeout = 60,
    scale = false,
    id,
    roles,
    zeroSum,
    returnRange,
    commonFeatures,
    chance,
    ...unknown
  } = options;
  const keys = Object.keys(unknown);
  if (keys.length > 0) throw new MagicMaskError("unknown-key", SOURCE, `there is no option ${keys.join(", ")}`);
  if (typeof module !== "string" || module === "") {
    throw new MagicMaskError("invalid-option", SOURCE, `module must name what to play, got ${JSON.stringify(module)}`);
  }
  if (!KINDS.includes(kind)) {
    throw new MagicMaskError("invalid-option", SOURCE, `kind must be one of ${KINDS.join(", ")}, got ${kind}`);
  }
  checkCount(SOURCE, "processes", processes);
  checkRange(SOURCE, "timeout", timeout, Number.MIN_VALUE);
  const about = { id, roles, zeroSum, returnRange, commonFeatures, chance };
  return createRemote({
    command: [python, "-u", fileURLToPath(SCRIPT)],
    timeout,
    remedy: "install Python 3.9 or later, or name an interpreter in the option python or in MAGIC_MASK_PYTHON",
    name: module,
    open: { kind, module, kwargs },
    about: Object.fromEntries(Object.entries(about).filter(([, value]) => value !== undefined)),
    scale,
    copies,
    processes,
  });
}

/** What builds copies of `pettingZoo(options)`, one by one or many that step together: what collectors and `play` take. */
export const makePettingZoo = (options: PettingZooOptions): MakeEnvironment =>
  Object.assign(() => pettingZoo(options), { vectorize: (copies: number) => pettingZooVector(options, copies) });
