import { byName, MagicMaskError } from "@magic-mask/core";
import { assembleWorld } from "../../../assemble.ts";
import { mixedPolicy, trainedPolicy } from "../../../compare/plan.ts";
import type { Config } from "../../../config.ts";
import type { Memory } from "../../../memory.ts";
import { playAlone, replaySettings, replayWork } from "../../replay.ts";
import type { Coordinates, Measured, Size, Study, Subject } from "../../study.ts";
import { meanOrNull } from "../common/figures.ts";
import { novicePolicy } from "../common/novice.ts";
import { sharingConfig } from "../common/settings.ts";
import { measureTelling, type SharingFigures } from "../common/sharing-figures.ts";
import { reportOnTeams } from "./report.ts";

/** What is measured of a team. */
export interface TeamFigures extends SharingFigures {
  /** Numbers of the agents that lie. */
  readonly hostile: readonly number[];
  /** [i][j] what a record of agent j counts with agent i in the end; null where all are believed alike. */
  readonly trust: readonly (readonly number[])[] | null;
  /** How that came about: at ten moments, evenly apart, what records of honest peers and of liars count with honest agents, on average. */
  readonly course:
    | readonly {
        /** Share of the steps that were over. */
        readonly at: number;
        readonly honest: number | null;
        readonly liars: number | null;
      }[]
    | null;
}

/** What can be changed of it. */
export interface TeamsOptions {
  readonly id?: string;
  /** Worlds; with `+novice` behind, one agent's policy is trained for a tenth of the steps. */
  readonly environments?: readonly string[];
  /** Names from `peers`, `none` and `friends` among them. */
  readonly peers?: readonly string[];
}

/** How many of N agents lie, and what they tell; nothing is told in `none`. */
interface Peers {
  readonly hostile: (agents: number) => number;
  readonly adversary: Config["sharing"]["hostile"][string];
}

const one = () => 1;
const half = (agents: number) => agents >> 1;
const nobody = () => 0;
export const peers: Readonly<Record<string, Peers>> = {
  none: { hostile: nobody, adversary: "poison" },
  friends: { hostile: nobody, adversary: "poison" },
  one_poison: { hostile: one, adversary: "poison" },
  half_poison: { hostile: half, adversary: "poison" },
  one_turncoat: { hostile: one, adversary: "turncoat" },
  one_exaggerate: { hostile: one, adversary: "exaggerate" },
  one_flood: { hostile: one, adversary: "flood" },
  one_replay: { hostile: one, adversary: "replay" },
  one_forge: { hostile: one, adversary: "forge" },
};

/**
 * What do peers cost an agent that are unlike it, or lie?
 *
 * As in `communication`, agents tell of the decisions at which they were blinded; the first ones may lie. What counts is what the honest
 * ones then know, beside what they know alone. Teams of unlike skill and of several roles are worlds of their own: what is at stake is
 * another thing there.
 */
export function teams(options: TeamsOptions = {}): Study<TeamFigures> {
  const {
    id = "teams",
    environments = ["pong_walls_v0", "pong_walls_v0+novice", "simple_tag_v0"],
    peers: names = Object.keys(peers),
  } = options;
  return {
    id,
    question: "What do peers cost an agent that are unlike it, or hostile, with and without learned trust?",
    claim: "agents collaborate through what they share; unlike and hostile peers are left to future work",
    version: 2,
    axes: (size) => ({
      environment: size === "quick" ? environments.slice(0, 2) : environments,
      seed: size === "quick" ? [1, 2, 3] : [1, 2, 3, 4, 5],
      budget: BUDGETS[size],
      peers: names,
      trust: ["off", "on"],
    }),
    arms: ["peers", "trust"],
    config: (environment, size) => sharingConfig(worldOf(environment).id, size),
    policy(config, environment) {
      const { backend } = config;
      const experts = trainedPolicy(config, backend);
      if (!worldOf(environment).novice) return experts;
      const { spec } = assembleWorld(config);
      // The last agent: it is the first ones that lie.
      return mixedPolicy(experts, [spec.agents.length - 1], novicePolicy(config));
    },
    settings: replaySettings,
    work: replayWork,
    pilots: (axes) => {
      const group = (budget: number): Coordinates[] =>
        axes.peers.flatMap((kind) =>
          axes.trust.map((trust) => ({
            environment: axes.environment[0],
            seed: axes.seed[0],
            budget,
            peers: kind,
            trust,
          })),
        );
      return [group(1000), group(4000)];
    },
    run: runTeams,
    report: reportOnTeams,
  };
}

const SOURCE = "trainer/study-teams";
const NOVICE = "+novice";
const BUDGETS: Readonly<Record<Size, readonly number[]>> = {
  quick: [10_000],
  default: [10_000],
  paper: [10_000, 100_000],
};

const worldOf = (environment: string) => {
  const novice = environment.endsWith(NOVICE);
  return { id: novice ? environment.slice(0, -NOVICE.length) : environment, novice };
};

/** At which trust is looked at. */
const MOMENTS = 10;

const weightsOf = (trusts: Memory["trusts"]) => trusts.map(({ weights }) => Array.from(weights));

/** What honest agents think of honest peers, and of those that lie. @param trust [i][j] */
export function meanTrust(trust: readonly (readonly number[])[], hostile: readonly number[]) {
  const of = (liars: boolean) =>
    meanOrNull(
      trust.flatMap((row, i) =>
        hostile.includes(i) ? [] : row.filter((_, j) => j !== i && hostile.includes(j) === liars),
      ),
    );
  return { honest: of(false), liars: of(true) };
}

async function* runTeams(trials: readonly Coordinates[], { frozen, truths }: Subject) {
  const replay = await playAlone(frozen, trials[0].budget as number, "teams");
  const { sharing } = replay.frozen.config;
  const { agents } = frozen.world.spec;
  for (const { peers: kind, trust } of trials) {
    const { hostile: count, adversary } = byName(SOURCE, "kind of peers", peers, kind as string);
    if (trust !== "on" && trust !== "off") {
      throw new MagicMaskError("invalid-option", SOURCE, `trust must be on or off, got "${trust}"`);
    }
    const hostile = Array.from({ length: count(agents.length) }, (_, agent) => agent);
    const telling = {
      mode: kind === "none" ? "none" : "perturbed",
      sharing: {
        ...sharing,
        mode: "perturbed",
        trust: trust === "on",
        hostile: Object.fromEntries(hostile.map((agent) => [agents[agent], adversary])),
      },
    };
    const course: NonNullable<TeamFigures["course"]>[number][] = [];
    const { measured, memory } = await measureTelling(replay, telling, truths, ({ trusts }, now, last) => {
      if (now < ((course.length + 1) * last) / MOMENTS) return;
      for (const each of trusts) each.refresh(now);
      course.push({ at: now / last, ...meanTrust(weightsOf(trusts), hostile) });
    });
    const weights = weightsOf(memory.trusts);
    const result: Measured<TeamFigures> = {
      ...measured,
      figures: {
        ...measured.figures,
        hostile,
        ...(weights.length > 0 ? { trust: weights, course } : { trust: null, course: null }),
      },
    };
    yield result;
  }
}
