import { type MakeEnvironment, slotWidth } from "@magic-mask/core";
import type { RemoteVector } from "./remote.ts";

/**
 * Fresh instances, each a copy of one vector: as many as it has, without a process for each. An instance's step leaves the other
 * copies where they are, as it would alone.
 */
export function instancesOf(vector: RemoteVector): MakeEnvironment {
  const { spec } = vector;
  const N = spec.agents.length;
  const W = N * slotWidth(spec);
  let made = 0;
  return () => {
    const copy = made++;
    if (copy === vector.copies) throw new Error(`there are only ${copy} instances`);
    const own = [copy * N, (copy + 1) * N] as const;
    const arrays = {
      acting: new Uint8Array(N),
      rewards: new Float64Array(N),
      terminated: new Uint8Array(N),
      truncated: new Uint8Array(N),
    };
    const publish = () => {
      for (const name of ["acting", "rewards", "terminated", "truncated"] as const) {
        arrays[name].set(vector[name].subarray(...own));
      }
    };
    const all = new Float32Array(vector.copies * W);
    return {
      ...spec,
      ...arrays,
      reset(seed) {
        vector.reset(copy, seed);
        publish();
      },
      observe: (agent, out, offset) => vector.observe(copy, agent, out, offset),
      legal: (agent, out, offset) => vector.legal(copy, agent, out, offset),
      step(actions) {
        if (!arrays.acting.includes(1))
          throw Object.assign(new Error("over"), { name: "MagicMaskError", code: "out-of-order" });
        all.set(actions, copy * W);
        const standing = vector.acting.slice();
        vector.acting.fill(0);
        vector.acting.set(arrays.acting, copy * N);
        try {
          vector.step(all);
        } finally {
          const now = vector.acting.slice(...own);
          vector.acting.set(standing);
          vector.acting.set(now, copy * N);
        }
        publish();
      },
      snapshot: (out, offset) => vector.snapshot(copy, out, offset),
      restore: (from, offset) => vector.restore(copy, from, offset),
      render: () => vector.render(copy),
    };
  };
}
