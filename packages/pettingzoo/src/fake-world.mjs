/**
 * A world of ours for tests: ann picks one of up to three candidates, bob any real; both see the tick and their last choice, and
 * bob ends a tick before ann. Its one option is how many ticks there are.
 */
export function pickers({ ticks = 3 } = {}) {
  if (ticks < 1) throw Object.assign(new Error("[fake/pickers] ticks must be ≥ 1"), CODED);
  let tick = -1;
  let seed = 0;
  const last = [0, 0];
  const candidates = () => (tick < ticks ? 1 + (tick % 3) : 0);
  const world = {
    id: "pickers_v0",
    agents: ["ann", "bob"],
    roles: ["picker", "picker"],
    observationSpaces: [box([3], [0, -1, 0], [9, 1, 9]), box([3], Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)],
    actionSpaces: [{ kind: "candidates", max: 3, features: 1 }, box([1], -1, 1)],
    turnBased: false,
    zeroSum: true,
    returnRange: [-5, 5],
    commonFeatures: [[0], [0]],
    snapshotBytes: 0,
    acting: new Uint8Array(2),
    rewards: new Float64Array(2),
    terminated: new Uint8Array(2),
    truncated: new Uint8Array(2),
    reset(to) {
      [tick, seed] = [0, to];
      last.fill(0);
      world.rewards.fill(0);
      world.terminated.fill(0);
      world.acting.fill(1);
    },
    observe: (agent, out, offset) => out.set([tick, last[agent], seed % 10], offset),
    legal: (agent) => world.acting[agent],
    candidates(agent, out, offset) {
      if (agent === 0) for (let i = 0; i < candidates(); i++) out[offset + i] = i;
      return agent === 0 ? candidates() : 0;
    },
    step([ann, bob]) {
      if (ann >= candidates()) throw Object.assign(new Error("[fake/pickers] ann may not"), CODED);
      world.rewards.set(world.acting[1] ? [bob, -bob] : [0, 0]);
      if (world.acting[1]) last[1] = bob;
      last[0] = ann;
      tick++;
      world.terminated.set([tick >= ticks, tick >= ticks - 1]);
      world.acting.set([tick < ticks, tick < ticks - 1]);
    },
    render: () => `tick ${tick}`,
  };
  return world;
}

const CODED = { name: "MagicMaskError", code: "illegal-action", source: "fake/pickers" };
const box = (shape, low, high) => ({ kind: "box", shape, low, high });

export const environments = { pickers_v0: pickers };
