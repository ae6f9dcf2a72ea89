import { checkRange, type Environment, MagicMaskError, type MakeEnvironment, stream } from "@magic-mask/core";

export interface Starts {
  /** [S × snapshotBytes] the world at S ≥ 1 moments, none of them the end of an episode. */
  readonly snapshots: Uint8Array;
  /** Share of the episodes that begin at one of them, each as probable, in [0, 1]; the others begin as they always do. */
  readonly share: number;
}

const SOURCE = "environments/with-starts";

/**
 * Begins a share of the episodes in the middle of others, as RICE (Cheng et al. 2024, arXiv:2405.03064) and StateMask do to train on from
 * there. `reset(seed)` draws where from the seed; what is left to chance after it follows from the seed, too. Clocks go on: an episode that
 * begins late ends as early. The step before a start may have paid: that is still in `rewards`, and is nobody's.
 *
 * @throws invalid-option; when an instance is made, unsupported for a world without snapshots, and shape-mismatch for those of another
 */
export function withStarts(make: MakeEnvironment, { snapshots, share }: Starts): MakeEnvironment {
  checkRange(SOURCE, "share", share, 0, 1);
  return () => {
    const environment = make();
    const { id, snapshotBytes, chance } = environment;
    if (snapshotBytes === 0) {
      throw new MagicMaskError("unsupported", SOURCE, `${id} has no snapshots, so no episode can begin at one`);
    }
    const count = snapshots.length / snapshotBytes;
    if (count < 1 || !Number.isInteger(count)) {
      const message = `needs snapshots of ${id}, ${snapshotBytes} bytes each, at least one; got ${snapshots.length} bytes`;
      throw new MagicMaskError("shape-mismatch", SOURCE, message);
    }
    const where = stream(0, SOURCE);
    const after = stream(0, SOURCE);
    const started: Environment = {
      ...environment,
      id: `started_${id}`,
      chance: chance === "none" ? "reset" : chance,
      reset(seed) {
        environment.reset(seed);
        where.rekey(seed, SOURCE, "where");
        if (where.uniform() >= share) return;
        after.rekey(seed, SOURCE, "after");
        environment.restore(snapshots, where.below(count) * snapshotBytes, after);
      },
    };
    return started;
  };
}
