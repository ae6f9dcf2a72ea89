import type { Interval } from "@magic-mask/metrics";
import type { PolicySource, Subjects } from "../compare/plan.ts";
import type { FrozenTeam } from "../compare/policies.ts";
import type { TruthSet } from "../compare/truth.ts";
import type { Config, ConfigInput } from "../config.ts";
import type { Diagnostic } from "../diagnostics/limits.ts";
import type { Cell } from "../terminal/table.ts";
import type { Signals } from "../work/signals.ts";
import type { WorldFactory } from "../worlds.ts";

/** How much is spent: minutes, hours, or as much as the paper did. */
export type Size = "quick" | "default" | "paper";

/** One value of each axis. */
export type Coordinates = Readonly<Record<string, string | number>>;

/** The axes that every study has: worlds, and seeds of the policies that are explained. */
export interface Axes {
  readonly environment: readonly string[];
  /** At least two: intervals are over them. */
  readonly seed: readonly number[];
  readonly [axis: string]: readonly (string | number)[];
}

/** What trials are made of: frozen policies, and what is truly at stake in held-out decisions of theirs. */
export interface Subject {
  readonly frozen: FrozenTeam;
  /** [N] */
  readonly truths: readonly TruthSet[];
  /** What `Study.companion` asked for. */
  readonly companion?: FrozenTeam;
  readonly place: Place;
}

/** Where trials are made: for what keeps results of its own, or goes on where an earlier try stopped. */
export interface Place {
  /** What is known of this world's policies and truths. */
  readonly subjects: Subjects;
  /** Which of the policies is the subject. */
  readonly policy: number;
  /** Folder that keeps what is done; of a pilot, one that is thrown away. */
  readonly cache: string;
  readonly signals: Signals;
}

/** What came of a trial. */
export interface Measured<Figures> {
  /** Environment steps that were learned from: the same in all arms, or the study ends with an error; 0 for what learns nothing. */
  readonly steps: number;
  /** JSON: numbers, null where one is undefined. They depend on nothing but the trial's description. */
  readonly figures: Figures;
  /** Numbers that differ from one time to the next, such as seconds and bytes of memory, by name: what a study of cost is about. */
  readonly timings?: Readonly<Record<string, number>>;
  /** Wall seconds: of what the trials of one go share, of what this one learned alone, and of its figures. */
  readonly seconds: { readonly shared: number; readonly learning: number; readonly judging: number };
}

/** A trial that is done. */
export interface Result<Figures> extends Measured<Figures> {
  readonly at: Coordinates;
}

/** What a study says in the end; plain data but for the pictures. */
export interface Report {
  readonly tables: readonly {
    readonly title: string;
    /** What one must know to read it; "" for nothing. */
    readonly note: string;
    readonly header: readonly string[];
    readonly body: readonly (readonly Cell[])[];
  }[];
  readonly judgements: readonly Judgement[];
  /** What it comes to, honestly; one entry a sentence. */
  readonly sentences: readonly string[];
  readonly pictures: readonly { readonly name: string; readonly svg: string }[];
  /** Figures beside limits beyond which something is wrong; inter-agent fidelity of `scores` is looked at beside, where arms are `communication`'s. */
  readonly diagnostics?: readonly Diagnostic[];
  /**
   * Figures run by run, where arms are held against each other; absent where there are none: `sanity` holds each explanation against what
   * must be true of it, not against another arm.
   */
  readonly scores?: Scores;
}

/**
 * Figures that every run of every arm has, as they are: what statistics over worlds × seeds, and `marl-eval.json`, are made from. All
 * arms, worlds and seeds at all steps, or what is made of them says what is missing.
 */
export interface Scores {
  readonly metrics: readonly {
    /** Letters, digits and underscores. */
    readonly name: string;
    /** For people. */
    readonly title: string;
    /** Whether worlds have one scale of it, as an AUROC has and a return has not: only then can they be pooled. */
    readonly oneScale: boolean;
  }[];
  readonly runs: readonly {
    readonly environment: string;
    readonly arm: string;
    readonly seed: number;
    /** Environment steps that were asked for: arms that learn nothing have those of the others. */
    readonly steps: number;
    /** By the names of the metrics, higher being better; null where undefined. */
    readonly values: Readonly<Record<string, number | null>>;
  }[];
}

/** The paper's claim beside what was measured. */
export interface Judgement {
  /** Where, e.g. the world. */
  readonly where: string;
  /** The paper's figure, in words. */
  readonly claim: string;
  /** What was measured, in words. */
  readonly figure: string;
  readonly measured: Interval | null;
  readonly verdict: "reproduced" | "not reproduced" | "not comparable";
  /** Why so. */
  readonly why: string;
}

/**
 * A question with all that it takes to answer it. Its trials are the product of the axes; each is kept under the digest of its
 * description, so nothing is done twice. A study is a value: copy the one that is nearest and change it.
 */
export interface Study<Figures = unknown> {
  /** Letters, digits, dots, dashes and underscores. */
  readonly id: string;
  readonly question: string;
  /** What the MAGIC-MASK paper (arXiv:2510.00274) says to it. */
  readonly claim: string;
  /** Worlds of its own, by id, which `config` may name: each with its options, from the configuration, as it gets them. */
  readonly worlds?: Readonly<Record<string, WorldFactory>>;
  /** Raised when a change to the code makes other figures of the same description. */
  readonly version: number;
  axes(size: Size): Axes;
  /** What an axis of names may be given, if more than its own values of the size that is run. */
  readonly names?: Readonly<Record<string, readonly string[]>>;
  /** Axes along which trials are arms of one comparison: they are made in one go, from the same steps. */
  readonly arms: readonly string[];
  /** What is set for a value of the environment axis, its `environment.id` included; above the world's preset. */
  config(environment: string, size: Size): ConfigInput;
  /** How a policy of this configuration comes about, seed included, where it is not by training alone. */
  policy?(config: Config, environment: string): PolicySource;
  /** A second policy that trials are about, made beforehand like the first; without truth. */
  companion?(config: Config, environment: string): PolicySource;
  /** What of the configuration the figures depend on, beside policies and truth. JSON. */
  settings(config: Config): unknown;
  /** Where trials take their time for unlike things: which of them this one is of. One kind by default. */
  kind?(trial: Coordinates): string;
  /** Files and folders of the cache, relative to it, in which a trial keeps how far it is: they go with it to whoever goes on. @param config of its policy */
  keeps?(trial: Coordinates, config: Config, subjects: Subjects): readonly string[];
  /** How long trials that are made in one go take beside others of their kind and environment, in any unit. @param config of their world */
  work(trials: readonly Coordinates[], config: Config): number;
  /** Two groups of trials of each kind, a short and a longer one, whose time tells that of the rest. Budgets are cut to the longest of the axes. */
  pilots(axes: Axes): readonly (readonly Coordinates[])[];
  /**
   * Makes trials that differ along `arms` alone, in their order. What comes of one must not depend on which others there are. Ends early
   * where it is asked to stop and can go on later.
   */
  run(trials: readonly Coordinates[], subject: Subject): AsyncIterable<Measured<Figures>>;
  /** @param results those that there are; failed ones are missing */
  report(axes: Axes, results: readonly Result<Figures>[]): Report;
}
