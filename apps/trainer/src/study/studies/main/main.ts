import { LAYOUT, stackExplainers } from "@magic-mask/comm";
import { byName, MagicMaskError, stream } from "@magic-mask/core";
import { type AgentFigures, type CellResult, createJudge, makeCells, readCell } from "../../../compare/cells.ts";
import { playByCoin } from "../../../compare/learn.ts";
import { type Cell, cellsOf, type Plan } from "../../../compare/plan.ts";
import type { FrozenTeam } from "../../../compare/policies.ts";
import type { TruthSet } from "../../../compare/truth.ts";
import type { Config } from "../../../config.ts";
import { learningSettings, postHocSeed } from "../../../posthoc.ts";
import { isStopped } from "../../../work/signals.ts";
import { type JointFigures, jointRun, pathOfJointRun } from "../../joint-run.ts";
import { type Replay, replayOf } from "../../replay.ts";
import { strengthOf } from "../../strength.ts";
import type { Coordinates, Measured, Place, Study, Subject } from "../../study.ts";
import { pathsOfCells, planOf, SHARES } from "../common/cells.ts";
import { BUDGETS, explainedConfig, PAPER_WORLDS } from "../common/explained-worlds.ts";
import { ofJoint, partOf, withObjective, withSteps } from "../common/parts.ts";
import { measureTelling } from "../common/sharing-figures.ts";
import { reportOnMain } from "./report.ts";

/** Policies that learned under a method; of those that learned without masks less is known. */
type Trained = Pick<JointFigures, "steps" | "strength"> & Partial<JointFigures>;

/** What a method makes of frozen policies. */
interface Explained {
  /** [N] */
  readonly agents: readonly AgentFigures[];
  /** Inter-agent fidelity; null where the method has no records, or nobody to explain. */
  readonly fidelity: number | null;
}

/** One of the two. */
export interface MainFigures {
  readonly joint: Trained | null;
  readonly posthoc: Explained | null;
}

/** How a method explains frozen policies, and how policies come about that it is a part of. */
interface Method {
  /** The explainer's name in `compare`; none for one that is stacked with what peers told. */
  readonly explainer: string | null;
  /** The objective by which masks learn together with the policies; none where there is nothing to learn. */
  readonly joint: string | null;
}

/** What is compared. A coin's blinding is the same whichever mask learns from it, so `advantage` stands for all that learn so in joint training. */
export const methods: Readonly<Record<string, Method>> = {
  advantage_entropy: { explainer: "advantage_entropy", joint: "advantage" },
  advantage: { explainer: "advantage", joint: "advantage" },
  "advantage+comm": { explainer: null, joint: "advantage" },
  statemask: { explainer: "statemask", joint: "statemask" },
  value: { explainer: "value_gap", joint: "advantage" },
  gradient: { explainer: "gradient_policy", joint: null },
  entropy: { explainer: "entropy", joint: null },
  random: { explainer: "random", joint: null },
  paper: { explainer: "paper", joint: "paper" },
};

/** What can be changed of it. */
export interface MainOptions {
  readonly id?: string;
  readonly environments?: readonly string[];
  /** Names from `methods`. */
  readonly methods?: readonly string[];
}

const SOURCE = "trainer/study-main";
/** The two ways in which a method is looked at. */
const JOINT = "joint";
const POSTHOC = "posthoc";

/**
 * Table 1: return and KL of policies that learn together with each method's masks, and how well each method explains policies that are
 * fixed beforehand, alike for all. On fixed policies return and KL are the same for all methods, so each figure comes from the one of
 * the two where methods can differ. The explainers are those of `compare`, in cells of the same names.
 */
export function main(options: MainOptions = {}): Study<MainFigures> {
  const { id = "main", environments = PAPER_WORLDS, methods: names = Object.keys(methods) } = options;
  return {
    id,
    question: "Does MAGIC-MASK earn more, stray less and explain better than StateMask and the other baselines?",
    claim:
      "against StateMask return is higher, KL lower (0.08 to 0.09 against 0.12), inter-agent fidelity higher (Pong 0.92 against 0.78) and the reward drop under perturbation larger (15.1 to 16.2 % against 10.3 to 13.4 %), everywhere (Table 1)",
    version: 2,
    axes: (size) => ({
      environment: environments,
      seed: size === "quick" ? [1, 2, 3] : [1, 2, 3, 4, 5],
      part: [JOINT, POSTHOC],
      budget: [BUDGETS[size]],
      method: names,
    }),
    arms: ["method"],
    config: explainedConfig,
    settings: (config) => ({ ...mainSettings(config), layout: LAYOUT }),
    kind: ({ part }) => part as string,
    work: (trials, config) => {
      const [{ part, budget, steps }] = trials;
      if (part === POSTHOC) return (budget as number) * trials.length;
      const runs = new Set(trials.map(({ method }) => methodOf(method).joint).filter((joint) => joint !== null));
      return ((steps as number | undefined) ?? config.training.totalSteps) * runs.size;
    },
    keeps: (trial, config, subjects) => {
      const { joint, explainer } = methodOf(trial.method);
      if (trial.part === POSTHOC) {
        return explainer === null ? [] : pathsOfCells(config, { subjects }, explainer, trial.budget as number);
      }
      if (joint === null) return [];
      return [pathOfJointRun({ config: withObjective(withSteps(config, trial), joint), subjects })];
    },
    pilots: (axes) => {
      const group = (part: string, how: Coordinates): Coordinates[] =>
        axes.method.map((method) => ({
          environment: axes.environment[0],
          seed: axes.seed[0],
          part,
          budget: axes.budget[0],
          method,
          ...how,
        }));
      return [
        group(JOINT, { steps: 10_000 }),
        group(JOINT, { steps: 60_000 }),
        group(POSTHOC, { budget: 2000 }),
        group(POSTHOC, { budget: 20_000 }),
      ];
    },
    run: (trials, subject) =>
      partOf(SOURCE, trials) === JOINT ? trainTogether(trials, subject) : explainFrozen(trials, subject),
    report: reportOnMain,
  };
}

const methodOf = (name: string | number) => byName(SOURCE, "method", methods, name as string);

/**
 * What figures of such studies depend on beside policies and truths.
 *
 * @throws unsupported where what peers tell steers the coin: joint runs would then depend on sharing
 */
export function mainSettings(config: Config) {
  const { training, opponents, blinding, mask, sharing, evaluation } = config;
  if (sharing.steer > 0) {
    const message = `joint runs are the same for all that peers tell, which sharing.steer=${sharing.steer} changes; set it to 0`;
    throw new MagicMaskError("unsupported", SOURCE, message);
  }
  const { episodes, dropEpisodes, paperSeeds } = evaluation;
  return {
    training,
    opponents,
    blinding,
    mask,
    learning: learningSettings(config),
    sharing,
    judged: { episodes, dropEpisodes, paperSeeds, shares: SHARES },
  };
}

/** Policies that learn together with masks; what has no masks has the frozen policies, which learned without. */
async function* trainTogether(trials: readonly Coordinates[], { frozen, place }: Subject) {
  for (const trial of trials) {
    const { joint: objective } = methodOf(trial.method);
    const config = withSteps(frozen.config, trial);
    const result: { figures: Trained; seconds: number; isNew: boolean } | undefined = objective
      ? await jointRun({ config: withObjective(config, objective), place })
      : { figures: plainly({ ...frozen, config }, place), seconds: 0, isNew: false };
    if (!result) return;
    yield ofJoint(result.figures, result);
  }
}

/** Of policies that learned without masks. */
function plainly(frozen: FrozenTeam, { subjects }: Place): Trained {
  const { training, evaluation } = frozen.config;
  const iteration = training.rolloutTicks * training.copies;
  return {
    steps: Math.ceil(training.totalSteps / iteration) * iteration,
    strength: strengthOf(frozen, subjects.states, evaluation.episodes),
  };
}

async function* explainFrozen(trials: readonly Coordinates[], subject: Subject) {
  const { frozen, truths, place } = subject;
  const { cache, signals, policy } = place;
  const budget = trials[0].budget as number;
  const wanted = trials.map(({ method }) => methodOf(method));
  const names = wanted.flatMap(({ explainer }) => (explainer === null ? [] : [explainer]));
  const plan = planOf(subject, names, budget);
  const cells = cellsOf(plan).filter((cell) => cell.policy === policy && names.includes(cell.explainer.name));
  const missing = cells.filter((cell) => !readCell(cell, cache));

  const begun = performance.now();
  const coin = await playByCoin(frozen, budget);
  if (!(await makeCells(plan, missing, frozen, truths, cache, signals, coin))) return;
  const resultOf = (name: string) =>
    readCell(cells.find((cell) => cell.explainer.name === name) as Cell, cache) as CellResult;
  // A single agent has nobody to tell.
  const isTeam = frozen.world.spec.agents.length > 1;
  const root = stream(frozen.config.seed, "study", "main").bits();
  const replay =
    isTeam && wanted.some(isTold) ? await replayOf(frozen, coin, root, postHocSeed(frozen.config)) : undefined;
  const judged = missing.reduce((sum, { explainer: { name } }) => sum + resultOf(name).cost.judgingWallSeconds, 0);
  const shared = (performance.now() - begun) / 1000 - judged;

  for (const method of wanted) {
    if (isStopped(signals)) return;
    const { steps, posthoc, seconds } =
      method.explainer === null
        ? await stackedWithPeers(subject, plan, replay)
        : await ofCell(resultOf(method.explainer), isTold(method) ? replay : undefined, truths);
    const measured: Measured<MainFigures> = {
      steps,
      figures: { joint: null, posthoc },
      seconds: { shared, ...seconds },
    };
    yield measured;
  }
}

/** Whether agents have records of decisions under a method: their peers' too, or their own alone. */
const isTold = ({ explainer }: Method) => explainer === null || explainer === "advantage";

type Looked = Pick<Measured<unknown>, "steps"> & {
  readonly posthoc: Explained | null;
  readonly seconds: Omit<Measured<unknown>["seconds"], "shared">;
};

/** A method that `compare` knows, and what agents can say of each other by records of their own alone. */
async function ofCell(
  { agents, cost }: CellResult,
  replay: Replay | undefined,
  truths: readonly TruthSet[],
): Promise<Looked> {
  const alone = replay && (await measureTelling(replay, { mode: "none", sharing: sharingOf(replay) }, truths)).measured;
  return {
    steps: cost.steps,
    posthoc: { agents, fidelity: alone?.figures.fidelity.all ?? null },
    seconds: {
      learning: alone?.seconds.learning ?? 0,
      judging: cost.judgingWallSeconds + (alone?.seconds.judging ?? 0),
    },
  };
}

/** Each agent's mask and its record head, which learned from what peers told, stacked with equal weights; nothing without peers. */
async function stackedWithPeers({ frozen, truths }: Subject, plan: Plan, replay: Replay | undefined): Promise<Looked> {
  if (!replay) return { steps: 0, posthoc: null, seconds: { learning: 0, judging: 0 } };
  const { measured, memory } = await measureTelling(replay, { mode: MODE, sharing: sharingOf(replay) }, truths);
  const begun = performance.now();
  const stacked = replay.explainers.map((own, agent) =>
    stackExplainers({ explainers: [own, memory.heads[agent]], reference: truths[agent].states.decisions }),
  );
  const agents = await createJudge(plan, frozen, truths).judge([stacked], true);
  const { steps, seconds } = measured;
  return {
    steps,
    posthoc: { agents, fidelity: measured.figures.fidelity.all },
    seconds: { learning: seconds.learning, judging: seconds.judging + (performance.now() - begun) / 1000 },
  };
}

/** What agents send. */
const MODE = "perturbed";
const sharingOf = ({ frozen }: Replay): Config["sharing"] => ({ ...frozen.config.sharing, mode: MODE });
