import { type EnvironmentSpec, isOver, type MakeEnvironment, slotWidth } from "./environment.ts";
import { checkCount } from "./error.ts";
import type { Stream } from "./random.ts";

/**
 * Many copies of one world, stepped together. Collectors talk to this, so that worlds in other processes or batched
 * worlds fit; `vectorize` is the default.
 */
export interface VectorEnvironment {
  readonly spec: EnvironmentSpec;
  /** C, the number of copies. */
  readonly copies: number;
  /** [C × N] as in `Environment`, copy by copy. */
  readonly acting: Uint8Array;
  /** [C × N] */
  readonly rewards: Float64Array;
  /** [C × N] */
  readonly terminated: Uint8Array;
  /** [C × N] */
  readonly truncated: Uint8Array;
  reset(copy: number, seed: number): void;
  observe(copy: number, agent: number, out: Float32Array, offset: number): void;
  legal(copy: number, agent: number, out: Uint8Array, offset: number): number;
  /** As in `Environment`; 0 where it lists none. */
  candidates(copy: number, agent: number, out: Float32Array, offset: number): number;
  /** Advances every copy whose episode is not over. @param actions [C × N × W] */
  step(actions: Float32Array): void;
  /** As in `Environment`, for one copy. */
  snapshot(copy: number, out: Uint8Array, offset: number): void;
  restore(copy: number, from: Uint8Array, offset: number, random?: Stream): void;
  render(copy: number): string;
  /** As in `Environment`, for all copies. */
  close?(): void;
}

/** Whether the episode of a copy is over: nobody is left to act. */
export function isCopyOver({ spec, acting }: VectorEnvironment, copy: number): boolean {
  const N = spec.agents.length;
  for (let at = copy * N; at < (copy + 1) * N; at++) if (acting[at]) return false;
  return true;
}

/** Many copies of a world: its own way of stepping them together if `make` has one, else a loop in this thread. @param copies C ≥ 1 */
export function vectorize(make: MakeEnvironment, copies: number): VectorEnvironment {
  checkCount("core/vectorize", "copies", copies);
  if (make.vectorize) return make.vectorize(copies);
  const environments = Array.from({ length: copies }, make);
  const spec = environments[0];
  const agents = spec.agents.length;
  const width = agents * slotWidth(spec);
  const acting = new Uint8Array(copies * agents);
  const rewards = new Float64Array(copies * agents);
  const terminated = new Uint8Array(copies * agents);
  const truncated = new Uint8Array(copies * agents);
  let sliced: Float32Array | undefined;
  let slots: Float32Array[] = [];

  const publish = (copy: number) => {
    const environment = environments[copy];
    for (let i = 0, at = copy * agents; i < agents; i++, at++) {
      acting[at] = environment.acting[i];
      rewards[at] = environment.rewards[i];
      terminated[at] = environment.terminated[i];
      truncated[at] = environment.truncated[i];
    }
  };

  return {
    spec,
    copies,
    acting,
    rewards,
    terminated,
    truncated,
    reset(copy, seed) {
      environments[copy].reset(seed);
      publish(copy);
    },
    observe: (copy, agent, out, offset) => environments[copy].observe(agent, out, offset),
    legal: (copy, agent, out, offset) => environments[copy].legal(agent, out, offset),
    candidates: (copy, agent, out, offset) => environments[copy].candidates?.(agent, out, offset) ?? 0,
    step(actions) {
      if (actions !== sliced) {
        sliced = actions;
        slots = environments.map((_, copy) => actions.subarray(copy * width, (copy + 1) * width));
      }
      for (let copy = 0; copy < copies; copy++) {
        if (isOver(environments[copy])) continue;
        environments[copy].step(slots[copy]);
        publish(copy);
      }
    },
    snapshot: (copy, out, offset) => environments[copy].snapshot(out, offset),
    restore(copy, from, offset, random) {
      environments[copy].restore(from, offset, random);
      publish(copy);
    },
    render: (copy) => environments[copy].render(),
    close() {
      for (const environment of environments) environment.close?.();
    },
  };
}
