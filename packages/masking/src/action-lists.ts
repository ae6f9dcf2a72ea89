import {
  type ActionSpace,
  actionWidth,
  boxSize,
  type DecisionBatch,
  type Decisions,
  DRAWS,
  drawActions,
  ILLEGAL,
  requireChoices,
  standardDraws,
  stream,
} from "@magic-mask/core";

/** The actions of one decision that are asked about. */
export interface ActionList<T> {
  /** Those of the row listed last, as `PairFeatures.write` takes them; it may be longer. */
  readonly actions: (number | Float32Array)[];
  /** @returns how many there are */
  list(source: T, row: number): number;
}

/** Actions by which π is compared with ν: (π − ν)·f = Σ_i gain_i · f(a_i). */
export interface ComparedActions extends ActionList<Decisions> {
  /** @param i which of those of `row` */
  gain(decisions: Decisions, row: number, i: number): number;
}

/** All legal ones of n choices. */
export function legalActions(n: number): ActionList<DecisionBatch> {
  const actions = new Array<number>(n).fill(0);
  return {
    actions,
    list({ legal }, row) {
      let count = 0;
      for (let a = 0; a < n; a++) if (legal[row * n + a]) actions[count++] = a;
      return count;
    },
  };
}

/** Given actions, as many of each decision. @param given [count × G × w] choices, or the w numbers of continuous actions */
export function givenActions(given: Float32Array, count: number, space: ActionSpace): ActionList<DecisionBatch> {
  const w = actionWidth(space);
  const G = given.length / (count * w);
  const slots = Array.from({ length: G }, () => new Float32Array(w));
  const actions: (number | Float32Array)[] = [...slots];
  return {
    actions,
    list(_, row) {
      for (let i = 0; i < G; i++) {
        for (let j = 0; j < w; j++) slots[i][j] = given[(row * G + i) * w + j];
        if (space.kind !== "box") actions[i] = slots[i][0];
      }
      return G;
    },
  };
}

/**
 * Of finitely many choices all legal ones, so that sums are exact; of continuous actions 16 draws from π and the like 16 from ν.
 *
 * @throws unsupported for actions in several parts
 */
export function comparedActions(source: string, space: ActionSpace, seed: number): ComparedActions {
  if (space.kind === "box") return drawnActions(boxSize(space), seed);
  const n = requireChoices(source, space);
  const { actions, list } = legalActions(n);
  return {
    actions,
    list,
    gain({ policy, perturbation }, row, i) {
      const at = row * n + (actions[i] as number);
      return probability(policy[at]) - probability(perturbation[at]);
    },
  };
}

function drawnActions(k: number, seed: number): ComparedActions {
  const z = standardDraws(k, stream(seed, "standard draws"));
  const drawn = new Float32Array(2 * DRAWS * k);
  return {
    actions: Array.from({ length: 2 * DRAWS }, (_, i) => drawn.subarray(i * k, (i + 1) * k)),
    list({ policy, perturbation }, row) {
      drawActions(z, policy, row, drawn, 0);
      drawActions(z, perturbation, row, drawn, DRAWS * k);
      return 2 * DRAWS;
    },
    gain: (_decisions, _row, i) => (i < DRAWS ? 1 : -1) / DRAWS,
  };
}

/** π(a) of its logarithm, 0 where the action is illegal. */
export const probability = (logProb: number) => (logProb > ILLEGAL ? Math.exp(logProb) : 0);
