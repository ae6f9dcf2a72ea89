import { byName, type EnvironmentSpec, type Explainer, maskWidth } from "@magic-mask/core";
import { controls } from "@magic-mask/masking";
import { auroc, type States } from "@magic-mask/metrics";
import { postHocObjective } from "../../../assemble.ts";
import { type CoinEvidence, learnFromCoin, playByCoin } from "../../../compare/learn.ts";
import { mixedPolicy, type PolicySource, trainedPolicy } from "../../../compare/plan.ts";
import type { FrozenTeam } from "../../../compare/policies.ts";
import { type Config, parseConfig } from "../../../config.ts";
import { orNull } from "../../../figures/means.ts";
import { scoresOf } from "../../../figures/scores.ts";
import { postHocSeed } from "../../../posthoc.ts";
import { type PolicyView, policyView } from "../../policy-view.ts";
import { COPIES, replaySettings } from "../../replay.ts";
import type { Coordinates, Measured, Size, Study, Subject } from "../../study.ts";
import { novicePolicy } from "../common/novice.ts";
import { sharingConfig } from "../common/settings.ts";
import { reportOnTransfer } from "./report.ts";

/** AUROC of the true top tenth on B; null where it is undefined, or the mask cannot be asked there. */
export interface TransferFigures {
  readonly agents: readonly {
    readonly agent: string;
    /** A mask of A as it is, and after a tenth of the budget on B. */
    readonly zeroShot: number | null;
    readonly tuned: number | null;
    /** From scratch on B, within a tenth of the budget, and within all of it. */
    readonly tenth: number | null;
    readonly scratch: number | null;
  }[];
  /** Without learning, mean over agents. */
  readonly entropy: number | null;
  readonly logProbGap: number | null;
}

/** A world, and what is another on B. */
interface Pair {
  readonly id: string;
  /** Options of the world on B, above those on A. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Agents that are played by the same policy after a tenth of its training on B: the others' opponents, who are not judged. */
  readonly novices: readonly number[];
}

const other = (id: string, options: Pair["options"]): Pair => ({ id, options, novices: [] });

/** What masks are carried from and to. */
export const pairs: Readonly<Record<string, Pair>> = {
  "connect_four_v0:6x7>5x6": other("connect_four_v0", { rows: 5, columns: 6 }),
  "connect_four_v0:6x7>7x8": other("connect_four_v0", { rows: 7, columns: 8 }),
  "connect_four_v0:opponent": { id: "connect_four_v0", options: {}, novices: [1] },
  "pong_walls_v0:slower": other("pong_walls_v0", { speed: 0.75 }),
  "pong_walls_v0:faster": other("pong_walls_v0", { speed: 1.5 }),
  "highway_fast_v0:lanes": other("highway_fast_v0", { lanes: 5 }),
  "highway_fast_v0:density": other("highway_fast_v0", { density: 1.5 }),
};

/** What masks look at: the policy alone, which there is on any board, or all that they ever do. */
const INPUTS = ["policy", "full"] as const;

/** What can be changed of it. */
export interface TransferOptions {
  readonly id?: string;
  /** Names from `pairs`. */
  readonly environments?: readonly string[];
}

/**
 * Do masks know another world than that which they learned in?
 *
 * A mask learns in world A, of a policy trained there, and is asked about decisions of the policy that was trained, by the same settings
 * and seed, for world B; where only the opponent is another, the policy is the same. On boards of unlike sizes neither observations nor actions
 * match, so that masks see the policy alone (`PolicyView`); where they match, masks with all of their inputs are carried, too.
 * On B a tenth of the budget is the beginning of the whole. Critics are of the world whose steps they judge.
 */
export function transfer(options: TransferOptions = {}): Study<TransferFigures> {
  const { id = "transfer", environments = Object.keys(pairs) } = options;
  return {
    id,
    question: "Does a mask that learned in one world know what is critical in a related one?",
    claim: "transfer of explanations between related environments is left to future work",
    version: 1,
    axes: (size) => ({
      environment: size === "quick" ? QUICK : environments,
      seed: size === "quick" ? [1, 2, 3] : [1, 2, 3, 4, 5],
      budget: BUDGETS[size],
      inputs: INPUTS,
    }),
    arms: ["inputs"],
    config(environment, size) {
      const { id: world, options: changed } = pairNamed(environment);
      const config = sharingConfig(world, size);
      return { ...config, environment: { id: world, options: changed as Record<string, unknown> } };
    },
    policy(config, environment) {
      const { novices } = pairNamed(environment);
      const own = trainedPolicy(config, config.backend);
      return novices.length > 0 ? mixedPolicy(own, novices, novicePolicy(config)) : own;
    },
    companion: policyOfA,
    settings: (config) => {
      const { sharing: _, ...settings } = replaySettings(config);
      return settings;
    },
    work: (trials) => (trials[0].budget as number) * (2 + trials.length),
    pilots: (axes) => {
      const group = (budget: number): Coordinates[] =>
        axes.inputs.map((inputs) => ({ environment: axes.environment[0], seed: axes.seed[0], budget, inputs }));
      return [group(1000), group(4000)];
    },
    run: runTransfer,
    report: reportOnTransfer,
  };
}

const SOURCE = "trainer/study-transfer";
const QUICK = ["pong_walls_v0:faster", "connect_four_v0:6x7>5x6"];
const BUDGETS: Readonly<Record<Size, readonly number[]>> = {
  quick: [10_000],
  default: [10_000, 100_000],
  paper: [10_000, 100_000, 1_000_000],
};

const pairNamed = (environment: string): Pair => byName(SOURCE, "pair of worlds", pairs, environment);

/** The policy that was trained for A, by all that B's was but for what is another there. */
function policyOfA(config: Config, environment: string): PolicySource {
  const { options } = pairNamed(environment);
  const kept = Object.entries(config.environment.options).filter(([name]) => !(name in options));
  const { id } = config.environment;
  const own = parseConfig({ ...config, environment: { id, options: Object.fromEntries(kept) } });
  return trainedPolicy(own, own.backend);
}

/** Decisions and evidence as masks are to see them. */
type View = Pick<PolicyView, "spec" | "decisions" | "evidence">;
const wholeView = (spec: EnvironmentSpec): View => ({ spec, decisions: (own) => own, evidence: (own) => own });

async function* runTransfer(
  trials: readonly Coordinates[],
  { frozen, truths, companion }: Subject,
): AsyncIterable<Measured<TransferFigures>> {
  const begun = performance.now();
  const budget = trials[0].budget as number;
  const few = (team: FrozenTeam): FrozenTeam => ({
    ...team,
    config: { ...team.config, training: { ...team.config.training, copies: COPIES } },
  });
  const [a, b] = [few(companion as FrozenTeam), few(frozen)];
  const there = await playByCoin(a, budget);
  const here = await playByCoin(b, budget);
  const tenth = await playByCoin(b, Math.ceil(budget / 10));
  const shared = (performance.now() - begun) / 1000;
  const { novices } = pairNamed(trials[0].environment as string);
  const judged = b.world.spec.agents.map((_, agent) => agent).filter((agent) => !novices.includes(agent));
  const area = (explainer: Explainer, agent: number, states: States) =>
    orNull(auroc(scoresOf(explainer, states).scores, truths[agent].truth.criticality));
  const plain = (name: "entropy" | "log_prob_gap") => {
    const areas = judged.map((agent) => {
      const context = { spec: b.world.spec, agent, policy: b.policies[agent], seed: b.config.seed };
      return area(controls[name].create(context), agent, truths[agent].states);
    });
    return areas.some((value) => value === null)
      ? null
      : (areas as number[]).reduce((sum, value) => sum + value / areas.length, 0);
  };

  for (const { inputs } of trials) {
    const started = performance.now();
    const views = viewsOf(inputs as string, a.world.spec, b.world.spec);
    const areas = (explainers: readonly Explainer[] | undefined) =>
      judged.map((agent) => {
        if (!explainers || !views) return null;
        const { states } = truths[agent];
        return area(explainers[agent], agent, { ...states, decisions: views.b.decisions(states.decisions) });
      });
    const fit = (team: FrozenTeam, view: View, coin: CoinEvidence) => {
      const made = postHocObjective(b.config);
      const seen = { ...coin, evidence: coin.evidence.map((own) => view.evidence(own)) };
      const subject = { ...team, world: { ...team.world, spec: view.spec } };
      return learnFromCoin(subject, made, seen, postHocSeed(b.config));
    };
    const carried = views && (await fit(a, views.a, there));
    const zeroShot = areas(carried?.explainers);
    if (carried && views) {
      const { epochs, learningRate } = b.config.posthoc;
      for (const [agent, mask] of carried.masks.entries()) {
        await mask.fit(views.b.evidence(tenth.evidence[agent]), { epochs, learningRate });
      }
    }
    const tuned = areas(carried?.explainers);
    const small = areas(views && (await fit(b, views.b, tenth)).explainers);
    const scratch = areas(views && (await fit(b, views.b, here)).explainers);
    const agents = judged.map((agent, i) => ({
      agent: b.world.spec.agents[agent],
      zeroShot: zeroShot[i],
      tuned: tuned[i],
      tenth: small[i],
      scratch: scratch[i],
    }));
    yield {
      steps: there.steps + here.steps,
      figures: { agents, entropy: plain("entropy"), logProbGap: plain("log_prob_gap") },
      seconds: { shared, learning: (performance.now() - started) / 1000, judging: 0 },
    };
  }
}

/** How masks see A and B; undefined where these differ in what is seen and done. @throws unknown-name */
function viewsOf(
  inputs: string,
  a: EnvironmentSpec,
  b: EnvironmentSpec,
): { readonly a: View; readonly b: View } | undefined {
  const name = byName(SOURCE, "kind of inputs", { policy: "policy", full: "full" }, inputs);
  if (name === "policy") {
    const most = Math.max(...[a, b].flatMap(({ actionSpaces }) => actionSpaces.map(maskWidth)));
    return { a: policyView(a, most), b: policyView(b, most) };
  }
  return areAlike(a, b) ? { a: wholeView(a), b: wholeView(b) } : undefined;
}

const areAlike = (a: EnvironmentSpec, b: EnvironmentSpec) =>
  JSON.stringify([a.observationSpaces, a.actionSpaces]) === JSON.stringify([b.observationSpaces, b.actionSpaces]);
