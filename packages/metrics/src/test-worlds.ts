import {
  box,
  discrete,
  type Environment,
  ILLEGAL,
  MagicMaskError,
  type MakeEnvironment,
  type Perturbation,
  type Policy,
  type Stream,
  stream,
} from "@magic-mask/core";

/** One way that an action may turn out: the next node (`END` ends the episode) and everyone's rewards. */
export interface Outcome {
  readonly probability: number;
  readonly to: number;
  readonly rewards: readonly number[];
}

/** Where `agent` acts; null is an illegal action. */
export interface Node {
  readonly agent: number;
  readonly actions: readonly (readonly Outcome[] | null)[];
}

export const END = -1;

/** A certain outcome. */
export const sure = (to: number, ...rewards: number[]): Outcome[] => [{ probability: 1, to, rewards }];

/**
 * A turn-based world that is a table, so that everything about it can be worked out by hand. What is seen is the node,
 * one-hot.
 */
export function tableWorld(
  nodes: readonly Node[],
  agents: number,
  returnRange: [number, number] | null = null,
): MakeEnvironment {
  const A = Math.max(...nodes.map(({ actions }) => actions.length));
  return () => {
    let node = END;
    let random = stream(0);
    let ready = false;
    const self: Environment = {
      id: "table_v0",
      agents: Array.from({ length: agents }, (_, i) => `agent_${i}`),
      roles: Array(agents).fill("player"),
      observationSpaces: Array(agents).fill(box([nodes.length], 0, 1)),
      actionSpaces: Array(agents).fill(discrete(A)),
      turnBased: true,
      zeroSum: false,
      returnRange,
      commonFeatures: null,
      snapshotBytes: 20 + 8 * agents,
      acting: new Uint8Array(agents),
      rewards: new Float64Array(agents),
      terminated: new Uint8Array(agents),
      truncated: new Uint8Array(agents),
      reset(seed) {
        random = stream(seed, "table");
        ready = true;
        enter(0);
        self.rewards.fill(0);
      },
      observe(_, out, offset) {
        for (let k = 0; k < nodes.length; k++) out[offset + k] = k === node ? 1 : 0;
      },
      legal(agent, out, offset) {
        let count = 0;
        for (let a = 0; a < A; a++) {
          const allowed = self.acting[agent] && nodes[node].actions[a];
          out[offset + a] = allowed ? 1 : 0;
          if (allowed) count++;
        }
        return count;
      },
      step(actions) {
        if (!ready || node === END) throw new MagicMaskError("out-of-order", "metrics/test-worlds", "reset first");
        const outcomes = nodes[node].actions[actions[nodes[node].agent]];
        if (!outcomes)
          throw new MagicMaskError("illegal-action", "metrics/test-worlds", `no action there at node ${node}`);
        const { rewards, to } = draw(outcomes, random.uniform());
        self.rewards.set(rewards);
        enter(to);
      },
      snapshot(out, offset) {
        const view = new DataView(out.buffer, out.byteOffset + offset);
        view.setInt32(0, node);
        for (const [k, word] of random.exportState().entries()) view.setUint32(4 + 4 * k, word);
        for (let i = 0; i < agents; i++) view.setFloat64(20 + 8 * i, self.rewards[i]);
      },
      restore(from, offset, chance?: Stream) {
        const view = new DataView(from.buffer, from.byteOffset + offset);
        random = chance ?? stream(0);
        if (!chance) random.restoreState([4, 8, 12, 16].map((at) => view.getUint32(at)));
        ready = true;
        enter(view.getInt32(0));
        for (let i = 0; i < agents; i++) self.rewards[i] = view.getFloat64(20 + 8 * i);
      },
      render: () => `node ${node}`,
    };
    const enter = (to: number) => {
      node = to;
      self.acting.fill(0);
      self.terminated.fill(node === END ? 1 : 0);
      if (node !== END) self.acting[nodes[node].agent] = 1;
    };
    return self;
  };
}

function draw(outcomes: readonly Outcome[], share: number): Outcome {
  for (const outcome of outcomes) {
    if (share < outcome.probability) return outcome;
    share -= outcome.probability;
  }
  return outcomes[outcomes.length - 1];
}

/** The policy that plays `rows[node]` there. @param rows [nodes][A] probabilities */
export function tablePolicy(rows: readonly (readonly number[])[]): Policy {
  return {
    evaluate({ count, observations }, parameters, values) {
      const A = rows[0].length;
      for (let row = 0; row < count; row++) {
        const node = observations.subarray(row * rows.length, (row + 1) * rows.length).indexOf(1);
        for (let a = 0; a < A; a++) parameters[row * A + a] = rows[node][a] > 0 ? Math.log(rows[node][a]) : ILLEGAL;
        values[row] = 0;
      }
    },
  };
}

/** Uniform over the legal ones of A actions. */
export function uniform(A: number): Perturbation {
  return {
    name: "uniform",
    evaluate({ count, legal }, _, out) {
      for (let row = 0; row < count; row++) {
        let choices = 0;
        for (let a = 0; a < A; a++) choices += legal[row * A + a];
        for (let a = 0; a < A; a++) out[row * A + a] = legal[row * A + a] ? -Math.log(choices) : ILLEGAL;
      }
    },
  };
}

/** Always `action`, whatever the policy wants. */
export function always(action: number, A: number): Perturbation {
  return {
    name: `always-${action}`,
    evaluate({ count }, _, out) {
      for (let at = 0; at < count * A; at++) out[at] = at % A === action ? 0 : ILLEGAL;
    },
  };
}
