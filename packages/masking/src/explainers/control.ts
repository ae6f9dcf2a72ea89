import type { EnvironmentSpec, Explainer, Policy } from "@magic-mask/core";
import type { Critic } from "../critic.ts";

/** What explainers that need no learning may ask for. */
export interface ControlContext {
  readonly spec: EnvironmentSpec;
  readonly agent: number;
  /** The policy that is explained. */
  readonly policy: Policy;
  /** Knows V where the policy does not. */
  readonly critic?: Pick<Critic, "values">;
  /** Root of all chance in the explainer. */
  readonly seed: number;
}

export type Control = (context: ControlContext) => Explainer;
