/**
 * All that is known of one episode: what `magic-mask explain` writes as JSON, and the only thing that the page and the report
 * are made from. Figures have six significant digits; one that is not known is null. Effects and values are returns, in the
 * game's units, from the decision on, discounted as in `method`.
 */
export interface EpisodeExplanation {
  readonly format: "magic-mask/episode";
  /** Raised when a field changes its meaning or goes. 2: estimates may be another's than the mask's. */
  readonly version: 2;
  readonly title: string;
  readonly source: {
    /** Name of the run, or of the model, that played. */
    readonly run: string;
    /** Makes this again. */
    readonly command: string;
    readonly environment: { readonly id: string; readonly options: Readonly<Record<string, unknown>> };
    /** Root of all chance in the run. */
    readonly seed: number;
    /** What the world was reset with. */
    readonly episodeSeed: number;
    /** The run's trajectory hash; null where nothing was trained. */
    readonly hash: string | null;
  };
  /** Which held-out game, 0, 1, … */
  readonly game: number;
  /** T: the world stands at step 0 before the first tick and at step T after the last. */
  readonly steps: number;
  readonly method: {
    /** Whose estimates these are: the mask's, by its objective's name, `lookahead`, or both's, the names joined by a plus. */
    readonly explainer: string;
    /** ν: what the agent would have done instead. */
    readonly perturbation: string;
    /** γ per decision of the agent's own. */
    readonly discount: number;
    /** n: fresh continuations per action, from each measured decision. */
    readonly rollouts: number;
    /** Coverage of every interval. */
    readonly level: number;
    /** A moment is significant if its adjusted p-value is not above this. */
    readonly significance: number;
    /** Ticks that looking ahead took; 0 by the mask. */
    readonly looked: number;
    /** Decisions that were simulated to measure. */
    readonly simulated: number;
    /** Whether anything can be measured: a world that cannot be copied leaves nothing but the mask's estimates. */
    readonly measurable: boolean;
  };
  /** What shares are shares of. */
  readonly scale: "win chance" | "return range" | "gap to random play";
  /** [N] */
  readonly agents: readonly AgentExplanation[];
  readonly pictures: Pictures;
}

export interface AgentExplanation {
  readonly name: string;
  /** Its undiscounted return of the whole episode. */
  readonly return: number;
  /** What that means where there are winners; null elsewhere. */
  readonly outcome: "won" | "drew" | "lost" | null;
  /** Label of every choice, where they are always the same ones; null where they are listed anew each time, or are numbers. */
  readonly choices: readonly string[] | null;
  /** What a share of 1 is, in units of return; null where the policy gains nothing over random play. */
  readonly range: number | null;
  /** Every moment when it acted with a choice, in order. */
  readonly decisions: readonly Decision[];
  /** Those that the explainer holds most critical, the most critical first, with what they were measured to be worth. */
  readonly moments: readonly Moment[];
  /** As many decisions picked at random, measured alike: what a list that knows nothing would show. */
  readonly baseline: {
    readonly moments: readonly Moment[];
    /** Mean of their effects, the interval over them; null for fewer than two. */
    readonly effect: Range | null;
  };
}

/** An estimate with its interval. */
export interface Range {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

/** What an agent does: a choice by its index, or the numbers of a continuous or composite action. */
export interface Action {
  readonly label: string;
  readonly action: readonly number[];
}

export interface Decision {
  readonly step: number;
  /** What the explainer says it costs to act by ν here, with one standard deviation where it knows that. */
  readonly estimate: number;
  readonly spread: number | null;
  /** m in [0, 1]: keep the policy's action where it is high, blind it where it is low. */
  readonly mask: number;
  /** V: the return that the critic expects from here. */
  readonly value: number;
  readonly taken: Action;
  /** Labels of what could be chosen, where they change from decision to decision. */
  readonly choices?: readonly string[];
  /** π of each choice; null where it is illegal. Empty where actions are no choices. */
  readonly probabilities: readonly (number | null)[];
}

export interface Moment {
  /** 1, 2, … */
  readonly rank: number;
  /** That of the decision. */
  readonly step: number;
  readonly estimate: number;
  readonly spread: number | null;
  readonly mask: number;
  /** E[G ∣ a ~ π] − E[G ∣ a ~ ν], from rollouts that had no part in picking the moment. */
  readonly effect: Range & {
    readonly rollouts: number;
    /** Two-sided, of Student's t. */
    readonly p: number;
    /** p corrected for the number of moments listed (Benjamini-Hochberg); null in the baseline, which claims nothing. */
    readonly adjusted: number | null;
  };
  readonly significant: boolean;
  /** The effect as a share of the agent's range. */
  readonly share: number | null;
  /** 1, 2, 3 for a significant share of at least 0.1, 0.2, 0.3; 0 otherwise. */
  readonly size: 0 | 1 | 2 | 3;
  /** What each legal action was worth. */
  readonly alternatives: readonly Alternative[];
  /** The world before the decision, as text. */
  readonly board: string;
}

export interface Alternative extends Action, Range {
  /** π and ν of it; null where it is one of a continuum. */
  readonly probability: number | null;
  readonly perturbation: number | null;
  readonly taken: boolean;
}

/** The world at its steps, what successive pictures share written once. */
export interface Pictures {
  /** SVG documents, or text where nobody has drawn the world. */
  readonly kind: "svg" | "text";
  /** The steps that there are pictures of, from 0 up: all, unless that were too much. */
  readonly steps: readonly number[];
  /** The pieces that pictures consist of. */
  readonly parts: readonly string[];
  /** Per picture: how many pieces at its start and at its end are those of the picture before; then the pieces between. */
  readonly frames: readonly (readonly number[])[];
}
