import {
  type ActionSpace,
  actionWidth,
  boxSize,
  contains,
  type Environment,
  type EnvironmentSpec,
  MagicMaskError,
  maskWidth,
  slotWidth,
} from "@magic-mask/core";
import type { AecEnvironment } from "./aec.ts";
import { type Action, isLegal } from "./facade.ts";

/** What somebody else's world shows an agent: numbers, alone or beside a mask. Without a mask everything is legal. */
export type ForeignObservation =
  | ArrayLike<number>
  | { readonly observation: ArrayLike<number>; readonly action_mask?: ArrayLike<number> };

/** What both of PettingZoo's shapes share, as far as it is read here. */
export interface ForeignWorld
  extends Pick<AecEnvironment, "possibleAgents" | "agents" | "observationSpace" | "actionSpace" | "render"> {
  readonly metadata?: { readonly name: string };
}

/** What such an object does not say about itself. */
export interface ForeignOptions {
  /** Id with a version; the object's `metadata.name` where it has one. */
  readonly id?: string;
  /** [N] as in `EnvironmentSpec`; by default no two agents are taken to be interchangeable. */
  readonly roles?: readonly string[];
  /** As in `EnvironmentSpec`; false by default. */
  readonly zeroSum?: boolean;
  readonly returnRange?: EnvironmentSpec["returnRange"];
  readonly commonFeatures?: EnvironmentSpec["commonFeatures"];
  readonly chance?: EnvironmentSpec["chance"];
}

/**
 * The parts of an `Environment` that `fromAec` and `fromParallel` share: what is fixed, the arrays, reading and checking.
 * Such worlds cannot be copied: `snapshotBytes` is 0.
 *
 * @throws invalid-option without an id; unsupported for candidate moves and observations that are not a box
 */
export function foreignBase(source: string, object: ForeignWorld, turnBased: boolean, options: ForeignOptions) {
  const { possibleAgents: agents } = object;
  const {
    id = object.metadata?.name,
    roles = agents,
    zeroSum = false,
    returnRange = null,
    commonFeatures = null,
    chance,
  } = options;
  if (id === undefined) {
    throw new MagicMaskError("invalid-option", source, "id must be given, because the object has no metadata.name");
  }
  const observationSpaces = agents.map((name) => object.observationSpace(name));
  const actionSpaces = agents.map((name) => object.actionSpace(name));
  for (const { kind } of observationSpaces) {
    if (kind !== "box") throw new MagicMaskError("unsupported", source, `observations must be a box, got ${kind}`);
  }
  for (const { kind } of actionSpaces) {
    if (kind === "candidates")
      throw new MagicMaskError("unsupported", source, "candidate moves cannot be read from this shape");
  }
  const N = agents.length;
  const spec: EnvironmentSpec = {
    id,
    agents,
    roles,
    observationSpaces,
    actionSpaces,
    turnBased,
    zeroSum,
    returnRange,
    commonFeatures,
    chance,
    snapshotBytes: 0,
  };
  const W = slotWidth(spec);
  const uncopied = (): never => {
    throw new MagicMaskError("unsupported", source, `${id} cannot be copied (snapshotBytes is 0)`);
  };

  return {
    state: {
      acting: new Uint8Array(N),
      rewards: new Float64Array(N),
      terminated: new Uint8Array(N),
      truncated: new Uint8Array(N),
    },
    /** What of the `Environment` is the same for both shapes. */
    common: {
      ...spec,
      snapshot: uncopied,
      restore: uncopied,
      render: () => object.render(),
    } satisfies Partial<Environment>,

    /** Copies what `agent` sees to `out[offset …]`. @throws shape-mismatch */
    readObservation(agent: number, seen: ForeignObservation, out: Float32Array, offset: number): void {
      const numbers = "observation" in seen ? seen.observation : seen;
      const size = boxSize(observationSpaces[agent]);
      if (numbers.length !== size) {
        throw new MagicMaskError(
          "shape-mismatch",
          source,
          `${agents[agent]} must see ${size} numbers, got ${numbers.length}`,
        );
      }
      out.set(numbers, offset);
    },

    /** Copies the mask of `agent` to `out[offset …]`. @returns how many entries are legal @throws shape-mismatch */
    readMask(agent: number, seen: ForeignObservation, out: Uint8Array, offset: number): number {
      const width = maskWidth(actionSpaces[agent]);
      const mask = "observation" in seen ? seen.action_mask : undefined;
      if (width === 0) return 1;
      if (mask && mask.length !== width) {
        throw new MagicMaskError(
          "shape-mismatch",
          source,
          `the mask of ${agents[agent]} must have ${width} entries, got ${mask.length}`,
        );
      }
      let count = 0;
      for (let a = 0; a < width; a++) {
        out[offset + a] = mask && !mask[a] ? 0 : 1;
        count += out[offset + a];
      }
      return count;
    },

    /** The action in the slot of `agent`, in the object's own form. @throws illegal-action */
    readAction(agent: number, mask: Uint8Array, actions: Float32Array): Action {
      const space: ActionSpace = actionSpaces[agent];
      if (!contains(space, actions, agent * W) || !isLegal(space, mask, actions, agent * W)) {
        const slot = actions.subarray(agent * W, agent * W + actionWidth(space));
        throw new MagicMaskError("illegal-action", source, `${agents[agent]} may not play [${slot}]; see its mask`);
      }
      return space.kind === "discrete" ? actions[agent * W] : actions.slice(agent * W, agent * W + actionWidth(space));
    },

    /** @throws out-of-order if nobody acts */
    requireActing(acting: Uint8Array): void {
      if (acting.includes(1)) return;
      throw new MagicMaskError("out-of-order", source, "there is no episode to go on with: call reset() before step()");
    },
  };
}
