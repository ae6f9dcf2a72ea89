import type { CriticalRecord } from "./record.ts";

/** What an agent tells its peers. */
export interface Mode {
  readonly name: string;
  /** Which of its records. */
  shares(record: Readonly<CriticalRecord>): boolean;
  /** Records hold `createFeatures` of a state instead of `createSignature`, one's own included. */
  readonly features?: boolean;
  /** Its head's parameters, see `createModelExchange`. */
  readonly model?: boolean;
}

/** Nothing: every agent learns from its own records alone. */
export const none: Mode = { name: "none", shares: () => false };

/** States that the mask marks as critical, m ≥ .9: what the MAGIC-MASK paper (arXiv:2510.00274) shares. */
export const marked: Mode = { name: "marked", shares: ({ rank }) => rank >= 0.9 };

/** Steps at which the agent was blinded: what it would otherwise have to pay for itself. */
export const perturbed: Mode = { name: "perturbed", shares: ({ blinded }) => blinded };

/** Everything. */
export const all: Mode = { name: "all", shares: () => true };

/** As `perturbed`, with the features themselves in up to 128 bytes a record: what compression to σ costs. */
export const features: Mode = { name: "features", shares: perturbed.shares, features: true };

/** No records: the heads that learn from them are averaged. */
export const model: Mode = { name: "model", shares: () => false, model: true };
