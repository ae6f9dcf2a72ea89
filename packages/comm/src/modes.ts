import type { CriticalRecord } from "./record.ts";

/** Which of its records an agent tells its peers of. */
export interface Mode {
  readonly name: string;
  shares(record: Readonly<CriticalRecord>): boolean;
}

/** Nothing: every agent learns from its own records alone. */
export const none: Mode = { name: "none", shares: () => false };

/** States that the mask marks as critical, m ≥ .9: what the MAGIC-MASK paper (arXiv:2510.00274) shares. */
export const marked: Mode = { name: "marked", shares: ({ rank }) => rank >= 0.9 };

/** Steps at which the agent was blinded: what it would otherwise have to pay for itself. */
export const perturbed: Mode = { name: "perturbed", shares: ({ blinded }) => blinded };

/** Everything. */
export const all: Mode = { name: "all", shares: () => true };
