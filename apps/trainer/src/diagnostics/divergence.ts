import { boxSize, isMagicMaskError, MagicMaskError, stream, type UpdateStatistics } from "@magic-mask/core";
import type { Team, World } from "../assemble.ts";
import type { Config } from "../config.ts";
import { gainOverRandom } from "../figures/return-range.ts";
import type { MaskRound } from "../learn-masks.ts";
import { randomPlayer } from "../policies.ts";

/** What the guard remembers of each policy. */
export interface GuardState {
  /** [L] entropy at the first update, nats; null before it. */
  readonly first: readonly (number | null)[];
  /** [L] iterations in a row in which next to nothing was left of it. */
  readonly gone: readonly number[];
}

/** Stops training that comes to nothing. */
export interface Guard {
  /** @throws diverged */
  check(iteration: {
    readonly steps: number;
    readonly statistics: readonly UpdateStatistics[];
    readonly rounds: readonly MaskRound[];
  }): void;
  exportState(): GuardState;
}

/** Share of a policy's first entropy that is next to nothing. */
const NOTHING = 0.01;
/** Iterations in a row after which it is looked at what such a policy earns; again after twice as many, and so on. */
const PATIENCE = 20;
/**
 * approx_kl of an update beyond which nothing is left of the policy before it, nats. Where it mostly counts −ln r, actions that were
 * just taken have come to less than any number of double precision (e^−745), and nothing teaches them again. Far above the limit that
 * is warned of (0.15, `LIMITS.kl`), as the estimate has a heavy tail, and one wild update need not be the end: presets stay below 0.14,
 * a Python world with raw observations began with 38, and tic-tac-toe at a learning rate of 1 with 251, and yet came to win 84 % of its
 * games against random play. At rates from 10 on it is 10⁴ and more.
 */
const ABSURD = 1000;
const SOURCE = "trainer/divergence";

/**
 * Training has diverged where a figure of an update is no longer finite, where its approx_kl is above 1000 nats, and where a policy
 * has collapsed: for 20 iterations in a row (then 40, 80, …) its entropy was below 1 % of what it was at first (of a Gaussian: every
 * σ, as a geometric mean, below 1 % of the first), and the agents that it plays earn no more by it, in sum, than by random play in
 * their seats, over 200 games each; the others play at random, too, in zero-sum games, and as they have learned
 * elsewhere. A policy that is sure of itself and earns more goes on.
 *
 * @param state where an earlier run stopped
 */
export function createGuard(config: Config, { make, spec }: World, team: Team, state?: GuardState): Guard {
  const first = team.learners.map((_, k) => state?.first[k] ?? null);
  const gone = team.learners.map((_, k) => state?.gone[k] ?? 0);
  const seats = team.learners.map((_, k) => team.players.flatMap((player, agent) => (player === k ? [agent] : [])));
  const isNothing = (k: number, entropy: number) => {
    const space = spec.actionSpaces[seats[k][0]];
    const begun = first[k] as number;
    if (space.kind !== "box") return entropy < NOTHING * begun;
    return (entropy - begun) / boxSize(space) < Math.log(NOTHING);
  };

  return {
    check({ steps, statistics, rounds }) {
      statistics.forEach((update, k) => {
        // Undefined where returns do not vary, and then infinite or not a number.
        const { explained_variance: _, ...figures } = update;
        for (const [name, value] of Object.entries(figures)) {
          if (!Number.isFinite(value)) throw diverged(steps, `${name} of policy ${k} is ${value}`);
        }
        if (update.approx_kl > ABSURD) {
          const figure = update.approx_kl.toPrecision(3);
          throw diverged(steps, `approx_kl of policy ${k} is ${figure} nats in one update, above ${ABSURD}`);
        }
        if (update.entropy === undefined) return;
        first[k] ??= update.entropy;
        gone[k] = isNothing(k, update.entropy) ? gone[k] + 1 : 0;
      });
      // NaN where an agent had nothing to learn from.
      rounds.forEach(({ criticLoss, maskLoss }, agent) => {
        for (const loss of [criticLoss, maskLoss]) {
          if (Math.abs(loss) === Number.POSITIVE_INFINITY) {
            throw diverged(steps, `a loss of the mask of ${spec.agents[agent]} is ${loss}`);
          }
        }
      });
      gone.forEach((count, k) => {
        const looks = count / PATIENCE;
        if (looks < 1 || !Number.isInteger(Math.log2(looks))) return;
        const policies = team.players.map((player) => team.learners[player].policy);
        const seed = stream(config.seed, "collapse", steps).bits();
        const gains = seats[k].map((agent) => {
          // Players that are as poor as each other would beat each other as often as good ones.
          const seated = spec.zeroSum ? spec.actionSpaces.map(randomPlayer).with(agent, policies[agent]) : policies;
          return gainOverRandom({ make, spec }, seated, agent, seed);
        });
        if (gains.reduce((sum, gain) => sum + gain, 0) > 0) return;
        const names = seats[k].map((agent) => spec.agents[agent]).join(", ");
        throw diverged(
          steps,
          `the policy of ${names} has collapsed: for ${count} iterations its entropy was below ${100 * NOTHING} % of what it was at first, and it earns no more than random play`,
        );
      });
    },
    exportState: () => ({ first: [...first], gone: [...gone] }),
  };
}

function diverged(steps: number, why: string, cause?: unknown): MagicMaskError {
  const message = `training has diverged after ${steps} steps: ${why}; lower training.learningRate or training.maxGradNorm, or raise training.entropyCoefficient`;
  return new MagicMaskError("diverged", SOURCE, message, { cause });
}

/** A number that is not finite, met while training, as what it means: that training has diverged. Other errors are handed back. */
export function asDiverged(error: unknown, steps: number): unknown {
  return isMagicMaskError(error, "not-finite") ? diverged(steps, error.message, error) : error;
}
